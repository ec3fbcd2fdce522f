// Resource-Priority (RFC 4412), pre-emption (RFC 4411) and marking: pure, then whole calls over real sockets.
#include "daemon/legs/sip/routing/precedence.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>

#include "tests/support/sip/fake_host.hpp"
#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/scripted_peer.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Precedence, EachNamespaceHasItsOrder) {
    EXPECT_EQ(rank_of("dsn.routine"), 0);
    EXPECT_EQ(rank_of("DSN.Flash-Override"), 4);
    EXPECT_EQ(rank_of("dsn.flash-override-override"), std::nullopt);
    EXPECT_EQ(rank_of("drsn.flash-override-override"), 5);
    EXPECT_EQ(rank_of("q735.4"), 0);
    EXPECT_EQ(rank_of("ets.0"), 4);
    EXPECT_EQ(rank_of("wps.9"), std::nullopt);
    EXPECT_EQ(rank_of("uc-000000.0"), 0);
    EXPECT_EQ(rank_of("uc-000000.2"), 1);
    EXPECT_EQ(rank_of("uc-000000.8"), 4);
    for (const char* bad :
         {"", ".", "uc-000000", "uc-000000.", "uc-000000.10", "uc-000000.-1", "uc-000000.x"}) {
        EXPECT_EQ(rank_of(bad), std::nullopt) << bad;
    }
}

TEST(Precedence, TheMarkingFollowsIt) {
    const std::vector<std::int64_t> voice{51, 39, 37, 35, 33};
    EXPECT_EQ(marking(voice, 0), 51);
    EXPECT_EQ(marking(voice, 4), 33);
    EXPECT_EQ(marking(voice, 9), 33);
    EXPECT_EQ(marking({40}, 3), 40);
    EXPECT_EQ(marking({}, 3), -1);
}

TEST(Precedence, TheLatestOfTheLowestGivesWay) {
    const std::vector<StandingCall> standing{
        {"a", 2, true, 1}, {"b", 1, true, 2}, {"c", 1, true, 3}, {"d", 0, false, 4}};
    EXPECT_TRUE(admit(standing, 5, 0, false).admitted);
    EXPECT_TRUE(admit(standing, 0, 0, false).admitted);
    EXPECT_FALSE(admit(standing, 4, 1, true).admitted);   // of its own precedence nobody goes
    EXPECT_FALSE(admit(standing, 4, 3, false).admitted);  // it may not
    const Admission flash = admit(standing, 4, 3, true);
    EXPECT_TRUE(flash.admitted);
    EXPECT_EQ(flash.gives_way, "c");
}

// Calls by an AS-SIP trunk; UDP, to see more of them.
class PrecedenceCalls : public ::testing::Test {
protected:
    explicit PrecedenceCalls(std::size_t max_calls = 1000) {
        TrunkConfig trunk{.name = "net", .sources = {"127.0.0.1"}, .numbers = {{"+1555", "team"}}};
        trunk.settings =
            *trunk_settings("as-sip", {{"tls", false},
                                       {"mutual_tls", false},
                                       {"max_calls", std::int64_t{2}},
                                       {"dscp_signalling", std::vector<std::int64_t>{40, 41, 42}}});
        SipConfig config;
        config.trunks = {trunk};
        config.max_calls = max_calls;
        harness_ = std::make_unique<Harness>(std::move(config));
        client_ = std::make_unique<Client>(Transport::udp, harness_->port(Transport::udp));
    }
    static std::string priority(const std::string& value) { return "Resource-Priority: " + value + "\r\n"; }
    // Answered, or the refusal.
    std::string call(Caller& caller, const std::string& extra) {
        client_->send(caller.request("INVITE", extra, kOffer));
        for (;;) {
            const std::string answer = client_->receive();
            if (answer.starts_with("SIP/2.0 1") || answer.starts_with("BYE ")) {
                pending_ = answer.starts_with("BYE ") ? answer : pending_;
                continue;
            }
            if (answer.starts_with("SIP/2.0 2")) {
                caller.learn(answer);
                client_->send(caller.ack());
            }
            return answer;
        }
    }
    std::unique_ptr<Harness> harness_;
    std::unique_ptr<Client> client_;
    std::string pending_;  // a BYE that came meanwhile
};

TEST_F(PrecedenceCalls, AFullTrunkTakesACallOfMorePrecedenceInPlaceOfTheLowest) {
    Caller routine(*client_, "+1555"), priority_call(*client_, "+1555"), another(*client_, "+1555"),
        flash(*client_, "+1555");
    EXPECT_THAT(call(priority_call, priority("uc-000000.2")), StartsWith("SIP/2.0 200"));
    EXPECT_THAT(call(routine, {}), StartsWith("SIP/2.0 200"));
    EXPECT_THAT(call(another, priority("uc-000000.0")), StartsWith("SIP/2.0 503"));
    EXPECT_THAT(call(flash, priority("uc-000000.6")), StartsWith("SIP/2.0 200"));
    const std::string bye = pending_.empty() ? client_->expect("BYE ") : pending_;
    EXPECT_EQ(header(bye, "Call-ID"), routine.call_id);
    EXPECT_EQ(header(bye, "Reason"), "preemption;cause=1;text=\"UA Preemption\"");
    client_->send(routine.answer(bye));
    EXPECT_TRUE(harness_->wait([&] { return harness_->observer.ended() == 1; }));
}

TEST_F(PrecedenceCalls, ACallThatStillRingsIsRefusedWithTheReason) {
    harness_->observer.on_arrival = [](Leg&) {};
    Caller first(*client_, "+1555"), second(*client_, "+1555"), third(*client_, "+1555");
    client_->send(first.request("INVITE", {}, kOffer));
    ASSERT_NE(client_->expect("SIP/2.0 180"), "");
    client_->send(second.request("INVITE", priority("uc-000000.4"), kOffer));
    ASSERT_NE(client_->expect("SIP/2.0 180"), "");
    client_->send(third.request("INVITE", priority("uc-000000.8"), kOffer));
    const std::string refusal = client_->expect("SIP/2.0 486");
    EXPECT_EQ(header(refusal, "Call-ID"), first.call_id);
    EXPECT_THAT(header(refusal, "Reason"), StartsWith("preemption"));
}

TEST_F(PrecedenceCalls, AnUnknownNamespaceIsRefusedOnlyUnderRequire) {
    Caller unknown(*client_, "+1555"), required(*client_, "+1555"), wrong(*client_, "+1555"),
        known(*client_, "+1555");
    const std::string require = "Require: resource-priority\r\n";
    EXPECT_THAT(call(unknown, priority("made-up.5")), StartsWith("SIP/2.0 200"));
    const std::string refusal = call(required, require + priority("made-up.5"));
    EXPECT_THAT(refusal, StartsWith("SIP/2.0 417"));
    EXPECT_EQ(header(refusal, "Accept-Resource-Priority"),
              "uc-000000.0, uc-000000.2, uc-000000.4, uc-000000.6, uc-000000.8");
    EXPECT_THAT(call(wrong, require + priority("uc-000000.77")), StartsWith("SIP/2.0 417"));
    EXPECT_THAT(call(known, require + priority("made-up.5, uc-000000.2")), StartsWith("SIP/2.0 200"));
}

TEST_F(PrecedenceCalls, ThePeersPreemptionIsTold) {
    Caller caller(*client_, "+1555");
    ASSERT_THAT(call(caller, {}), StartsWith("SIP/2.0 200"));
    client_->send(caller.request("BYE", "Reason: preemption;cause=5;text=\"Network Preemption\"\r\n"));
    EXPECT_TRUE(
        harness_->observer.wait([](const auto& record) { return record.ended == EndCause::preempted; }));
}

TEST_F(PrecedenceCalls, TheCallsMediaIsMarkedByItsPrecedence) {
    Caller caller(*client_, "+1555");
    ASSERT_THAT(call(caller, priority("uc-000000.4")), StartsWith("SIP/2.0 200"));
    const auto record = harness_->observer.wait([](const auto& seen) { return seen.answered; });
    ASSERT_TRUE(record);
    EXPECT_EQ(record->arrival.terms.audio_dscp, 37);
    EXPECT_EQ(record->arrival.terms.video_dscp, 37);
    EXPECT_TRUE(record->arrival.terms.srtp_required);
    EXPECT_EQ(record->arrival.kind, LegKind::sip);
}

TEST_F(PrecedenceCalls, WhoIsTurnedAwayEndsNobody) {
    Caller first(*client_, "+1555"), second(*client_, "+1555"), unknown(*client_, "+1555"),
        hasty(*client_, "+1555");
    ASSERT_THAT(call(first, {}), StartsWith("SIP/2.0 200"));
    ASSERT_THAT(call(second, {}), StartsWith("SIP/2.0 200"));
    EXPECT_THAT(call(hasty, priority("uc-000000.8") + "Supported: timer\r\nSession-Expires: 10\r\n"),
                StartsWith("SIP/2.0 422"));
    harness_->observer.known = false;
    EXPECT_THAT(call(unknown, priority("uc-000000.8")), StartsWith("SIP/2.0 404"));
    EXPECT_EQ(pending_, "");
    EXPECT_EQ(harness_->observer.ended(), 0U);
}

// A call that takes another's place needs none of its own.
std::string replaces(const Caller& caller) {
    return "Replaces: " + caller.call_id + ";to-tag=" + caller.remote_tag + ";from-tag=" + caller.tag +
           "\r\n";
}

TEST_F(PrecedenceCalls, AFullTrunkTakesACallInPlaceOfTheOneThatItReplaces) {
    Caller routine(*client_, "+1555"), held(*client_, "+1555"), successor(*client_, "+1555"),
        another(*client_, "+1555");
    ASSERT_THAT(call(routine, {}), StartsWith("SIP/2.0 200"));
    ASSERT_THAT(call(held, priority("uc-000000.2")), StartsWith("SIP/2.0 200"));
    EXPECT_THAT(call(successor, replaces(held) + priority("uc-000000.2")), StartsWith("SIP/2.0 200"));
    EXPECT_EQ(pending_, "") << "nobody else gives way";
    EXPECT_EQ(harness_->observer.wait()->arrival.replaces.empty(), false);
    EXPECT_THAT(call(another, {}), StartsWith("SIP/2.0 503"));
}

class FewCalls : public PrecedenceCalls {
protected:
    FewCalls() : PrecedenceCalls(1) {}
};

TEST_F(FewCalls, TheLimitOfAllCallsGivesWayToo) {
    Caller routine(*client_, "+1555"), flash(*client_, "+1555");
    ASSERT_THAT(call(routine, {}), StartsWith("SIP/2.0 200"));
    EXPECT_THAT(call(flash, priority("uc-000000.6")), StartsWith("SIP/2.0 200"));
    EXPECT_TRUE(harness_->wait([&] { return harness_->observer.ended() == 1; }));
}

TEST_F(FewCalls, TheLimitOfAllCallsHasAPlaceForWhoTakesAnothers) {
    Caller first(*client_, "+1555"), stranger(*client_, "+1555"), successor(*client_, "+1555");
    ASSERT_THAT(call(first, {}), StartsWith("SIP/2.0 200"));
    EXPECT_THAT(call(stranger, "Replaces: other;to-tag=a;from-tag=b\r\n"), StartsWith("SIP/2.0 503"));
    EXPECT_THAT(call(successor, replaces(first)), StartsWith("SIP/2.0 200"));
    EXPECT_EQ(harness_->observer.ended(), 0U) << "the room ends it";
}

// Who is known by credentials alone is asked for them where there is no place, and takes another's then.
TEST(FullBridges, ATrunkThatHasOnlyAPasswordPreempts) {
    TrunkConfig trunk{.name = "net", .user = "net", .secret = "s3cret", .numbers = {{"+1555", "team"}}};
    trunk.settings = *trunk_settings("as-sip", {{"tls", false}, {"mutual_tls", false}});
    SipConfig config;
    config.trunks = {trunk};
    config.max_calls = 1;
    Harness harness(std::move(config));
    Client client(Transport::tcp, harness.port(Transport::tcp));
    const auto invite = [&](Caller& caller, const std::string& extra) {
        client.send(caller.request("INVITE", extra, kOffer));
        std::string answer = client.receive();
        while (answer.starts_with("SIP/2.0 1") || answer.starts_with("BYE ")) {
            answer = client.receive();
        }
        return answer;
    };
    const auto credentials = [](const std::string& challenge) {
        const auto header =
            answer_challenge(read(challenge), {"net", "s3cret"}, "sip:+1555@vmr.test", "c0ffee");
        return header ? header->name + ": " + header->value + "\r\n" : std::string();
    };
    const std::string flash = "Resource-Priority: uc-000000.6\r\n";
    Caller routine(client, "+1555"), second(client, "+1555"), urgent(client, "+1555");
    std::string answer = invite(routine, credentials(invite(routine, {})));
    ASSERT_THAT(answer, StartsWith("SIP/2.0 200"));
    routine.learn(answer);
    client.send(routine.ack());
    ASSERT_TRUE(harness.observer.wait([](const auto& record) { return record.answered; }));
    EXPECT_THAT(invite(second, {}), StartsWith("SIP/2.0 503")) << "it would end nobody";
    answer = invite(urgent, flash);
    ASSERT_THAT(answer, StartsWith("SIP/2.0 407"));
    EXPECT_EQ(harness.observer.ended(), 0U);
    EXPECT_THAT(invite(urgent, flash + "Proxy-Authorization: Digest username=\"net\"\r\n"),
                StartsWith("SIP/2.0 407"));
    EXPECT_EQ(harness.observer.ended(), 0U);
    EXPECT_THAT(invite(urgent, flash + credentials(answer)), StartsWith("SIP/2.0 200"));
    EXPECT_TRUE(harness.wait([&] { return harness.observer.ended() == 1; }));
}

// The same for calls that we place.
TEST(FullBridges, ACallByATrunkThatIsPlacedPreempts) {
    ScriptedPeer peer([](const std::string&) { return std::vector<std::string>(); });
    std::vector<TrunkConfig> trunks;
    for (const auto& [name, precedence] :
         {std::pair("low", "uc-000000.0"), std::pair("high", "uc-000000.6")}) {
        TrunkConfig& trunk = trunks.emplace_back(TrunkConfig{.name = name});
        trunk.settings = *trunk_settings(
            "as-sip", {{"tls", false},
                       {"mutual_tls", false},
                       {"proxies", std::vector<std::string>{"sip:127.0.0.1:" + std::to_string(peer.port()) +
                                                            ";transport=udp"}},
                       {"precedence", std::string(precedence)}});
    }
    SipConfig config;
    config.trunks = trunks;
    config.dial.rules = {{.name = "low", .prefixes = {"+1"}, .trunk = "low"},
                         {.name = "high", .prefixes = {"+2"}, .trunk = "high"}};
    config.max_calls = 1;
    Harness harness(std::move(config));
    const auto dial = [&](const std::string& leg, const std::string& number) {
        bool placed = false;
        harness.run([&] {
            const Result<DialPlan> plan = harness.legs->plan(number);
            placed = plan && harness.legs->dial({leg, *plan, "Board", "board"}) != nullptr;
        });
        return placed;
    };
    EXPECT_TRUE(dial("out-1", "+1777"));
    EXPECT_FALSE(dial("out-2", "+1778"));
    EXPECT_TRUE(dial("out-3", "+2777"));
    EXPECT_TRUE(harness.wait([&] { return harness.observer.ended() == 1; }));
    EXPECT_FALSE(dial("out-4", "+2778"));
}

TEST(OtherCalls, WithoutSuchATrunkTheOptionIsUnsupported) {
    Harness harness;
    Client client(Transport::udp, harness.port(Transport::udp));
    Caller caller(client);
    client.send(
        caller.request("INVITE", "Require: resource-priority\r\nResource-Priority: dsn.flash\r\n", kOffer));
    EXPECT_EQ(header(client.expect("SIP/2.0 420"), "Unsupported"), "resource-priority");
}

std::vector<std::string> nothing(const std::string&) {
    return {};
}

// Of a TCP packet that came the receiver does not learn the marking; what the sending socket has, the kernel
// says.
int dscp_to(std::uint16_t port) {
    for (int descriptor = 3; descriptor < 1024; ++descriptor) {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        int octet = 0;
        socklen_t length = sizeof octet;
        if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
            address.sin_family == AF_INET && ntohs(address.sin_port) == port &&
            ::getsockopt(descriptor, IPPROTO_IP, IP_TOS, &octet, &length) == 0) {
            return octet >> 2;
        }
    }
    return -1;
}

// What the marking is on the wire: of requests that we begin, by precedence.
TEST(Marking, OfSignallingIsSeenOnTheWire) {
    const TlsConfig certificate = make_certificate("127.0.0.1");
    for (const TlsConfig* tls : {static_cast<const TlsConfig*>(nullptr), &certificate}) {
        ScriptedPeer peer(nothing, tls);
        TrunkConfig trunk{.name = "net"};
        trunk.settings = *trunk_settings(
            "as-sip",
            {{"tls", tls != nullptr},
             {"proxies", std::vector<std::string>{"sip:127.0.0.1:" + std::to_string(peer.port()) +
                                                  (tls != nullptr ? ";transport=tls" : ";transport=udp")}},
             {"options_interval", std::int64_t{60}},
             {"precedence", std::string("uc-000000.6")},
             {"dscp_signalling", std::vector<std::int64_t>{40, 41, 42, 43, 44}}});
        SipConfig config;
        config.trunks = {trunk};
        config.dial.rules = {{.name = "net", .prefixes = {"+1"}, .trunk = "net"}};
        config.stack.outbound.ca_file = certificate.certificate_chain_file;
        Harness harness(std::move(config));
        const auto dscp = [&] { return tls != nullptr ? dscp_to(peer.port()) : peer.dscp(); };
        ASSERT_NE(peer.expect("OPTIONS "), "");
        EXPECT_EQ(dscp(), 40);
        harness.run([&] {
            const Result<DialPlan> plan = harness.legs->plan("+1777");
            ASSERT_TRUE(plan.ok());
            EXPECT_TRUE(harness.legs->dial({"out-1", *plan, "Board", "board"}));
        });
        ASSERT_NE(peer.expect("INVITE "), "");
        EXPECT_EQ(dscp(), 43);
    }
}

// A response goes back along the way of its request, marked by the call's precedence.
TEST(Marking, OfResponsesToo) {
    ScriptedPeer peer(nothing);
    TrunkConfig trunk{.name = "net", .sources = {"127.0.0.1"}, .numbers = {{"+1555", "team"}}};
    trunk.settings = *trunk_settings(
        "as-sip", {{"tls", false},
                   {"mutual_tls", false},
                   {"options_interval", std::int64_t{60}},
                   {"proxies", std::vector<std::string>{"sip:127.0.0.1:" + std::to_string(peer.port()) +
                                                        ";transport=udp"}},
                   {"dscp_signalling", std::vector<std::int64_t>{40, 41, 42, 43, 44}}});
    SipConfig config;
    config.trunks = {trunk};
    Harness harness(std::move(config));
    ASSERT_NE(peer.expect("OPTIONS "), "");  // now the peer knows where we are
    const auto invite = [&](const std::string& id, const std::string& extra) {
        return "INVITE sip:+1555@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:" +
               std::to_string(peer.port()) + ";branch=z9hG4bK" + id +
               ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:+1@x>;tag=1\r\nTo: "
               "<sip:+1555@127.0.0.1>\r\nCall-ID: " +
               id + "\r\nCSeq: 1 INVITE\r\nContact: <sip:+1@127.0.0.1:" + std::to_string(peer.port()) +
               ">\r\n" + extra + "Content-Type: application/sdp\r\nContent-Length: " +
               std::to_string(std::string(kOffer).size()) + "\r\n\r\n" + kOffer;
    };
    ASSERT_TRUE(peer.send(invite("a", "Resource-Priority: uc-000000.8\r\n")));
    ASSERT_NE(peer.expect("SIP/2.0 200"), "");
    EXPECT_EQ(peer.dscp(), 44);
    ASSERT_TRUE(peer.send(invite("b", {})));
    ASSERT_NE(peer.expect("SIP/2.0 200"), "");
    EXPECT_EQ(peer.dscp(), 40);
}

}  // namespace
}  // namespace vmr::sip::test
