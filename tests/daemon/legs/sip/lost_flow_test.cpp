// Calls whose connection breaks, over real sockets on the loopback: their requests find another way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/support/sip/acceptor.hpp"
#include "tests/support/sip/dns_server.hpp"
#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/scripted_peer.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<Leg> establish(Harness& harness, Client& client, Caller& caller,
                               const std::string& extra = {}) {
    client.send(caller.request("INVITE", extra, kOffer));
    caller.learn(client.expect("SIP/2.0 200"));
    client.send(caller.ack());
    const auto call = harness.observer.wait([](const auto& record) { return record.answered; });
    return call ? call->leg : nullptr;
}

bool is_alone(Harness& harness) {
    return harness.wait([&] { return harness.legs->statistics().connections == 0; });
}

bool is_idle(Harness& harness) {
    return harness.wait([&] { return harness.legs->calls() == 0; });
}

class LostFlows : public ::testing::Test {
protected:
    // A caller by TCP that is up and has closed its connection; its Contact is `contact`.
    std::shared_ptr<Leg> call(const std::string& contact, const std::string& extra = {}) {
        client_ = std::make_unique<Client>(Transport::tcp, harness_.port(Transport::tcp));
        caller_ = std::make_unique<Caller>(*client_);
        caller_->contact = contact;
        auto leg = establish(harness_, *client_, *caller_, extra);
        ::shutdown(client_->descriptor(), SHUT_RDWR);
        EXPECT_TRUE(is_alone(harness_));
        return leg;
    }
    std::shared_ptr<Leg> dial(const std::string& id) {
        std::shared_ptr<Leg> leg;
        harness_.run([&] {
            const auto plan = harness_.legs->plan("sip:bob@127.0.0.1:" + std::to_string(acceptor_.port()) +
                                                  ";transport=tcp");
            ASSERT_TRUE(plan.ok()) << plan.error();
            leg = harness_.legs->dial({id, *plan, "Board", "board", {}});
        });
        return leg;
    }
    // The acceptor's port was tried, and nobody was there.
    bool was_tried() {
        const auto probe = dial("probe");
        const auto ended =
            harness_.observer.wait([](const auto& record) { return record.ended.has_value(); });
        return ended && ended->ended == EndCause::unreachable;
    }
    static SipConfig config() {
        SipConfig config;
        DialRule rule;
        rule.name = "loopback";
        rule.domains = {"127.0.0.1"};
        config.dial.rules = {rule};
        return config;
    }
    Harness harness_{config()};
    Acceptor acceptor_;
    std::unique_ptr<Client> client_;
    std::unique_ptr<Caller> caller_;
};

TEST_F(LostFlows, TheByeGoesToWhereTheCallerListens) {
    const auto leg = call(acceptor_.contact());
    harness_.run([&] { leg->end(EndCause::removed); });
    const auto back = acceptor_.accept();
    ASSERT_TRUE(back);
    const std::string bye = back->expect("BYE ");
    ASSERT_NE(bye, "");
    EXPECT_THAT(header(bye, "Via"),
                HasSubstr("TCP 127.0.0.1:" + std::to_string(harness_.port(Transport::tcp))));
    back->send(caller_->answer(bye));
    EXPECT_TRUE(is_idle(harness_));
}

TEST_F(LostFlows, TheDialogKeepsTheNewConnection) {
    const auto leg = call(acceptor_.contact());
    harness_.run([&] { leg->renegotiate(); });
    const auto back = acceptor_.accept();
    ASSERT_TRUE(back);
    const std::string invite = back->expect("INVITE ");
    ASSERT_NE(invite, "");
    back->send(caller_->answer(invite, {}, kAnswer));
    EXPECT_NE(back->expect("ACK "), "");
    harness_.run([&] { leg->end(EndCause::removed); });
    EXPECT_NE(back->expect("BYE "), "");
    EXPECT_FALSE(acceptor_.accept(0)) << "one connection does";
}

TEST_F(LostFlows, ARequestThatMayNotHaveArrivedGoesOutAgain) {
    auto client = std::make_unique<Client>(Transport::tcp, harness_.port(Transport::tcp));
    Caller caller(*client);
    caller.contact = acceptor_.contact();
    const auto leg = establish(harness_, *client, caller);
    harness_.run([&] { leg->renegotiate(); });
    const std::string first = client->expect("INVITE ");
    ::shutdown(client->descriptor(), SHUT_RDWR);
    const auto back = acceptor_.accept();
    ASSERT_TRUE(back);
    EXPECT_EQ(back->expect("INVITE "), first);
}

TEST_F(LostFlows, WhereNobodyListenedIsTriedAgain) {
    const auto leg = call(acceptor_.contact());
    acceptor_.stop();
    harness_.run([&] { leg->renegotiate(); });
    ASSERT_TRUE(was_tried());
    acceptor_.listen();
    const auto back = acceptor_.accept();
    ASSERT_TRUE(back);
    EXPECT_NE(back->expect("INVITE "), "");
}

TrunkConfig carrier() {
    TrunkConfig trunk;
    trunk.name = "carrier";
    trunk.sources = {"127.0.0.1"};
    trunk.numbers = {{"+4930123", "room"}};
    return trunk;
}

// Its Contact cannot be called, nor was the trunk's proxy there.
TEST_F(LostFlows, WhatWaitsGoesOutWhenTheTrunkComesUp) {
    SipConfig config;
    TrunkConfig trunk = carrier();
    config.trunks = {trunk};
    Harness harness(std::move(config));
    auto client = std::make_unique<Client>(Transport::tcp, harness.port(Transport::tcp));
    Caller caller(*client, "+4930123");
    caller.contact = "<sip:192.0.2.1;transport=tcp>";
    const auto leg = establish(harness, *client, caller);
    ::shutdown(client->descriptor(), SHUT_RDWR);
    ASSERT_TRUE(is_alone(harness));
    trunk.settings.proxies = {"sip:127.0.0.1:" + std::to_string(acceptor_.port()) + ";transport=tcp"};
    trunk.settings.options_interval = 60;
    harness.run([&] {
        leg->renegotiate();
        ASSERT_TRUE(harness.legs->set_trunks({trunk}).ok());
    });
    const auto proxy = acceptor_.accept();
    ASSERT_TRUE(proxy);
    proxy->send(response(proxy->expect("OPTIONS "), 200));
    EXPECT_NE(proxy->expect("INVITE "), "");
}

TEST_F(LostFlows, TheRouteIsFollowed) {
    const auto leg = call("<sip:alice@192.0.2.1:5070;transport=tcp>",
                          "Record-Route: <sip:127.0.0.1:" + std::to_string(acceptor_.port()) +
                              ";transport=tcp;lr>, <sip:192.0.2.1;lr>\r\n");
    harness_.run([&] { leg->end(EndCause::removed); });
    const auto back = acceptor_.accept();
    ASSERT_TRUE(back);
    EXPECT_THAT(back->expect("BYE "), HasSubstr("BYE sip:alice@192.0.2.1:5070"));
}

TEST_F(LostFlows, NobodyElseIsCalled) {
    for (const char* host : {"localhost", "127.0.0.2", "first"}) {
        const auto leg = call(acceptor_.contact(host));
        harness_.run([&] { leg->end(EndCause::removed); });
        EXPECT_FALSE(acceptor_.accept(50)) << host;
    }
    EXPECT_EQ(harness_.legs->statistics().connections, 0);
}

TEST_F(LostFlows, WhatWaitsGoesOutWhenTheCallerComesBack) {
    const auto leg = call(acceptor_.contact("localhost"));
    harness_.run([&] { leg->renegotiate(); });
    Client again(Transport::tcp, harness_.port(Transport::tcp));
    again.send(caller_->request("INFO", {}, "7", "application/dtmf"));
    EXPECT_NE(again.expect("INVITE "), "");
}

// Its Contact cannot be called: the answer's way is the only one.
TEST_F(LostFlows, WhereAnAnswerComesByIsAcknowledgedAndKept) {
    auto client = std::make_unique<Client>(Transport::tcp, harness_.port(Transport::tcp));
    Caller caller(*client);
    caller.contact = acceptor_.contact("localhost");
    const auto leg = establish(harness_, *client, caller);
    harness_.run([&] { leg->renegotiate(); });
    const std::string invite = client->expect("INVITE ");
    ASSERT_NE(invite, "");
    ::shutdown(client->descriptor(), SHUT_RDWR);
    ASSERT_TRUE(is_alone(harness_));
    Client other(Transport::tcp, harness_.port(Transport::tcp));
    other.send(caller.answer(invite, {}, kAnswer));
    EXPECT_NE(other.expect("ACK "), "");
    harness_.run([&] { leg->end(EndCause::removed); });
    EXPECT_NE(other.expect("BYE "), "");
}

TEST_F(LostFlows, AnAnswerThatIsNotAcknowledgedIsRepeatedByAnotherWay) {
    Client client(Transport::tcp, harness_.port(Transport::tcp));
    Caller caller(client);
    caller.contact = acceptor_.contact();
    client.send(caller.request("INVITE", {}, kOffer));
    const std::string ok = client.expect("SIP/2.0 200");
    ASSERT_NE(ok, "");
    ::shutdown(client.descriptor(), SHUT_RDWR);
    const auto back = acceptor_.accept();
    ASSERT_TRUE(back);
    EXPECT_EQ(back->expect("SIP/2.0 200"), ok);
    caller.learn(ok);
    back->send(caller.ack());
    EXPECT_TRUE(harness_.observer.wait([](const auto& record) { return record.answered; }));
}

TEST_F(LostFlows, AnAnswerThatIsRepeatedByAnotherWayIsAcknowledgedThere) {
    std::shared_ptr<Leg> leg = dial("out-1");
    const auto callee = acceptor_.accept();
    ASSERT_TRUE(callee);
    const std::string ok =
        response(callee->expect("INVITE "), 200, "callee", "Contact: <sip:bob@192.0.2.1>\r\n", kAnswer);
    callee->send(ok);
    const std::string ack = callee->expect("ACK ");
    ASSERT_NE(ack, "");
    ::shutdown(callee->descriptor(), SHUT_RDWR);
    ASSERT_TRUE(is_alone(harness_));
    Client other(Transport::tcp, harness_.port(Transport::tcp));
    other.send(ok);
    EXPECT_EQ(other.expect("ACK "), ack);
}

// A way that is gone is seen to be so after the other side came by another.
TEST_F(LostFlows, WhatWasLeftBehindGoesOutWhereTheDialogWentOn) {
    auto client = std::make_unique<Client>(Transport::tcp, harness_.port(Transport::tcp));
    Caller caller(*client);
    const auto leg = establish(harness_, *client, caller);
    harness_.run([&] { leg->renegotiate(); });
    const std::string first = client->expect("INVITE ");
    ASSERT_NE(first, "");
    Client other(Transport::tcp, harness_.port(Transport::tcp));
    other.send(caller.request("INFO", {}, "7", "application/dtmf"));
    ASSERT_NE(other.expect("SIP/2.0 200"), "");
    Client third(Transport::tcp, harness_.port(Transport::tcp));
    third.send(caller.request("INFO", {}, "8", "application/dtmf"));
    ASSERT_NE(third.expect("SIP/2.0 200"), "");
    ::shutdown(client->descriptor(), SHUT_RDWR);
    EXPECT_EQ(third.expect("INVITE "), first);
}

TEST_F(LostFlows, WhoClosesEachConnectionIsNotCalledForEver) {
    const auto leg = call(acceptor_.contact());
    harness_.run([&] { leg->end(EndCause::removed); });
    for (int count = 0; count < 2; ++count) {
        const auto back = acceptor_.accept();
        ASSERT_TRUE(back);
        EXPECT_NE(back->expect("BYE "), "");
    }
    EXPECT_TRUE(is_alone(harness_));
    EXPECT_FALSE(acceptor_.accept(100));
}

TEST_F(LostFlows, OfATrunkTheRouteMayBeAName) {
    SipConfig config;
    config.trunks = {carrier()};
    Harness harness(std::move(config));
    auto client = std::make_unique<Client>(Transport::tcp, harness.port(Transport::tcp));
    Caller caller(*client, "+4930123");
    const auto leg = establish(harness, *client, caller,
                               "Record-Route: <sip:edge.carrier.example:" + std::to_string(acceptor_.port()) +
                                   ";transport=tcp;lr>\r\n");
    ::shutdown(client->descriptor(), SHUT_RDWR);
    ASSERT_TRUE(is_alone(harness));
    harness.run([&] { leg->end(EndCause::removed); });
    const auto back = acceptor_.accept();
    ASSERT_TRUE(back);
    EXPECT_NE(back->expect("BYE "), "");
}

TEST_F(LostFlows, WhoComesInTheClearInACallOverTlsIsAnsweredThereAndNotFollowed) {
    Client client(Transport::tls, harness_.port(Transport::tls));
    Caller caller(client);
    const auto leg = establish(harness_, client, caller);
    Client other(Transport::udp, harness_.port(Transport::udp));
    other.send(caller.request("INFO", {}, "7", "application/dtmf"));
    EXPECT_NE(other.expect("SIP/2.0 200"), "");
    harness_.run([&] { leg->end(EndCause::removed); });
    EXPECT_NE(client.expect("BYE "), "");
}

// A certificate of nobody at that address: no request goes out, and none by less than TLS.
TEST_F(LostFlows, OverTlsTheCertificateMustBeTheAddresss) {
    SipConfig config;
    const TlsConfig certificate = make_certificate("phone.example");
    config.stack.outbound.ca_file = certificate.certificate_chain_file;
    Harness harness(std::move(config));
    ScriptedPeer listens([](const std::string&) { return std::vector<std::string>(); }, &certificate);
    auto client = std::make_unique<Client>(Transport::tls, harness.port(Transport::tls));
    Caller caller(*client);
    caller.contact = "<sip:alice@127.0.0.1:" + std::to_string(listens.port()) + ";transport=tls>";
    const auto leg = establish(harness, *client, caller);
    ::shutdown(client->descriptor(), SHUT_RDWR);
    ASSERT_TRUE(is_alone(harness));
    harness.run([&] { leg->end(EndCause::removed); });
    ASSERT_TRUE(harness.wait([&] { return harness.legs->statistics().handshakes_failed > 0; }));
    EXPECT_EQ(listens.count("BYE "), 0U);
}

// The name that was dialled is who is called again: not its Contact.
TEST(LostFlowsOfPlacedCalls, TheSameServerIsCalledAgain) {
    const TlsConfig certificate = make_certificate("pbx.example");
    ScriptedPeer callee(
        [](const std::string& request) -> std::vector<std::string> {
            if (request.starts_with("ACK ")) {
                return {};
            }
            const bool invite = request.starts_with("INVITE ");
            return {
                response(request, 200, "callee", "Contact: <sip:bob@192.0.2.1>\r\n", invite ? kAnswer : "")};
        },
        &certificate);
    DnsServer dns;
    dns.set(RecordType::a, "pbx.example", {{.text = "127.0.0.1"}});
    SipConfig config;
    config.stack.outbound.name_servers = {dns.address()};
    config.stack.outbound.ca_file = certificate.certificate_chain_file;
    DialRule rule;
    rule.name = "any";
    rule.domains = {"pbx.example"};
    config.dial.rules = {rule};
    Harness harness(std::move(config));
    std::shared_ptr<Leg> leg;
    harness.run([&] {
        const auto plan =
            harness.legs->plan("sip:bob@pbx.example:" + std::to_string(callee.port()) + ";transport=tls");
        ASSERT_TRUE(plan.ok());
        leg = harness.legs->dial({"out-1", *plan, "Board", "board", {}});
    });
    ASSERT_TRUE(harness.observer.wait([](const auto& record) { return record.answered; }));
    ASSERT_NE(callee.expect("ACK "), "");
    callee.hang_up();
    ASSERT_TRUE(is_alone(harness));
    harness.run([&] { leg->end(EndCause::removed); });
    EXPECT_THAT(callee.expect("BYE "), HasSubstr("BYE sip:bob@192.0.2.1 "));
}

}  // namespace
}  // namespace vmr::sip::test
