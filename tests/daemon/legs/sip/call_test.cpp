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

// RFC 3261 section 8.2.2.2
TEST_P(Calls, ACopyOfTheInviteByAnotherWayIsMerged) {
    Client client(GetParam(), harness_.port(GetParam()));
    Caller caller(client);
    std::string invite = caller.request("INVITE", {}, kOffer);
    client.send(invite);
    caller.learn(client.expect("SIP/2.0 200"));
    client.send(caller.ack());
    ASSERT_TRUE(harness_.observer.wait([](const auto& record) { return record.answered; }));
    invite.replace(invite.find("z9hG4bK"), 7, "z9hG4bKother");
    client.send(invite);
    EXPECT_NE(client.expect("SIP/2.0 482"), "");
    EXPECT_EQ(harness_.observer.arrivals(), 1U);
    EXPECT_TRUE(harness_.wait([&] { return harness_.legs->half_open() == 0; }));
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

TEST_P(Calls, HoldByReinviteAndUpdate) {
    Client client(GetParam(), harness_.port(GetParam()));
    Caller caller(client);
    establish(client, caller);
    ASSERT_TRUE(harness_.observer.wait([](const auto& record) { return record.answered; }));
    client.send(caller.request("INVITE", {}, std::string(kOffer) + "a=sendonly\r\n"));
    EXPECT_NE(client.expect("SIP/2.0 200"), "");
    client.send(caller.ack());
    client.send(caller.request("UPDATE", {}, std::string(kOffer) + "a=sendrecv\r\n"));
    EXPECT_NE(client.expect("SIP/2.0 200").find("UPDATE"), std::string::npos);
    const auto call = harness_.observer.wait();
    ASSERT_EQ(call->media->offers.size(), 3U);
    EXPECT_NE(call->media->offers[1].find("sendonly"), std::string::npos);
}

TEST_P(Calls, ADelayedOfferIsAnsweredInTheAck) {
    Client client(GetParam(), harness_.port(GetParam()));
    Caller caller(client);
    client.send(caller.request("INVITE"));
    const std::string ok = client.expect("SIP/2.0 200");
    ASSERT_NE(ok.find(kAnswer), std::string::npos);
    caller.learn(ok);
    client.send(caller.ack(kOffer));
    const auto call = harness_.observer.wait([](const auto& record) { return record.answered; });
    ASSERT_TRUE(call);
    EXPECT_EQ(call->media->answers, std::vector<std::string>{kOffer});
}

// As servers that connect two calls hold, resume and transfer theirs (RFC 3725).
TEST_P(Calls, AReinviteWithoutAnOfferIsAnsweredInTheAck) {
    Client client(GetParam(), harness_.port(GetParam()));
    Caller caller(client);
    establish(client, caller);
    ASSERT_TRUE(harness_.observer.wait([](const auto& record) { return record.answered; }));
    client.send(caller.request("INVITE"));
    ASSERT_NE(client.expect("SIP/2.0 200").find(kAnswer), std::string::npos);
    client.send(caller.ack(kOffer));
    const auto call = harness_.observer.wait();
    ASSERT_TRUE(harness_.wait([&] { return !call->media->answers.empty(); }));
    EXPECT_EQ(call->media->offered_anew, 1);
    EXPECT_FALSE(call->ended);
}

TEST_P(Calls, CancelEndsARingingCall) {
    harness_.observer.on_arrival = [](Leg&) {};
    Client client(GetParam(), harness_.port(GetParam()));
    Caller caller(client);
    client.send(caller.request("INVITE", {}, kOffer));
    ASSERT_NE(client.expect("SIP/2.0 180"), "");
    client.send(caller.cancel());
    EXPECT_NE(client.expect("SIP/2.0 200").find("CANCEL"), std::string::npos);
    EXPECT_NE(client.expect("SIP/2.0 487"), "");
    const auto call = harness_.observer.wait([](const auto& record) { return record.ended.has_value(); });
    ASSERT_TRUE(call);
    EXPECT_EQ(*call->ended, EndCause::cancelled);
}

TEST_P(Calls, KeysByInfo) {
    Client client(GetParam(), harness_.port(GetParam()));
    Caller caller(client);
    establish(client, caller);
    for (const char* key : {"1", "*", "#", "10"}) {
        client.send(caller.request("INFO", {}, std::string("Signal=") + key + "\r\nDuration=160\r\n",
                                   "application/dtmf-relay"));
        ASSERT_NE(client.expect("SIP/2.0 200"), "");
    }
    client.send(caller.request("INFO", {}, "7", "application/dtmf"));
    ASSERT_NE(client.expect("SIP/2.0 200"), "");
    client.send(caller.request("INFO", {}, "x", "text/plain"));
    ASSERT_NE(client.expect("SIP/2.0 415"), "");
    const auto call = harness_.observer.wait([](const auto& record) { return record.keys.size() == 5; });
    ASSERT_TRUE(call);
    EXPECT_EQ(call->keys, "1*#*7");
}

TEST_P(Calls, ByeIsAnsweredOnceTheRecordIsWritten) {
    harness_.observer.keep_receipts = true;
    Client client(GetParam(), harness_.port(GetParam()));
    Caller caller(client);
    establish(client, caller);
    ASSERT_TRUE(harness_.observer.wait([](const auto& record) { return record.answered; }));
    client.send(caller.request("BYE"));
    ASSERT_TRUE(harness_.observer.wait([](const auto& record) { return record.ended.has_value(); }));
    EXPECT_EQ(client.receive(50), "");
    harness_.observer.release_receipts();  // here: another thread than the control thread
    EXPECT_NE(client.expect("SIP/2.0 200"), "");
}

TEST_P(Calls, RefusalsCarryTheirReason) {
    Client client(GetParam(), harness_.port(GetParam()));
    Caller lost(client);
    harness_.observer.known = false;
    client.send(lost.request("INVITE", {}, kOffer));
    EXPECT_NE(client.expect("SIP/2.0 404"), "");
    harness_.observer.known = true;
    harness_.observer.problem = MediaProblem{MediaProblem::Kind::encryption_required, "no crypto"};
    Caller plain(client);
    client.send(plain.request("INVITE", {}, kOffer));
    const std::string refused = client.expect("SIP/2.0 488");
    EXPECT_EQ(header(refused, "Warning"),
              "399 127.0.0.1:" + std::to_string(harness_.port(GetParam())) + " \"Encryption required\"");
    Caller odd(client);
    client.send(odd.request("REGISTER"));
    EXPECT_NE(header(client.expect("SIP/2.0 405"), "Allow").find("INVITE"), std::string::npos);
    client.send(odd.request("INVITE", "Require: foo, timer\r\n", kOffer));
    EXPECT_EQ(header(client.expect("SIP/2.0 420"), "Unsupported"), "foo");
    client.send(odd.request("INVITE", "Supported: timer\r\nSession-Expires: 30\r\n", kOffer));
    EXPECT_EQ(header(client.expect("SIP/2.0 422"), "Min-SE"), "90");
    odd.remote_tag = "nobody";
    client.send(odd.request("BYE"));
    EXPECT_NE(client.expect("SIP/2.0 481"), "");
}

TEST_P(Calls, ReliableRingingIsAcknowledged) {
    harness_.observer.on_arrival = [](Leg&) {};
    Client client(GetParam(), harness_.port(GetParam()));
    Caller caller(client);
    client.send(caller.request("INVITE", "Require: 100rel\r\n", kOffer));
    const std::string ringing = client.expect("SIP/2.0 180");
    caller.learn(ringing);
    const std::string rseq = header(ringing, "RSeq");
    ASSERT_NE(rseq, "");
    client.send(caller.request("PRACK", "RAck: " + rseq + " 99 INVITE\r\n"));
    EXPECT_NE(client.expect("SIP/2.0 481"), "");
    client.send(
        caller.request("PRACK", "RAck: " + rseq + " " + std::to_string(caller.invite_cseq) + " INVITE\r\n"));
    EXPECT_NE(client.expect("SIP/2.0 200").find("PRACK"), std::string::npos);
    const auto call = harness_.observer.wait();
    harness_.run([&] { call->leg->accept(); });
    EXPECT_NE(client.expect("SIP/2.0 200").find("INVITE"), std::string::npos);
}

TEST(Certificates, AreReloadedWithoutDroppingCalls) {
    Harness harness;
    Client old(Transport::tls, harness.port(Transport::tls));
    Caller caller(old);
    establish(old, caller);
    EXPECT_EQ(old.peer_name(), "first");
    replace_certificate_files(harness.tls, "second");
    Status reloaded = Error{"not run"};
    harness.run([&] { reloaded = harness.legs->reload_certificate(); });
    EXPECT_TRUE(reloaded.ok());
    EXPECT_EQ(Client(Transport::tls, harness.port(Transport::tls)).peer_name(), "second");
    std::fclose(std::fopen(harness.tls.private_key_file.c_str(), "w"));  // empty: refused, the old one stays
    harness.run([&] { reloaded = harness.legs->reload_certificate(); });
    EXPECT_FALSE(reloaded.ok());
    EXPECT_EQ(Client(Transport::tls, harness.port(Transport::tls)).peer_name(), "second");
    old.send(caller.request("BYE"));
    EXPECT_NE(old.expect("SIP/2.0 200"), "");
}

TEST(Stop, EndsCallsWithByeAndNewOnesAreRefused) {
    Harness harness;
    Client client(Transport::udp, harness.port(Transport::udp));
    Caller caller(client);
    establish(client, caller);
    ASSERT_TRUE(harness.observer.wait([](const auto& record) { return record.answered; }));
    harness.run([&] { harness.legs->refuse_new_calls(); });
    Caller late(client);
    client.send(late.request("INVITE", {}, kOffer));
    EXPECT_NE(client.expect("SIP/2.0 503"), "");
    harness.run([&] { harness.legs->stop(); });
    EXPECT_NE(client.expect("BYE "), "");
    EXPECT_EQ(harness.observer.ended(), 1U);
}

}  // namespace
}  // namespace vmr::sip::test
