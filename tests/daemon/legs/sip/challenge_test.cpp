// Requests of ours within a call that are challenged (RFC 3261 sections 22.2 and 22.3), on a made-up clock.
#include <gmock/gmock.h>

#include "daemon/legs/sip/dialog/invitation.hpp"
#include "daemon/legs/sip/dialog/transaction.hpp"
#include "tests/support/sip/scripted_peer.hpp"
#include "tests/support/sip/session_rules.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string challenge(const std::string& nonce, const std::string& more = {},
                      const std::string& realm = "provider") {
    return "Proxy-Authenticate: Digest realm=\"" + realm + "\", nonce=\"" + nonce + "\"" + more + "\r\n";
}

// Of RFC 2069's form, which needs no cnonce.
std::string right_answer(const std::string& method, const std::string& uri, const std::string& nonce) {
    const std::string ha1 = hash_hex("MD5", "us:provider:secret");
    return "response=\"" + hash_hex("MD5", ha1 + ":" + nonce + ":" + hash_hex("MD5", method + ":" + uri)) +
           "\"";
}

class Challenged : public SessionRules {
protected:
    void begin(const std::string& extra = {}) {
        establish(extra);
        session->requests().identify({"us", "secret"});
    }
    std::string credentials() { return header(host.again.back().bytes, "Proxy-Authorization"); }
};

TEST_F(Challenged, ARefreshGoesAgainWithCredentialsForItself) {
    begin("Supported: timer\r\nAllow: UPDATE\r\nSession-Expires: 100;refresher=uas\r\n");
    session->tick(50000);
    ASSERT_EQ(host.requests.size(), 1U);
    EXPECT_THAT(host.requests[0].bytes, Not(HasSubstr("Authorization")));
    respond(1, 407, 50010, challenge("n1"));
    ASSERT_EQ(host.again.size(), 1U);
    EXPECT_EQ(host.again[0].id, 1U);
    EXPECT_EQ(header(host.requests[0].bytes, "CSeq"), "1 UPDATE");
    EXPECT_EQ(header(host.again[0].bytes, "CSeq"), "2 UPDATE");
    EXPECT_EQ(header(host.again[0].bytes, "Session-Expires"), "100;refresher=uac");
    EXPECT_THAT(credentials(), HasSubstr("uri=\"sip:a@192.0.2.7\""));
    EXPECT_THAT(credentials(), HasSubstr(right_answer("UPDATE", "sip:a@192.0.2.7", "n1")));
    respond(1, 200, 50020, "Session-Expires: 100;refresher=uac\r\n");
    session->tick(100019);
    EXPECT_TRUE(host.ended.empty());
    session->tick(100020);
    EXPECT_EQ(host.requests.size(), 2U) << "the next one, half the interval behind the answer";
}

TEST_F(Challenged, AnOfferGoesAgainAndItsAckShowsTheSame) {
    begin();
    session->renegotiate(100);
    respond(1, 407, 110, challenge("n1"));
    EXPECT_EQ(media->offered, 1);
    EXPECT_EQ(media->discarded, 0);
    ASSERT_EQ(host.again.size(), 1U);
    EXPECT_THAT(host.again[0].bytes, HasSubstr(kAnswer));
    EXPECT_EQ(header(host.again[0].bytes, "CSeq"), "2 INVITE");
    EXPECT_EQ(header(host.again[0].ack, "CSeq"), "2 ACK");
    receive("INVITE", 2, 120, {}, kOffer);
    EXPECT_EQ(host.statuses.back(), 491) << "it is still under way";
    respond(1, 200, 130, {}, kOffer);
    EXPECT_EQ(media->answers.size(), 1U);
    EXPECT_EQ(header(host.direct.back(), "CSeq"), "2 ACK");
    EXPECT_EQ(header(host.direct.back(), "Proxy-Authorization"), credentials());
    respond(1, 200, 640, {}, kOffer);  // the ACK was lost
    EXPECT_EQ(host.direct.size(), 2U);
}

TEST_F(Challenged, AByeIsOverWithTheAnswerToItsSecond) {
    begin();
    session->end(EndCause::removed, 100);
    respond(1, 407, 110, challenge("n1"));
    EXPECT_FALSE(session->over());
    ASSERT_EQ(host.again.size(), 1U);
    EXPECT_EQ(host.again[0].method, "BYE");
    EXPECT_THAT(header(host.again[0].bytes, "Reason"), HasSubstr("removed"));
    EXPECT_THAT(credentials(), HasSubstr(right_answer("BYE", "sip:a@192.0.2.7", "n1")));
    respond(1, 200, 120);
    EXPECT_TRUE(session->over());
    EXPECT_EQ(host.ended.size(), 1U);
}

TEST_F(Challenged, ARequestForAPictureTellsNothingOfThePeer) {
    begin();
    session->ask_for_keyframe(1000);
    respond(1, 407, 1010, challenge("n1"));
    EXPECT_EQ(host.again.size(), 1U);
    respond(1, 200, 1020);
    session->ask_for_keyframe(3000);
    EXPECT_EQ(host.requests.size(), 2U);
}

TEST_F(Challenged, EachRealmGetsOneAnswerAndAnotherIfItsNonceWasOld) {
    begin();
    session->end(EndCause::removed, 100);
    respond(1, 407, 110, challenge("n1"));
    respond(1, 407, 120, challenge("n2", ", stale=true"));
    ASSERT_EQ(host.again.size(), 2U);
    EXPECT_THAT(credentials(), HasSubstr("nonce=\"n2\""));
    EXPECT_THAT(host.again.back().bytes, Not(HasSubstr("n1")));
    respond(1, 407, 130, challenge("n3", {}, "behind it"));
    ASSERT_EQ(host.again.size(), 3U);
    EXPECT_THAT(host.again.back().bytes, HasSubstr("nonce=\"n2\""));
    EXPECT_THAT(host.again.back().bytes, HasSubstr("nonce=\"n3\""));
    EXPECT_FALSE(session->over());
    respond(1, 407, 140, challenge("n4"));  // they were wrong
    EXPECT_EQ(host.again.size(), 3U);
    EXPECT_TRUE(session->over());
}

TEST_F(Challenged, NobodyIsAskedForEver) {
    begin();
    session->end(EndCause::removed, 100);
    for (int at = 0; at < 20; ++at) {
        respond(1, 407, 110 + at, challenge("n" + std::to_string(at), ", stale=true"));
    }
    EXPECT_EQ(host.again.size(), 4U);
    EXPECT_TRUE(session->over());
}

TEST_F(Challenged, WithoutCredentialsTheChallengeStands) {
    establish();
    session->end(EndCause::removed, 100);
    respond(1, 401, 110, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n");
    EXPECT_TRUE(host.again.empty());
    EXPECT_TRUE(session->over());
}

TEST_F(Challenged, WhatWasOfferedIsNotOfferedAgainBehindABye) {
    begin();
    session->renegotiate(100);
    session->end(EndCause::removed, 110);
    respond(1, 407, 120, challenge("n1"));
    EXPECT_TRUE(host.again.empty());
    EXPECT_FALSE(session->over());
    respond(2, 200, 130);
    EXPECT_TRUE(session->over());
}

TEST_F(Challenged, AStrictRoutersUriIsTheOneThatIsSigned) {
    begin("Record-Route: <sip:p1.test>, <sip:p2.test;lr>\r\n");
    session->end(EndCause::removed, 100);
    respond(1, 407, 110, challenge("n1"));
    EXPECT_THAT(credentials(), HasSubstr(right_answer("BYE", "sip:p1.test", "n1")));
}

// Before the call is answered, and of those whose answer is not taken.
class ChallengedEarly : public ::testing::Test, public InvitationHost {
protected:
    ChallengedEarly() {
        Invite invite;
        invite.uri = "sip:bob@b.example";
        invite.from_user = "us";
        invite.identity = {"us", "secret"};
        invitation = std::make_unique<Invitation>(network, *this, invite, "c1", "l");
        invitation->start(flow, media, 0);
        respond(1, 407, 5, challenge("n0"));
    }
    void respond(std::uint64_t id, int status, std::int64_t now, const std::string& extra = {},
                 const std::string& body = {}, const std::string& tag = "b") {
        const FakeHost::Sent& to = network.requests.at(id - 1);
        const std::string contact = "Contact: <sip:bob@192.0.2.9>\r\n";
        invitation->receive_response(id, read(response(to.bytes, status, tag, contact + extra, body)), now);
    }
    void on_progressed(LegProgress) override {}
    void on_invitation_accepted(Established established, bool) override {
        session = std::make_unique<Session>(network, std::move(established));
    }
    void on_invitation_refused(const Refusal&) override {}

    FakeHost network;
    std::shared_ptr<FakeMedia> media = std::make_shared<FakeMedia>();
    Flow flow{Transport::udp, {"192.0.2.7", 5060}, {"192.0.2.1", 5060}};
    std::unique_ptr<Invitation> invitation;
    std::unique_ptr<Session> session;
};

TEST_F(ChallengedEarly, APrackShowsItsOwnCredentials) {
    respond(2, 183, 10, "Require: 100rel\r\nRSeq: 71\r\n", "v=early");
    ASSERT_EQ(network.requests.size(), 3U);
    EXPECT_THAT(network.requests[2].bytes, Not(HasSubstr("Authorization"))) << "the INVITE's are not its own";
    EXPECT_TRUE(invitation->is_own(3));
    respond(3, 407, 20, challenge("n1"));
    ASSERT_EQ(network.again.size(), 1U);
    EXPECT_EQ(header(network.again[0].bytes, "RAck"), "71 2 INVITE");
    EXPECT_EQ(header(network.again[0].bytes, "CSeq"), "4 PRACK");
    EXPECT_THAT(network.again[0].bytes, HasSubstr(right_answer("PRACK", "sip:bob@192.0.2.9", "n1")));
    respond(3, 200, 30);
    EXPECT_FALSE(invitation->is_own(3));
    respond(2, 180, 40, "Require: 100rel\r\nRSeq: 72\r\n");
    EXPECT_EQ(header(network.requests.back().bytes, "CSeq"), "5 PRACK");
}

TEST_F(ChallengedEarly, APrackIsNotSentAgainWhereTheCallIsAnswered) {
    respond(2, 183, 10, "Require: 100rel\r\nRSeq: 71\r\n", "v=early");
    respond(2, 200, 20);
    ASSERT_TRUE(session);
    respond(3, 407, 30, challenge("n1"));
    EXPECT_TRUE(network.again.empty()) << "the numbers are the session's now";
    EXPECT_FALSE(invitation->is_own(3));
}

TEST_F(ChallengedEarly, AnAnswerThatComesTooLateIsHungUpThoughTheByeIsChallenged) {
    respond(2, 180, 10);
    invitation->cancel(EndCause::removed, 20);
    respond(2, 200, 30 + kTimeout, {}, "v=answer");
    const FakeHost::Sent bye = network.requests.back();
    ASSERT_EQ(bye.method, "BYE");
    EXPECT_THAT(bye.bytes, Not(HasSubstr("Authorization")));
    invitation->tick(20 + 2 * kTimeout);
    EXPECT_FALSE(invitation->over());
    respond(bye.id, 407, 40 + kTimeout, challenge("n1"));
    ASSERT_EQ(network.again.size(), 1U);
    EXPECT_THAT(network.again[0].bytes, HasSubstr(right_answer("BYE", "sip:bob@192.0.2.9", "n1")));
    EXPECT_THAT(header(network.again[0].bytes, "Reason"), HasSubstr("removed"));
    invitation->tick(30 + 2 * kTimeout);
    EXPECT_TRUE(invitation->over());
}

TEST_F(ChallengedEarly, TheSessionIsTheSameAccountsAsTheInvite) {
    respond(2, 200, 10, {}, "v=answer");
    ASSERT_TRUE(session);
    session->end(EndCause::removed, 20);
    const FakeHost::Sent bye = network.requests.back();
    session->receive_response(
        bye.id,
        read("SIP/2.0 407 Word\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-ours\r\nFrom: "
             "<sip:us@x>;tag=l\r\nTo: <sip:bob@b.example>;tag=b\r\nCall-ID: c1\r\nCSeq: 3 BYE\r\n" +
             challenge("n1") + "Content-Length: 0\r\n\r\n"),
        30);
    ASSERT_EQ(network.again.size(), 1U);
    EXPECT_THAT(network.again[0].bytes, HasSubstr(right_answer("BYE", "sip:bob@192.0.2.9", "n1")));
}

// All that we send in a call that came by a trunk, as the trunk's account.
TEST(TrunkAccounts, AreShownInCallsThatCame) {
    TrunkConfig trunk{.name = "net", .sources = {"127.0.0.1"}, .numbers = {{"+4930123", "room"}}};
    trunk.account = {"us", "secret"};
    SipConfig config;
    config.trunks = {trunk};
    Harness harness(config);
    Client client(Transport::udp, harness.port(Transport::udp));
    Caller caller(client, "+4930123");
    client.send(caller.request("INVITE", "Allow: INVITE, REFER\r\n", kOffer));
    caller.learn(client.expect("SIP/2.0 200"));
    client.send(caller.ack());
    const auto call = harness.observer.wait([](const auto& record) { return record.answered; });
    ASSERT_TRUE(call);
    const auto challenged = [&](const std::string& method) {
        const std::string first = client.expect(method + " ");
        EXPECT_EQ(header(first, "Proxy-Authorization"), "");
        const std::string answer = caller.answer(first, challenge("n1"));
        client.send("SIP/2.0 407 Who" + answer.substr(answer.find("\r\n")));
        const std::string second = client.expect(method + " ");
        EXPECT_THAT(
            header(second, "Proxy-Authorization"),
            HasSubstr(right_answer(method, caller.contact.substr(1, caller.contact.find('>') - 1), "n1")));
        EXPECT_GT(read(second).cseq, read(first).cseq);
        return second;
    };
    std::vector<int> told;
    harness.run([&] {
        EXPECT_TRUE(call->leg
                        ->transfer("sip:bob@b.example",
                                   [&](int status, const std::string&) { told.push_back(status); })
                        .ok());
    });
    const std::string refer = challenged("REFER");
    client.send(caller.answer(refer));
    EXPECT_TRUE(harness.wait([&] { return told == std::vector<int>{100}; }));
    client.send(caller.request("NOTIFY",
                               "Event: refer;id=" + std::to_string(read(refer).cseq) +
                                   "\r\nSubscription-State: active;expires=60\r\n",
                               "SIP/2.0 200 OK", "message/sipfrag"));
    EXPECT_NE(client.expect("SIP/2.0 200"), "");
    harness.run([&] { call->leg->end(EndCause::removed); });
    client.send(caller.answer(challenged("BYE")));
    EXPECT_TRUE(harness.wait([&] { return harness.legs->calls() == 0; }));
}

}  // namespace
}  // namespace vmr::sip::test
