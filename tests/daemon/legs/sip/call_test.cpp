// Whole calls over real sockets on the loopback, with a fake bridge.
#include <gtest/gtest.h>

#include "tests/support/sip/harness.hpp"

namespace vmr::sip::test {
namespace {

class Calls : public ::testing::TestWithParam<Transport> {
protected:
    Harness harness_;
};

INSTANTIATE_TEST_SUITE_P(Transports, Calls, ::testing::Values(Transport::udp, Transport::tcp, Transport::tls),
                         [](const auto& info) { return std::string(uri_param(info.param)); });

// Offer in the INVITE, answer in the 200; returns the 200.
std::string establish(Client& client, Caller& caller, const std::string& extra = {}) {
    client.send(caller.request("INVITE", extra, kOffer));
    const std::string ok = client.expect("SIP/2.0 200");
    caller.learn(ok);
    client.send(caller.ack());
    return ok;
}

TEST_P(Calls, ABasicCallIsAnsweredAndTheCallerHangsUp) {
    Client client(GetParam(), harness_.port(GetParam()));
    Caller caller(client, "Team");
    const std::string ok = establish(client, caller);
    ASSERT_NE(ok, "");
    EXPECT_NE(ok.find(kAnswer), std::string::npos);
    EXPECT_EQ(header(ok, "Contact").find("sips:"), std::string::npos);
    const auto call = harness_.observer.wait([](const auto& record) { return record.answered; });
    ASSERT_TRUE(call);
    EXPECT_EQ(call->arrival.alias, "team");
    EXPECT_EQ(call->arrival.kind, LegKind::sip);
    EXPECT_EQ(call->arrival.caller, "alice@test");
    EXPECT_EQ(call->arrival.display_name, "Alice");
    if (GetParam() == Transport::tls) {
        EXPECT_TRUE(call->arrival.signalling.starts_with("TLSv1.")) << call->arrival.signalling;
        EXPECT_EQ(call->media->signalling, call->arrival.signalling);
    } else {
        EXPECT_EQ(call->arrival.signalling, "none");
    }
    client.send(caller.request("BYE"));
    EXPECT_NE(client.expect("SIP/2.0 200"), "");
    const auto ended = harness_.observer.wait([](const auto& record) { return record.ended.has_value(); });
    ASSERT_TRUE(ended);
    EXPECT_EQ(*ended->ended, EndCause::hangup);
    EXPECT_TRUE(harness_.wait([&] { return harness_.legs->calls() == 0; }));
}

TEST_P(Calls, TheBridgeHangsUp) {
    Client client(GetParam(), harness_.port(GetParam()));
    Caller caller(client);
    establish(client, caller);
    const auto call = harness_.observer.wait([](const auto& record) { return record.answered; });
    ASSERT_TRUE(call);
    harness_.run([&] { call->leg->end(EndCause::removed); });
    const std::string bye = client.expect("BYE ");
    ASSERT_NE(bye, "");
    EXPECT_NE(header(bye, "Reason").find("removed"), std::string::npos);
    client.send(caller.answer(bye));
    EXPECT_TRUE(harness_.wait([&] { return harness_.legs->calls() == 0; }));
}

}  // namespace
}  // namespace vmr::sip::test
