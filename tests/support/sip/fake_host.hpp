// What a Session or an Invitation sends, written down; and messages as the stack would hand them up.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "daemon/legs/sip/dialog/session.hpp"
#include "daemon/legs/sip/message/parse.hpp"
#include "daemon/legs/sip/network/stack.hpp"

namespace vmr::sip::test {

inline Message read(const std::string& text, Transport transport = Transport::udp) {
    Flow flow;
    flow.transport = transport;
    flow.remote = {"192.0.2.7", 5060};
    flow.local = {"192.0.2.1", 5060};
    Result<Message> message = parse_message(text, flow);
    EXPECT_TRUE(message.ok()) << (message ? "" : message.error()) << "\n" << text;
    return message ? *message : Message();
}

struct FakeHost : SessionHost {
    struct Sent {
        std::string method, bytes;
        std::uint64_t id;
        std::string ack;
    };
    void respond(const std::string&, int status, const std::string& bytes) override {
        statuses.push_back(status);
        responses.push_back(bytes);
    }
    std::uint64_t request(const Flow&, const std::string& method, const std::string&,
                          const std::string& bytes, const std::string& ack) override {
        requests.push_back({method, bytes, ++next, ack});
        return next;
    }
    void request_again(std::uint64_t id, const Flow&, const std::string& method, const std::string&,
                       const std::string& bytes, const std::string& ack) override {
        again.push_back({method, bytes, id, ack});
    }
    void send(const Flow&, const std::string& bytes) override { direct.push_back(bytes); }
    std::string new_branch() override { return "z9hG4bK-ours"; }
    std::uint32_t random(std::uint32_t limit) override { return limit / 2; }
    std::shared_ptr<void> receipt(const std::string& transaction, const std::string& bytes) override {
        respond(transaction, 200, bytes);
        return nullptr;
    }
    void on_session_answered() override { ++answered; }
    void on_key_received(char) override {}
    void on_session_ended(EndCause cause, std::shared_ptr<void>) override { ended.push_back(cause); }

    std::vector<int> statuses;
    std::vector<std::string> responses, direct;
    std::vector<Sent> requests;
    std::vector<Sent> again;  // those that were challenged, once more
    std::vector<EndCause> ended;
    int answered = 0;
    std::uint64_t next = 0;
};

}  // namespace vmr::sip::test
