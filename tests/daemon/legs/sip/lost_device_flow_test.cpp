// Calls with devices whose connection breaks: their requests go by the one that they register by then.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "daemon/legs/sip/message/digest.hpp"
#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/scripted_peer.hpp"

namespace vmr::sip::test {
namespace {

class LostFlowsOfDevices : public ::testing::Test {
protected:
    static SipConfig config() {
        SipConfig config;
        config.realm = "vmr.test";
        config.registrar.enabled = true;
        config.registrar.domains = {"vmr.test"};
        ConfiguredDevice device;
        device.account.name = "kitchen";
        device.secret = "s3cret";
        config.devices = {device};
        return config;
    }
    // Registers over the connection; its Contact cannot be called.
    void register_by(Client& client) {
        const auto send = [&](const std::string& authorization) {
            const std::string cseq = std::to_string(++cseq_);
            client.send("REGISTER sip:vmr.test SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:" +
                        std::to_string(client.local_port()) + ";branch=z9hG4bKr" + cseq +
                        ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:kitchen@vmr.test>;tag=r\r\n"
                        "To: <sip:kitchen@vmr.test>\r\nCall-ID: registration\r\nCSeq: " +
                        cseq + " REGISTER\r\n" + contact() + authorization + "Content-Length: 0\r\n\r\n");
            return client.expect("SIP/2.0 ");
        };
        const std::string challenge = header(send({}), "WWW-Authenticate");
        const std::string nonce = parameter(digest_parameters(challenge), "nonce");
        const std::string ha1 = hash_hex("SHA-256", "kitchen:vmr.test:s3cret");
        const std::string ha2 = hash_hex("SHA-256", "REGISTER:sip:vmr.test");
        const std::string answer = hash_hex("SHA-256", ha1 + ":" + nonce + ":00000001:c:auth:" + ha2);
        const std::string registered =
            send("Authorization: Digest username=\"kitchen\", realm=\"vmr.test\", nonce=\"" + nonce +
                 "\", uri=\"sip:vmr.test\", response=\"" + answer +
                 "\", algorithm=SHA-256, cnonce=\"c\", qop=auth, nc=00000001\r\n");
        ASSERT_TRUE(registered.starts_with("SIP/2.0 200")) << registered;
    }
    static std::string contact() {
        return "Contact: <sip:kitchen@192.0.2.5:5061;transport=tls>;+sip.instance=\"<urn:uuid:1>\"\r\n";
    }
    std::unique_ptr<Client> connect() {
        return std::make_unique<Client>(Transport::tls, harness_.port(Transport::tls));
    }
    // A call of the device that is up, and its connection broken.
    std::shared_ptr<Leg> call_and_break() {
        auto device = connect();
        register_by(*device);
        Caller caller(*device);
        std::string invite = caller.request("INVITE", {}, kOffer);
        const std::string_view from = "sip:alice@test";
        invite.replace(invite.find(from), from.size(), "sip:kitchen@vmr.test");
        device->send(invite);
        caller.learn(device->expect("SIP/2.0 200"));
        device->send(caller.ack());
        const auto call = harness_.observer.wait([](const auto& record) { return record.answered; });
        ::shutdown(device->descriptor(), SHUT_RDWR);
        EXPECT_TRUE(harness_.wait([&] { return harness_.legs->statistics().connections == 0; }));
        return call ? call->leg : nullptr;
    }
    Harness harness_{config()};
    int cseq_ = 0;
};

TEST_F(LostFlowsOfDevices, WhoRegisteredAgainIsReachedThere) {
    const auto leg = call_and_break();
    const auto again = connect();
    register_by(*again);
    harness_.run([&] { leg->end(EndCause::removed); });
    EXPECT_NE(again->expect("BYE "), "");
}

TEST_F(LostFlowsOfDevices, WhatIsToBeSaidWaitsForTheRegistration) {
    const auto leg = call_and_break();
    harness_.run([&] { leg->end(EndCause::removed); });
    const auto again = connect();
    register_by(*again);
    EXPECT_NE(again->expect("BYE "), "");
}

TEST_F(LostFlowsOfDevices, WhoWasCalledToo) {
    auto device = connect();
    register_by(*device);
    std::shared_ptr<Leg> leg;
    harness_.run([&] {
        const auto plan = harness_.legs->plan("kitchen");
        ASSERT_TRUE(plan.ok());
        leg = harness_.legs->dial({"out-1", *plan, "Board", "board", {}});
    });
    const std::string invite = device->expect("INVITE ");
    device->send(response(invite, 200, "device", contact(), kAnswer));
    ASSERT_NE(device->expect("ACK "), "");
    ::shutdown(device->descriptor(), SHUT_RDWR);
    ASSERT_TRUE(harness_.wait([&] { return harness_.legs->statistics().connections == 0; }));
    const auto again = connect();
    register_by(*again);
    harness_.run([&] { leg->end(EndCause::removed); });
    EXPECT_NE(again->expect("BYE "), "");
}

}  // namespace
}  // namespace vmr::sip::test
