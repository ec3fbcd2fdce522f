// Who is in the conference, told to a participant over real sockets: in the call's dialog and beside it; to
// nobody else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/scripted_peer.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::shared_ptr<const Conference> meeting(const std::vector<std::string>& names) {
    auto made = std::make_shared<Conference>();
    made->title = "Board";
    for (const std::string& name : names) {
        auto user = std::make_shared<ConferenceUser>();
        user->id = name;
        user->name = name;
        made->users.push_back(user);
    }
    return made;
}

const std::string kSubscribe = "Event: conference\r\nAccept: application/conference-info+xml\r\n";

class InConference : public ::testing::TestWithParam<Transport> {
protected:
    InConference() : client(GetParam(), harness.port(GetParam())), caller(client) {
        show(meeting({"Ada"}));
        client.send(caller.request("INVITE", "", kOffer));
        const std::string ok = client.expect("SIP/2.0 200");
        EXPECT_THAT(header(ok, "Contact"), HasSubstr(";isfocus"));
        EXPECT_THAT(header(ok, "Allow"), HasSubstr("SUBSCRIBE"));
        caller.learn(ok);
        client.send(caller.ack());
    }
    void show(std::shared_ptr<const Conference> conference) {
        harness.run([&] {
            harness.observer.conference = std::move(conference);
            if (const auto record = leg) {
                record->on_conference_changed();
            }
        });
    }
    std::string next_notify(Caller& of) {
        std::string notify = client.expect("NOTIFY ");
        client.send(of.answer(notify));
        return notify;
    }

    Harness harness;
    std::shared_ptr<Leg> leg;
    Client client;
    Caller caller;
};

INSTANTIATE_TEST_SUITE_P(Transports, InConference,
                         ::testing::Values(Transport::udp, Transport::tcp, Transport::tls),
                         [](const auto& info) { return std::string(uri_param(info.param)); });

TEST_P(InConference, TheRosterComesInTheCallsDialog) {
    leg = harness.observer.wait()->leg;
    client.send(caller.request("SUBSCRIBE", kSubscribe + "Expires: 600\r\n"));
    const std::string ok = client.expect("SIP/2.0 200");
    EXPECT_EQ(header(ok, "Expires"), "600");
    const std::string first = next_notify(caller);
    EXPECT_EQ(header(first, "Subscription-State"), "active;expires=600");
    EXPECT_EQ(header(first, "Content-Type"), "application/conference-info+xml");
    EXPECT_EQ(header(first, "Call-ID"), caller.call_id);
    EXPECT_THAT(first, HasSubstr("<display-text>Ada</display-text>"));
    show(meeting({"Ada", "Bob"}));
    const std::string second = next_notify(caller);
    EXPECT_THAT(second, HasSubstr("state=\"partial\" version=\"2\""));
    EXPECT_THAT(second, HasSubstr("Bob"));
    client.send(caller.request("SUBSCRIBE", kSubscribe + "Expires: 0\r\n"));
    EXPECT_EQ(header(client.expect("SIP/2.0 200"), "Expires"), "0");
    EXPECT_EQ(header(next_notify(caller), "Subscription-State"), "terminated;reason=timeout");
    client.send(caller.request("BYE"));
    EXPECT_FALSE(client.expect("SIP/2.0 200").empty());
}

TEST_P(InConference, TheEndOfTheCallEndsTheSubscription) {
    leg = harness.observer.wait([](const auto& record) { return record.answered; })->leg;
    client.send(caller.request("SUBSCRIBE", kSubscribe));
    (void)next_notify(caller);
    harness.run([&] { leg->end(EndCause::removed); });
    EXPECT_EQ(header(next_notify(caller), "Subscription-State"), "terminated;reason=noresource");
}

TEST_P(InConference, ADialogOfItsOwnBySameCallerOrByTheCallsTags) {
    leg = harness.observer.wait()->leg;
    Caller beside(client);
    client.send(beside.request("SUBSCRIBE", kSubscribe));
    const std::string ok = client.expect("SIP/2.0 200");
    beside.learn(ok);
    EXPECT_THAT(next_notify(beside), HasSubstr("Ada"));
    show(meeting({"Ada", "Bob"}));
    EXPECT_THAT(next_notify(beside), HasSubstr("Bob"));
    client.send(beside.request("SUBSCRIBE", kSubscribe));  // a refresh
    EXPECT_FALSE(client.expect("SIP/2.0 200").empty());
    EXPECT_THAT(next_notify(beside), HasSubstr("state=\"full\" version=\"3\""));
    client.send(beside.request("BYE"));
    EXPECT_FALSE(client.expect("SIP/2.0 405").empty());

    Client other(GetParam(), harness.port(GetParam()));
    Caller named(other, "elsewhere");
    other.send(named.request("SUBSCRIBE", kSubscribe + "Target-Dialog: " + caller.call_id + ";local-tag=" +
                                              caller.tag + ";remote-tag=" + caller.remote_tag + "\r\n"));
    EXPECT_FALSE(other.expect("SIP/2.0 200").empty());
    EXPECT_THAT(other.expect("NOTIFY "), HasSubstr("Bob"));
}

// Whom we called may name the call that we placed.
TEST(InPlacedCalls, ADialogOfItsOwnIsByTheCallsTags) {
    ScriptedPeer peer([](const std::string& request) {
        const std::string contact = "Contact: <sip:bob@127.0.0.1>\r\n";
        return request.starts_with("INVITE ")
                   ? std::vector<std::string>{response(request, 200, "peer", contact, kAnswer)}
                   : std::vector<std::string>{};
    });
    SipConfig config;
    DialRule rule;
    rule.name = "any";
    rule.domains = {"127.0.0.1"};
    config.dial.rules = {rule};
    Harness harness(std::move(config));
    harness.run([&] {
        harness.observer.conference = meeting({"Ada"});
        const auto plan = harness.legs->plan("sip:bob@127.0.0.1:" + std::to_string(peer.port()));
        ASSERT_TRUE(plan.ok());
        EXPECT_TRUE(harness.legs->dial({"out-1", *plan, "Board", "board"}));
    });
    const std::string invite = peer.expect("INVITE ");
    ASSERT_TRUE(harness.observer.wait([](const auto& record) { return record.answered; }));
    const std::string from = header(invite, "From");
    const auto subscribe = [&](const std::string& theirs) {
        return "SUBSCRIBE sip:board@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:" +
               std::to_string(peer.port()) + ";branch=z9hG4bK" + theirs +
               ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:other@x>;tag=1\r\nTo: "
               "<sip:board@127.0.0.1>\r\nCall-ID: s" +
               theirs + "\r\nCSeq: 1 SUBSCRIBE\r\nContact: <sip:other@127.0.0.1>\r\n" + kSubscribe +
               "Target-Dialog: " + header(invite, "Call-ID") + ";local-tag=" + theirs +
               ";remote-tag=" + from.substr(from.find(";tag=") + 5) + "\r\nContent-Length: 0\r\n\r\n";
    };
    ASSERT_TRUE(peer.send(subscribe("wrong")));
    EXPECT_NE(peer.expect("SIP/2.0 403"), "");
    ASSERT_TRUE(peer.send(subscribe("peer")));
    EXPECT_NE(peer.expect("SIP/2.0 200"), "");
    EXPECT_THAT(peer.expect("NOTIFY "), HasSubstr("Ada"));
}

TEST_P(InConference, NobodyElseIsTold) {
    Client other(GetParam(), harness.port(GetParam()));
    Caller stranger(other);
    for (const std::string& more : {std::string(), "Target-Dialog: " + caller.call_id +
                                                       ";local-tag=" + caller.tag + ";remote-tag=x\r\n"}) {
        other.send(stranger.request("SUBSCRIBE", kSubscribe + more));
        EXPECT_FALSE(other.expect("SIP/2.0 403").empty());
    }
    Caller renamed(client, "other");  // the way of the call, another room
    client.send(renamed.request("SUBSCRIBE", kSubscribe));
    EXPECT_FALSE(client.expect("SIP/2.0 403").empty());
}

TEST_P(InConference, OtherEventsAre489AndTooManySubscriptions403) {
    client.send(caller.request("SUBSCRIBE", "Event: presence\r\n"));
    EXPECT_EQ(header(client.expect("SIP/2.0 489"), "Allow-Events"), "conference");
    for (int i = 0; i < 3; ++i) {
        client.send(caller.request("SUBSCRIBE", "Event: conference;id=" + std::to_string(i) + "\r\n"));
        EXPECT_FALSE(client.expect("SIP/2.0 200").empty());
    }
    client.send(caller.request("SUBSCRIBE", "Event: conference;id=9\r\n"));
    EXPECT_FALSE(client.expect("SIP/2.0 403").empty());
}

}  // namespace
}  // namespace vmr::sip::test
