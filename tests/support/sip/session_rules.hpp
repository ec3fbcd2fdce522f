// A call that came to us, on a made-up clock: what its far side says, and what it sees of us.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "daemon/legs/sip/dialog/session.hpp"
#include "tests/support/sip/fake_host.hpp"
#include "tests/support/sip/fakes.hpp"
#include "tests/support/sip/harness.hpp"

namespace vmr::sip::test {

// A request of the far side, in the dialog "c1" once `to_tag` is set.
inline Message request(const std::string& method, int cseq, const std::string& extra = {},
                       const std::string& body = {}, const std::string& to_tag = {}) {
    return read(
        method + " sip:room@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK" + method +
        std::to_string(cseq) + ";rport\r\nFrom: <sip:a@x>;tag=f\r\nTo: <sip:room@192.0.2.1>" +
        (to_tag.empty() ? "" : ";tag=" + to_tag) + "\r\nCall-ID: c1\r\nCSeq: " + std::to_string(cseq) + " " +
        method + "\r\nContact: <sip:a@192.0.2.7>\r\n" + extra +
        (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
        "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

class SessionRules : public ::testing::Test {
protected:
    void start(const std::string& extra = {}, const std::string& body = kOffer) {
        session = std::make_unique<Session>(host, "t1", request("INVITE", 1, extra, body), "l", "", 0);
        session->attach(media);
    }
    void establish(const std::string& extra = {}) {
        start(extra);
        session->accept(0);
        session->receive("", request("ACK", 1, {}, {}, "l"), 10);
    }
    void receive(const std::string& method, int cseq, std::int64_t now, const std::string& extra = {},
                 const std::string& body = {}) {
        session->receive("t" + std::to_string(cseq), request(method, cseq, extra, body, "l"), now);
    }
    void respond(std::uint64_t id, int status, std::int64_t now, const std::string& extra = {},
                 const std::string& body = {}) {
        const std::string& method = host.requests.at(id - 1).method;
        session->receive_response(
            id,
            read("SIP/2.0 " + std::to_string(status) +
                 " X\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-ours\r\nFrom: "
                 "<sip:room@192.0.2.1>;tag=l\r\nTo: <sip:a@x>;tag=f\r\nCall-ID: c1\r\nCSeq: 1 " +
                 method + "\r\n" + extra + (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
                 "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body),
            now);
    }
    FakeHost host;
    std::shared_ptr<FakeMedia> media = std::make_shared<FakeMedia>();
    std::unique_ptr<Session> session;
};

}  // namespace vmr::sip::test
