// Calls that we place, over real sockets on the loopback: to another SipLegs, to nobody, to a host that has
// two servers of which one is dead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/sip/dns_server.hpp"
#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/scripted_peer.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::HasSubstr;

class PlacedCalls : public ::testing::TestWithParam<Transport> {
protected:
    PlacedCalls() {
        dns_.set(RecordType::a, "first", {{.text = "127.0.0.1"}});
        SipConfig config;
        for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls}) {
            config.stack.listen.push_back({transport, {"127.0.0.1", 0}});
        }
        config.stack.listen.push_back({Transport::udp, {"::1", 0}});
        config.stack.outbound.name_servers = {dns_.address()};
        config.stack.outbound.ca_file = callee_.tls.certificate_chain_file;
        config.stack.outbound.open_timeout_ms = 10000;
        DialRule rule;
        rule.name = "any";
        rule.domains = {"first", "nowhere", "two", "127.0.0.1"};
        config.dial.rules = {rule};
        config.dial.ring_timeout = std::chrono::seconds(20);
        caller_ = std::make_unique<Harness>(std::move(config));
    }
    std::string uri(Transport transport) const {
        return "sip:Team@first:" + std::to_string(callee_.port(transport)) +
               ";transport=" + uri_param(transport);
    }
    std::shared_ptr<Leg> dial(const std::string& address) {
        std::shared_ptr<Leg> leg;
        caller_->run([&] {
            const Result<DialPlan> plan = caller_->legs->plan(address);
            if (plan) {
                leg = caller_->legs->dial({"out-1", *plan, "Board", "board"});
            }
        });
        return leg;
    }
    bool idle() {
        return caller_->wait([&] { return caller_->legs->calls() == 0; });
    }

    DnsServer dns_;
    Harness callee_;
    std::unique_ptr<Harness> caller_;
};

INSTANTIATE_TEST_SUITE_P(Transports, PlacedCalls,
                         ::testing::Values(Transport::udp, Transport::tcp, Transport::tls),
                         [](const auto& info) { return std::string(uri_param(info.param)); });

TEST_P(PlacedCalls, IsAnsweredAndTheCalleeHangsUp) {
    ASSERT_TRUE(dial(uri(GetParam())));
    const auto ours = caller_->observer.wait([](const auto& record) { return record.answered; });
    ASSERT_TRUE(ours);
    EXPECT_THAT(ours->media->answers, ::testing::ElementsAre(kAnswer));
    EXPECT_EQ(ours->progress, "ringing ");
    EXPECT_EQ(ours->arrival.signalling.starts_with("TLSv1."), GetParam() == Transport::tls);
    const auto theirs = callee_.observer.wait([](const auto& record) { return record.answered; });
    ASSERT_TRUE(theirs);
    EXPECT_EQ(theirs->arrival.alias, "team");
    EXPECT_EQ(theirs->arrival.display_name, "Board");
    callee_.run([&] { theirs->leg->end(EndCause::hangup); });
    const auto ended = caller_->observer.wait([](const auto& record) { return record.ended.has_value(); });
    ASSERT_TRUE(ended);
    EXPECT_EQ(*ended->ended, EndCause::hangup);
    EXPECT_EQ(caller_->observer.ended(), 1U);
}

TEST_P(PlacedCalls, WeHangUp) {
    const auto leg = dial(uri(GetParam()));
    ASSERT_TRUE(caller_->observer.wait([](const auto& record) { return record.answered; }));
    caller_->run([&] { leg->end(EndCause::removed); });
    ASSERT_TRUE(callee_.observer.wait([](const auto& record) { return record.ended == EndCause::hangup; }));
    EXPECT_TRUE(callee_.wait([&] { return callee_.legs->calls() == 0; }));
}

TEST_P(PlacedCalls, IsCancelledWhileItRings) {
    callee_.observer.on_arrival = [](Leg&) {};
    const auto leg = dial(uri(GetParam()));
    ASSERT_TRUE(caller_->observer.wait([](const auto& record) { return !record.progress.empty(); }));
    caller_->run([&] { leg->end(EndCause::removed); });
    EXPECT_TRUE(
        callee_.observer.wait([](const auto& record) { return record.ended == EndCause::cancelled; }));
    EXPECT_TRUE(caller_->observer.wait([](const auto& record) { return record.ended == EndCause::removed; }));
}

TEST_P(PlacedCalls, IsRefusedWithACause) {
    callee_.observer.on_arrival = [](Leg& leg) { leg.refuse(EndCause::busy); };
    ASSERT_TRUE(dial(uri(GetParam())));
    const auto ended = caller_->observer.wait([](const auto& record) { return record.ended.has_value(); });
    ASSERT_TRUE(ended);
    EXPECT_EQ(*ended->ended, EndCause::busy);
    EXPECT_EQ(ended->turned_down.status, 486);
    EXPECT_EQ(ended->turned_down.text, "486 Busy Here; Q.850 17 user busy");
}

class OtherPlacedCalls : public PlacedCalls {};
INSTANTIATE_TEST_SUITE_P(Udp, OtherPlacedCalls, ::testing::Values(Transport::udp));

TEST_P(OtherPlacedCalls, AnUnknownHostEndsTheCall) {
    ASSERT_TRUE(dial("sip:a@nowhere"));
    const auto ended = caller_->observer.wait([](const auto& record) { return record.ended.has_value(); });
    ASSERT_TRUE(ended);
    EXPECT_EQ(*ended->ended, EndCause::unreachable);
    EXPECT_EQ(ended->turned_down.text, "unknown host; Q.850 3 no route to destination");
    EXPECT_TRUE(idle());
}

TEST_P(OtherPlacedCalls, ADeadServerGivesWayToTheNext) {
    dns_.set(RecordType::srv, "_sip._tcp.two",
             {{.text = "dead", .order = 1, .port = 1},
              {.text = "alive", .order = 2, .port = callee_.port(Transport::tcp)}});
    dns_.set(RecordType::a, "dead", {{.text = "127.0.0.1"}});
    dns_.set(RecordType::a, "alive", {{.text = "127.0.0.1"}});
    ASSERT_TRUE(dial("sip:a@two;transport=tcp"));
    EXPECT_TRUE(caller_->observer.wait([](const auto& record) { return record.answered; }));
}

TEST_P(OtherPlacedCalls, EachServerIsOfferedMediaThatItCanReach) {
    ScriptedPeer overloaded([](const std::string& request) {
        return request.starts_with("INVITE") ? std::vector{response(request, 503)}
                                             : std::vector<std::string>();
    });
    SipConfig config;
    config.stack.listen = {{Transport::udp, {"::1", 0}}};
    Harness other(std::move(config));
    dns_.set(RecordType::srv, "_sip._udp.two",
             {{.text = "old", .order = 1, .port = overloaded.port()},
              {.text = "new", .order = 2, .port = other.port(Transport::udp)}});
    dns_.set(RecordType::a, "old", {{.text = "127.0.0.1"}});
    dns_.set(RecordType::aaaa, "new", {{.text = "::1"}});
    ASSERT_TRUE(dial("sip:a@two;transport=udp"));
    EXPECT_THAT(overloaded.expect("INVITE"), HasSubstr("c=IN IP4 127.0.0.1"));
    const auto theirs = other.observer.wait([](const auto& record) { return record.answered; });
    ASSERT_TRUE(theirs);
    EXPECT_THAT(theirs->arrival.offer, HasSubstr("c=IN IP6 ::1"));
}

TEST_P(OtherPlacedCalls, AnothersCertificateEndsTheCall) {
    dns_.set(RecordType::a, "two", {{.text = "127.0.0.1"}});  // the certificate is "first"'s
    ASSERT_TRUE(dial("sips:a@two:" + std::to_string(callee_.port(Transport::tls))));
    const auto ended = caller_->observer.wait([](const auto& record) { return record.ended.has_value(); });
    ASSERT_TRUE(ended);
    EXPECT_EQ(*ended->ended, EndCause::unreachable);
    EXPECT_THAT(ended->turned_down.text, HasSubstr("certificate"));
    EXPECT_EQ(callee_.observer.arrivals(), 0U);
}

TEST_P(OtherPlacedCalls, EndsWhenItIsTakenBackWhileTheNameIsLookedUp) {
    dns_.ignore("nowhere");
    const auto leg = dial("sip:a@nowhere");
    ASSERT_TRUE(leg);
    caller_->run([&] { leg->end(EndCause::removed); });
    EXPECT_TRUE(idle());
    EXPECT_EQ(caller_->observer.ended(), 1U);
}

TEST_P(OtherPlacedCalls, NothingIsDialledWithoutARule) {
    EXPECT_FALSE(dial("sip:a@elsewhere"));
    EXPECT_FALSE(dial("+493012345"));
}

}  // namespace
}  // namespace vmr::sip::test
