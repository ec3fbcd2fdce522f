// Transfers over real sockets: REFER that comes and that we send, and calls that take another's place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/legs/sip/dialog/invitation.hpp"
#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/scripted_peer.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

SipConfig with_referrals(bool referrals) {
    SipConfig config;
    config.dial.referrals = referrals;
    return config;
}

class Transfers : public ::testing::TestWithParam<Transport> {
protected:
    explicit Transfers(bool referrals = true)
        : harness(with_referrals(referrals)), client(GetParam(), harness.port(GetParam())), caller(client) {
        call(client, caller, "Allow: INVITE, ACK, BYE, REFER\r\n");
        leg = harness.observer.wait([](const auto& record) { return record.answered; })->leg;
    }
    std::string call(Client& from, Caller& by, const std::string& extra) {
        from.send(by.request("INVITE", extra, kOffer));
        const std::string ok = from.expect("SIP/2.0 200");
        by.learn(ok);
        from.send(by.ack());
        return ok;
    }
    std::string next_notify() {
        std::string notify = client.expect("NOTIFY ");
        client.send(caller.answer(notify));
        return notify;
    }
    std::string replaces(const std::string& more = {}) const {
        return "Replaces: " + caller.call_id + ";to-tag=" + caller.remote_tag + ";from-tag=" + caller.tag +
               more + "\r\n";
    }

    Harness harness;
    Client client;
    Caller caller;
    std::shared_ptr<Leg> leg;
};

INSTANTIATE_TEST_SUITE_P(Transports, Transfers,
                         ::testing::Values(Transport::udp, Transport::tcp, Transport::tls),
                         [](const auto& info) { return std::string(uri_param(info.param)); });

// Where there are too many calls it would end for the one that it asks for.
TEST_P(Transfers, WhoHasNotAcknowledgedTransfersNobody) {
    Caller other(client);
    client.send(other.request("INVITE", {}, kOffer));
    other.learn(client.expect("SIP/2.0 200"));
    client.send(other.request("REFER", "Refer-To: <sip:bob@b.example>\r\n"));
    EXPECT_FALSE(client.expect("SIP/2.0 603").empty());
    client.send(other.ack());
    client.send(other.request("REFER", "Refer-To: <sip:bob@b.example>\r\n"));
    EXPECT_FALSE(client.expect("SIP/2.0 202").empty());
}

TEST_P(Transfers, AReferIsCarriedOutAndFollowed) {
    client.send(caller.request("REFER", "Refer-To: <sip:bob@b.example>\r\n"));
    EXPECT_FALSE(client.expect("SIP/2.0 202").empty());
    const std::string first = next_notify();
    EXPECT_EQ(header(first, "Event"), "refer");
    EXPECT_EQ(header(first, "Subscription-State"), "active;expires=300");
    EXPECT_EQ(header(first, "Content-Type"), "message/sipfrag;version=2.0");
    EXPECT_THAT(first, HasSubstr("\r\n\r\nSIP/2.0 100 Trying\r\n"));
    ASSERT_EQ(harness.observer.referrals().size(), 1U);
    const Referral referral = harness.observer.referrals()[0];
    EXPECT_EQ(referral.address, "sip:bob@b.example");
    // A second one has to wait.
    client.send(caller.request("REFER", "Refer-To: <sip:cy@b.example>\r\n"));
    EXPECT_FALSE(client.expect("SIP/2.0 603").empty());
    harness.run([&] { referral.on_status(180, ""); });
    EXPECT_THAT(next_notify(), HasSubstr("SIP/2.0 180 Ringing\r\n"));
    harness.run([&] { referral.on_status(486, ""); });
    const std::string last = next_notify();
    EXPECT_THAT(last, HasSubstr("SIP/2.0 486 Busy Here\r\n"));
    EXPECT_EQ(header(last, "Subscription-State"), "terminated;reason=noresource");
    client.send(caller.request("REFER", "Refer-To: <sip:cy@b.example>\r\n"));
    EXPECT_FALSE(client.expect("SIP/2.0 202").empty());
    EXPECT_EQ(header(next_notify(), "Event"), "refer;id=" + std::to_string(caller.cseq));
}

TEST_P(Transfers, AReferThatFailsAtOnceIsToldAfterTheAnswer) {
    client.send(caller.request("REFER", "Refer-To: <sip:bob@b.example>\r\nRefer-Sub: false\r\n"));
    EXPECT_EQ(header(client.expect("SIP/2.0 202"), "Refer-Sub"), "false");
    harness.run([&] { harness.observer.referrals()[0].on_status(200, ""); });
    harness.observer.refers = false;
    client.send(caller.request("REFER", "Refer-To: <sip:bob@b.example>\r\n"));
    EXPECT_FALSE(client.expect("SIP/2.0 603").empty());
    client.send(caller.request("SUBSCRIBE", "Event: refer\r\n"));
    EXPECT_FALSE(client.expect("SIP/2.0 403").empty());
    client.send(caller.request("BYE"));
    EXPECT_FALSE(client.expect("SIP/2.0 200").empty());  // and no NOTIFY before it
}

TEST_P(Transfers, ASubscriberToAReferMayLeave) {
    client.send(caller.request("REFER", "Refer-To: <sip:bob@b.example>\r\n"));
    EXPECT_FALSE(client.expect("SIP/2.0 202").empty());
    (void)next_notify();
    client.send(caller.request("SUBSCRIBE", "Event: refer\r\nExpires: 0\r\n"));
    EXPECT_FALSE(client.expect("SIP/2.0 200").empty());
    EXPECT_EQ(header(next_notify(), "Subscription-State"), "terminated;reason=timeout");
}

// One at a time, whether or not anybody listens to how it goes.
TEST_P(Transfers, AReferWaitsForTheOneThatNobodyFollows) {
    const auto refer = [&](const std::string& extra) {
        client.send(caller.request("REFER", "Refer-To: <sip:bob@b.example>\r\n" + extra));
        std::string answer = client.receive();
        while (!answer.starts_with("SIP/2.0 ")) {
            client.send(caller.answer(answer));  // a NOTIFY
            answer = client.receive();
        }
        return answer.substr(8, 3);
    };
    EXPECT_EQ(refer("Refer-Sub: false\r\n"), "202");
    EXPECT_EQ(refer(""), "603");
    harness.run([&] { harness.observer.referrals()[0].on_status(180, ""); });
    EXPECT_EQ(refer(""), "603");
    harness.run([&] { harness.observer.referrals()[0].on_status(486, ""); });
    EXPECT_EQ(refer(""), "202");
    const std::string event = "Event: refer;id=" + std::to_string(caller.cseq) + "\r\n";
    (void)next_notify();
    client.send(caller.request("SUBSCRIBE", event + "Expires: 3600\r\n"));
    EXPECT_EQ(header(client.expect("SIP/2.0 200"), "Expires"), "300");
    (void)next_notify();
    client.send(caller.request("SUBSCRIBE", event + "Expires: 0\r\n"));
    (void)next_notify();
    EXPECT_EQ(refer(""), "603");
    harness.run([&] { harness.observer.referrals()[1].on_status(200, ""); });
    EXPECT_EQ(refer(""), "202");
}

class NoTransfers : public Transfers {
protected:
    NoTransfers() : Transfers(false) {}
};
INSTANTIATE_TEST_SUITE_P(Udp, NoTransfers, ::testing::Values(Transport::udp));

TEST_P(NoTransfers, AreNotAllowed) {
    client.send(caller.request("REFER", "Refer-To: <sip:bob@b.example>\r\n"));
    EXPECT_THAT(header(client.expect("SIP/2.0 405"), "Allow"), Not(HasSubstr("REFER")));
    EXPECT_TRUE(harness.observer.referrals().empty());
}

TEST_P(Transfers, WeAskThePeerToCallElsewhere) {
    std::vector<int> told;
    const auto transfer = [&] {
        bool sent = false;
        harness.run([&] {
            sent = leg->transfer("sip:bob@b.example",
                                 [&](int status, const std::string&) { told.push_back(status); })
                       .ok();
        });
        return sent;
    };
    ASSERT_TRUE(transfer());
    EXPECT_FALSE(transfer());  // one at a time
    const std::string refer = client.expect("REFER ");
    EXPECT_EQ(header(refer, "Refer-To"), "<sip:bob@b.example>");
    client.send(caller.answer(refer));
    for (const char* line : {"SIP/2.0 180 Ringing", "SIP/2.0 200 OK"}) {
        client.send(caller.request("NOTIFY", "Event: refer\r\nSubscription-State: active;expires=60\r\n",
                                   line, "message/sipfrag"));
        EXPECT_FALSE(client.expect("SIP/2.0 200").empty());
    }
    EXPECT_TRUE(harness.wait([&] { return told == std::vector<int>{100, 180, 200}; }));
    client.send(caller.request("NOTIFY", "Event: refer\r\nSubscription-State: terminated\r\n"));
    EXPECT_FALSE(client.expect("SIP/2.0 481").empty());
}

TEST_P(Transfers, APeerThatTakesNoTransfersIsNotAsked) {
    Client other(GetParam(), harness.port(GetParam()));
    Caller plain(other);
    call(other, plain, "Allow: INVITE, ACK, BYE\r\n");
    const auto record = harness.observer.wait([](const auto& one) { return one.answered; });
    ASSERT_TRUE(record);
    std::string error;
    harness.run([&] { error = record->leg->transfer("sip:b@b", [](int, const std::string&) {}).error(); });
    EXPECT_EQ(error, "the participant's device takes no transfers");
}

// RFC 3891 section 3
TEST_P(Transfers, ACallTakesTheCallsPlace) {
    Client other(GetParam(), harness.port(GetParam()));
    Caller taker(other, "elsewhere");
    const std::string ok = call(other, taker, replaces() + "Require: replaces\r\n");
    EXPECT_THAT(header(ok, "Supported"), HasSubstr("replaces"));
    const auto record = harness.observer.wait([](const auto& one) { return one.answered; });
    ASSERT_TRUE(record);
    EXPECT_EQ(record->arrival.replaces, leg->id());
}

TEST_P(Transfers, OnlyADialogThatWeHaveIsReplaced) {
    Client other(GetParam(), harness.port(GetParam()));
    const auto status = [&](const std::string& extra) {
        Caller taker(other);
        other.send(taker.request("INVITE", extra, kOffer));
        std::string answer = other.expect("SIP/2.0 ");
        while (answer.starts_with("SIP/2.0 1")) {
            answer = other.expect("SIP/2.0 ");
        }
        taker.learn(answer);
        return answer.substr(0, 11);
    };
    const std::string wrong = "Replaces: " + caller.call_id + ";to-tag=x;from-tag=" + caller.tag + "\r\n";
    EXPECT_EQ(status(wrong), "SIP/2.0 481");
    EXPECT_EQ(status(replaces() + replaces()), "SIP/2.0 400");
    EXPECT_EQ(status("Replaces: " + caller.call_id + "\r\n"), "SIP/2.0 400");
    EXPECT_EQ(status(replaces(";early-only")), "SIP/2.0 486");
    EXPECT_EQ(harness.observer.arrivals(), 1U);
    EXPECT_FALSE(harness.observer.wait()->ended);
}

class SecureTransfers : public Transfers {};
INSTANTIATE_TEST_SUITE_P(Tls, SecureTransfers, ::testing::Values(Transport::tls));

TEST_P(SecureTransfers, ACallOverTlsIsNotReplacedInTheClear) {
    Client other(Transport::udp, harness.port(Transport::udp));
    Caller taker(other);
    other.send(taker.request("INVITE", replaces(), kOffer));
    EXPECT_FALSE(other.expect("SIP/2.0 403").empty());
}

TEST_P(NoTransfers, AnEndingCallIsDeclinedAndARingingOneIsUnknown) {
    harness.run([&] { leg->end(EndCause::removed); });
    ASSERT_FALSE(client.expect("BYE ").empty());  // not answered: it stays a while
    Client other(Transport::udp, harness.port(Transport::udp));
    Caller taker(other);
    other.send(taker.request("INVITE", replaces(), kOffer));
    EXPECT_FALSE(other.expect("SIP/2.0 603").empty());

    harness.observer.on_arrival = [](Leg&) {};
    Caller waiting(other);
    other.send(waiting.request("INVITE", "", kOffer));
    waiting.learn(other.expect("SIP/2.0 180"));
    Caller second(other);
    other.send(second.request("INVITE",
                              "Replaces: " + waiting.call_id + ";to-tag=" + waiting.remote_tag +
                                  ";from-tag=" + waiting.tag + "\r\n",
                              kOffer));
    EXPECT_FALSE(other.expect("SIP/2.0 481").empty());
}

// A call of ours that rings is taken by whom it rings for (section 3), over TLS by TLS.
TEST(RingingCalls, AreTakenByReplaces) {
    ScriptedPeer peer([](const std::string& request) {
        std::vector<std::string> answers;
        if (request.starts_with("INVITE ")) {
            answers = {response(request, 180)};
        } else if (request.starts_with("CANCEL ")) {
            answers = {response(request, 200)};
        }
        return answers;
    });
    SipConfig config;
    DialRule rule;
    rule.name = "any";
    rule.domains = {"127.0.0.1"};
    config.dial.rules = {rule};
    Harness harness(std::move(config));
    std::shared_ptr<Leg> ringing;
    harness.run([&] {
        const auto plan = harness.legs->plan("sip:bob@127.0.0.1:" + std::to_string(peer.port()));
        ringing = plan ? harness.legs->dial({"out-1", *plan, "Board", "board"}) : nullptr;
    });
    ASSERT_TRUE(ringing);
    const std::string invite = peer.expect("INVITE ");
    ASSERT_TRUE(harness.observer.wait([](const auto& record) { return !record.progress.empty(); }));
    const std::string from = header(invite, "From");
    const std::string ours = from.substr(from.find(";tag=") + 5);
    const auto replaces = [&](const std::string& theirs, const std::string& more = {}) {
        return "Replaces: " + header(invite, "Call-ID") + ";to-tag=" + ours + ";from-tag=" + theirs + more +
               "\r\n";
    };
    Client other(Transport::udp, harness.port(Transport::udp));
    Caller guesser(other, "board");
    other.send(guesser.request("INVITE", replaces("another"), kOffer));
    EXPECT_FALSE(other.expect("SIP/2.0 481").empty());
    Caller taker(other, "board");
    other.send(taker.request("INVITE", replaces("peer", ";early-only"), kOffer));
    EXPECT_FALSE(other.expect("SIP/2.0 200").empty());
    EXPECT_EQ(harness.observer.wait()->arrival.replaces, "out-1");
    harness.run([&] { ringing->end(EndCause::replaced); });
    EXPECT_EQ(header(peer.expect("CANCEL "), "Reason"), kCompletedElsewhere);
}

// A trunk with video is a trunk, though its calls are no phones'.
TEST(VideoTrunks, ReplaceTheirOwnCalls) {
    SipConfig config;
    TrunkConfig trunk{.name = "net", .sources = {"127.0.0.1"}, .numbers = {{"+4930123", "room"}}};
    trunk.settings.video = true;
    config.trunks = {trunk};
    Harness harness(config);
    Client client(Transport::udp, harness.port(Transport::udp));
    Caller caller(client, "+4930123"), taker(client, "+4930123");
    client.send(caller.request("INVITE", "", kOffer));
    caller.learn(client.expect("SIP/2.0 200"));
    client.send(caller.ack());
    client.send(taker.request(
        "INVITE",
        "Replaces: " + caller.call_id + ";to-tag=" + caller.remote_tag + ";from-tag=" + caller.tag + "\r\n",
        kOffer));
    EXPECT_FALSE(client.expect("SIP/2.0 200").empty());
}

// A trunk's calls refer nobody, but where the trunk's settings say so.
class TrunkTransfers : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Refer, TrunkTransfers, ::testing::Bool());

TEST_P(TrunkTransfers, FollowTheTrunksSetting) {
    SipConfig config = with_referrals(true);
    TrunkConfig trunk;
    trunk.name = "carrier";
    trunk.sources = {"127.0.0.1"};
    trunk.numbers = {{"+4930123", "room"}};
    trunk.settings.refer = GetParam();
    config.trunks = {trunk};
    Harness harness(config);
    Client client(Transport::udp, harness.port(Transport::udp));
    Caller caller(client, "+4930123");
    client.send(caller.request("INVITE", "", kOffer));
    const std::string ok = client.expect("SIP/2.0 200");
    EXPECT_EQ(header(ok, "Allow").find("REFER") != std::string::npos, GetParam());
    caller.learn(ok);
    client.send(caller.ack());
    client.send(caller.request("REFER", "Refer-To: <sip:bob@b.example>\r\n"));
    EXPECT_FALSE(client.expect(GetParam() ? "SIP/2.0 202" : "SIP/2.0 405").empty());
}

}  // namespace
}  // namespace vmr::sip::test
