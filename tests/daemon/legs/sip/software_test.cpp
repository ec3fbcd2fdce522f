// What our messages say of the software that sends them: nothing, or what is configured.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/scripted_peer.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::HasSubstr;

class Software : public ::testing::TestWithParam<std::string> {
protected:
    static SipConfig config() {
        SipConfig config;
        config.stack.software = GetParam();
        config.trunks = {{.name = "pbx", .user = "pbx", .secret = "s3cret", .numbers = {{"+4930123", ""}}}};
        DialRule rule;
        rule.name = "any";
        rule.domains = {"127.0.0.1"};
        config.dial.rules = {rule};
        return config;
    }
    static void check(const std::string& message) {
        EXPECT_NE(message, "");
        const bool response = message.starts_with("SIP/2.0 ");
        EXPECT_EQ(header(message, "Server"), response ? GetParam() : "") << message;
        EXPECT_EQ(header(message, "User-Agent"), response ? "" : GetParam()) << message;
        EXPECT_EQ(lower(message).find("vmr"), std::string::npos) << message;
    }
    // Of an address that does not say it itself.
    static Caller caller(Client& client, const std::string& user = "room") {
        Caller caller(client, user);
        caller.to_uri = "sip:" + user + "@meet.example";
        return caller;
    }

    Harness harness_{config()};
    Client client_{Transport::udp, harness_.port(Transport::udp)};
};

INSTANTIATE_TEST_SUITE_P(Texts, Software, ::testing::Values("", "Example/1.2 (west)"),
                         [](const auto& info) { return info.param.empty() ? "None" : "Configured"; });

TEST_P(Software, OfACallAndItsEnd) {
    Caller one = caller(client_);
    client_.send(one.request("INVITE", {}, kOffer));
    const std::string ok = client_.expect("SIP/2.0 200");
    check(ok);
    one.learn(ok);
    client_.send(one.ack());
    ASSERT_TRUE(harness_.observer.wait([](const auto& record) { return record.answered; }));
    client_.send(one.request("UPDATE"));
    check(client_.expect("SIP/2.0 200"));
    harness_.run([&] { harness_.observer.wait()->leg->end(EndCause::removed); });
    check(client_.expect("BYE "));
}

TEST_P(Software, OfRefusals) {
    for (const auto kind : {MediaProblem::Kind::encryption_required, MediaProblem::Kind::not_acceptable}) {
        harness_.observer.problem = MediaProblem{kind, {}};
        Caller refused = caller(client_);
        client_.send(refused.request("INVITE", {}, kOffer));
        const std::string answer = client_.expect("SIP/2.0 488");
        check(answer);
        EXPECT_THAT(header(answer, "Warning"),
                    HasSubstr(" 127.0.0.1:" + std::to_string(harness_.port(Transport::udp)) + " \""));
    }
    Caller trunk = caller(client_, "+4930123");
    client_.send(trunk.request("INVITE", {}, kOffer));
    const std::string challenge = client_.expect("SIP/2.0 407");
    check(challenge);
    EXPECT_THAT(header(challenge, "Proxy-Authenticate"), HasSubstr("realm=\"sip\""));
    for (const char* method : {"OPTIONS", "REGISTER", "SUBSCRIBE", "MESSAGE", "BYE", "FOO"}) {
        client_.send(caller(client_).request(method));
        check(client_.expect("SIP/2.0 "));
    }
}

TEST_P(Software, OfWhatIsAnsweredWithoutATransaction) {
    std::string broken = caller(client_).request("OPTIONS");
    broken.replace(broken.find("Max-Forwards: 70"), 16, "Max-Forwards: no");
    client_.send(broken);
    check(client_.expect("SIP/2.0 400"));
    harness_.run([&] { harness_.legs->refuse_new_calls(); });
    client_.send(caller(client_).request("INVITE", {}, kOffer));
    check(client_.expect("SIP/2.0 503"));
}

TEST_P(Software, OfACallThatWePlace) {
    ScriptedPeer peer([](const std::string& request) {
        return request.starts_with("INVITE") ? std::vector{response(request, 200, "peer", {}, kAnswer)}
                                             : std::vector<std::string>();
    });
    std::shared_ptr<Leg> leg;
    harness_.run([&] {
        const auto plan = harness_.legs->plan("sip:a@127.0.0.1:" + std::to_string(peer.port()));
        ASSERT_TRUE(plan) << plan.error();
        leg = harness_.legs->dial({"out-1", *plan, "Board", "board"});
    });
    check(peer.expect("INVITE "));
    check(peer.expect("ACK "));
    harness_.run([&] { leg->end(EndCause::removed); });
    check(peer.expect("BYE "));
}

// Who asks chooses a part of the answer: it may look like the end of a header.
TEST(SoftwareAndStun, AnswersToKeepAlivesStayAsTheyAre) {
    SipConfig config;
    config.stack.software = "Example";
    config.stack.answer_stun = true;
    Harness harness(config);
    Client client(Transport::udp, harness.port(Transport::udp));
    client.send(std::string("\0\1\0\0\x21\x12\xa4\x42", 8) + "ab\r\n\r\ncdefgh");
    EXPECT_EQ(client.receive_raw().size(), 32U);
}

}  // namespace
}  // namespace vmr::sip::test
