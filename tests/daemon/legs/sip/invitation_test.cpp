// A call that we place, until it is answered: by RFC and section, on a made-up clock.
#include "daemon/legs/sip/dialog/invitation.hpp"

#include <gmock/gmock.h>

#include "daemon/legs/sip/dialog/transaction.hpp"
#include "tests/support/sip/fake_host.hpp"
#include "tests/support/sip/fakes.hpp"
#include "tests/support/sip/harness.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class Placing : public ::testing::Test, public InvitationHost {
protected:
    void start(bool late = false, std::int64_t now = 0) {
        Invite invite;
        invite.uri = "sip:bob@b.example";
        invite.from_name = "Board \"room\"";
        invite.from_user = "board";
        invite.from_host = "vmr.example";
        invite.identity = {"us", "secret"};
        invite.late_offer = late;
        invitation = std::make_unique<Invitation>(network, *this, invite, "c1", "l");
        invitation->start(flow, media, now);
    }
    // A response to the request that was sent as number `id`.
    void respond(std::uint64_t id, int status, std::int64_t now, const std::string& extra = {},
                 const std::string& body = {}, const std::string& tag = "b") {
        const FakeHost::Sent& to = network.requests.at(id - 1);
        invitation->receive_response(
            id,
            read("SIP/2.0 " + std::to_string(status) +
                 " Word\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-ours\r\nFrom: " +
                 header(to.bytes, "From") + "\r\nTo: <sip:bob@b.example>" +
                 (status > 100 ? ";tag=" + tag : "") + "\r\nCall-ID: c1\r\nCSeq: " +
                 header(to.bytes, "CSeq") + "\r\nContact: <sip:bob@192.0.2.9:5070>\r\n" + extra +
                 (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
                 "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body),
            now);
    }
    const FakeHost::Sent& last() { return network.requests.back(); }
    std::vector<std::string> methods() {
        std::vector<std::string> all;
        for (const FakeHost::Sent& sent : network.requests) {
            all.push_back(sent.method);
        }
        return all;
    }

    void on_progressed(LegProgress progress) override { progressed.push_back(progress); }
    void on_invitation_accepted(Established established, bool again) override {
        session = std::make_unique<Session>(network, std::move(established));
        resync = again;
    }
    void on_invitation_refused(const Refusal& refusal) override { refusals.push_back(refusal); }

    FakeHost network;
    std::shared_ptr<FakeMedia> media = std::make_shared<FakeMedia>();
    Flow flow{Transport::udp, {"192.0.2.7", 5060}, {"192.0.2.1", 5060}};
    std::unique_ptr<Invitation> invitation;
    std::unique_ptr<Session> session;
    std::vector<LegProgress> progressed;
    std::vector<Refusal> refusals;
    bool resync = false;
};

constexpr const char* kReliable = "Require: 100rel\r\nRSeq: 71\r\n";

TEST_F(Placing, TheInviteSaysWhoCallsAndOffers) {
    start();
    ASSERT_EQ(network.requests.size(), 1U);
    const std::string& invite = last().bytes;
    EXPECT_THAT(invite, StartsWith("INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;"));
    EXPECT_EQ(header(invite, "From"), "\"Board room\" <sip:board@vmr.example>;tag=l");
    EXPECT_EQ(header(invite, "To"), "<sip:bob@b.example>");
    EXPECT_EQ(header(invite, "Contact"), "<sip:board@192.0.2.1:5060>");
    EXPECT_EQ(header(invite, "Supported"), kSupported);
    EXPECT_EQ(header(invite, "Session-Expires"), "1800");
    EXPECT_THAT(invite, HasSubstr(kAnswer));
}

TEST_F(Placing, AnAnswerIsAcknowledgedAndTheSessionGoesOn) {
    start();
    respond(1, 180, 100);
    EXPECT_THAT(progressed, ElementsAre(LegProgress::ringing));
    respond(1, 200, 200, "Record-Route: <sip:p2;lr>\r\nRecord-Route: <sip:p1;lr>\r\n", "v=answer");
    ASSERT_TRUE(session);
    EXPECT_THAT(media->answers, ElementsAre("v=answer"));
    ASSERT_EQ(network.direct.size(), 1U);
    EXPECT_THAT(network.direct[0], StartsWith("ACK sip:bob@192.0.2.9:5070 SIP/2.0\r\n"));
    EXPECT_THAT(network.direct[0], HasSubstr("Route: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\n"));
    EXPECT_EQ(header(network.direct[0], "CSeq"), "1 ACK");
    respond(1, 200, 700, {}, "v=answer");  // the ACK was lost
    EXPECT_EQ(network.direct.size(), 2U);
    EXPECT_EQ(network.direct[0], network.direct[1]);
    session->end(EndCause::removed, 800);
    EXPECT_THAT(last().bytes, StartsWith("BYE sip:bob@192.0.2.9:5070 SIP/2.0\r\n"));
    EXPECT_EQ(header(last().bytes, "CSeq"), "2 BYE");
    EXPECT_FALSE(invitation->over());
    invitation->tick(200 + kTimeout);
    EXPECT_TRUE(invitation->over());
}

TEST_F(Placing, TheSessionIsTheSameAsThatOfACallThatCame) {
    start();
    respond(1, 200, 0, "Session-Expires: 90;refresher=uac\r\nAllow: INVITE, UPDATE\r\n", "v=answer");
    session->tick(45000);
    EXPECT_EQ(last().method, "UPDATE");  // we refresh (RFC 4028 section 10)
    EXPECT_EQ(header(last().bytes, "Session-Expires"), "90;refresher=uac");
    session->tick(90000);
    EXPECT_THAT(network.ended, ElementsAre(EndCause::signalling_timeout));
}

TEST_F(Placing, AReliableResponseIsAcknowledgedOnceAndItsAnswerCounts) {
    start();
    respond(1, 183, 100, kReliable, "v=early");
    EXPECT_THAT(methods(), ElementsAre("INVITE", "PRACK"));
    EXPECT_EQ(header(last().bytes, "RAck"), "71 1 INVITE");
    EXPECT_THAT(last().bytes, StartsWith("PRACK sip:bob@192.0.2.9:5070 "));
    respond(1, 183, 600, kReliable, "v=early");               // again
    respond(1, 180, 700, "Require: 100rel\r\nRSeq: 73\r\n");  // out of order
    respond(1, 180, 800, "Require: 100rel\r\nRSeq: 72\r\n");
    EXPECT_THAT(methods(), ElementsAre("INVITE", "PRACK", "PRACK"));
    EXPECT_THAT(progressed, ElementsAre(LegProgress::early_media, LegProgress::ringing));
    EXPECT_THAT(media->answers, IsEmpty());  // nobody hears ringing in the room
    respond(1, 200, 900);
    ASSERT_TRUE(session);
    EXPECT_THAT(media->answers, ElementsAre("v=early"));
}

TEST_F(Placing, OfSeveralBranchesTheFirstAnswerWinsAndOthersAreHungUp) {
    start();
    respond(1, 183, 100, {}, "v=one", "one");
    respond(1, 183, 110, {}, "v=two", "two");
    respond(1, 200, 200, {}, "v=two", "two");
    ASSERT_TRUE(session);
    EXPECT_EQ(session->dialog().remote_tag(), "two");
    EXPECT_THAT(media->answers, ElementsAre("v=two"));
    respond(1, 200, 300, {}, "v=one", "one");
    ASSERT_EQ(network.direct.size(), 2U);
    EXPECT_THAT(network.direct[1], HasSubstr("tag=one\r\n"));
    EXPECT_EQ(last().method, "BYE");
    EXPECT_THAT(last().bytes, HasSubstr("tag=one\r\n"));
    EXPECT_THAT(media->answers, ElementsAre("v=two"));
    EXPECT_THAT(refusals, IsEmpty());
}

TEST_F(Placing, ALateOfferIsAnsweredInTheAck) {
    start(true);
    EXPECT_THAT(last().bytes, Not(HasSubstr("Content-Type")));
    respond(1, 200, 100, {}, "v=offer");
    ASSERT_TRUE(session);
    EXPECT_THAT(media->offers, ElementsAre("v=offer"));
    EXPECT_THAT(network.direct.at(0), HasSubstr(kAnswer));
}

TEST_F(Placing, ALateOfferIsAnsweredInThePrack) {
    start(true);
    respond(1, 183, 100, kReliable, "v=offer");
    EXPECT_EQ(last().method, "PRACK");
    EXPECT_THAT(last().bytes, HasSubstr(kAnswer));
    respond(1, 200, 200, {}, "v=offer");
    ASSERT_TRUE(session);
    EXPECT_EQ(media->offers.size(), 1U);
    EXPECT_THAT(network.direct.at(0), Not(HasSubstr("v=0")));
}

TEST_F(Placing, AnotherBranchThanTheOneDescribedLastIsOfferedAgain) {
    start(true);
    respond(1, 183, 100, kReliable, "v=one", "one");
    respond(1, 183, 110, kReliable, "v=two", "two");
    respond(1, 200, 200, {}, {}, "one");
    ASSERT_TRUE(session);
    EXPECT_TRUE(resync);
}

TEST_F(Placing, A2xxThatAgreesOnNothingIsHungUp) {
    start();
    respond(1, 200, 100);
    EXPECT_FALSE(session);
    EXPECT_EQ(network.direct.size(), 1U);
    EXPECT_EQ(last().method, "BYE");
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].cause, EndCause::malformed);
}

TEST_F(Placing, CancelWaitsForAProvisionalResponse) {
    start();
    invitation->cancel(EndCause::removed, 10);
    EXPECT_THAT(methods(), ElementsAre("INVITE"));
    respond(1, 100, 20);
    ASSERT_THAT(methods(), ElementsAre("INVITE", "CANCEL"));
    const std::string& cancel = last().bytes;
    EXPECT_THAT(cancel, StartsWith("CANCEL sip:bob@b.example SIP/2.0\r\n"));
    EXPECT_EQ(header(cancel, "Via"), header(network.requests[0].bytes, "Via"));
    EXPECT_EQ(header(cancel, "CSeq"), "1 CANCEL");
    EXPECT_EQ(header(cancel, "To"), "<sip:bob@b.example>");
    respond(1, 180, 30);
    EXPECT_EQ(network.requests.size(), 2U);
    respond(1, 487, 40);
    EXPECT_THAT(refusals, IsEmpty());
}

TEST_F(Placing, AnAnswerThatCrossesCancelIsHungUp) {
    start();
    respond(1, 180, 10);
    invitation->cancel(EndCause::removed, 20);
    respond(1, 200, 30, {}, "v=answer");
    EXPECT_FALSE(session);
    EXPECT_EQ(network.direct.size(), 1U);
    EXPECT_EQ(last().method, "BYE");
    EXPECT_THAT(header(last().bytes, "Reason"), HasSubstr("removed"));
}

TEST_F(Placing, NoAnswerInTimeIsCancelled) {
    start();
    respond(1, 180, 10);
    invitation->tick(59999);
    EXPECT_THAT(refusals, IsEmpty());
    invitation->tick(60000);
    EXPECT_EQ(last().method, "CANCEL");
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].cause, EndCause::no_answer);
    EXPECT_EQ(refusals[0].why.q850, 19);
    invitation->tick(60000 + 2 * kTimeout);
    EXPECT_TRUE(invitation->over());
}

TEST_F(Placing, CredentialsAreGivenOnceAndAgainOnlyIfStale) {
    start();
    respond(1, 407, 10,
            "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"\r\n"
            "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n2\", algorithm=SHA-256, qop=\"auth\"\r\n");
    ASSERT_EQ(network.requests.size(), 2U);
    const std::string credentials = header(last().bytes, "Proxy-Authorization");
    EXPECT_THAT(credentials, HasSubstr("nonce=\"n2\", uri=\"sip:bob@b.example\", algorithm=SHA-256"));
    EXPECT_EQ(header(last().bytes, "CSeq"), "2 INVITE");
    EXPECT_THAT(last().bytes, HasSubstr(kAnswer));
    EXPECT_EQ(media->offered, 1);
    respond(2, 407, 20, "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n3\", stale=true\r\n");
    ASSERT_EQ(network.requests.size(), 3U);
    EXPECT_THAT(header(last().bytes, "Proxy-Authorization"), HasSubstr("nonce=\"n3\""));
    respond(3, 407, 30, "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n4\"\r\n");
    EXPECT_EQ(network.requests.size(), 3U);
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].cause, EndCause::unauthorized);
}

TEST_F(Placing, TheAckOfAChallengedCallHasItsCredentials) {
    start();
    respond(1, 401, 10, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n");
    respond(2, 200, 20, {}, "v=answer");
    EXPECT_EQ(header(network.direct.at(0), "Authorization"), header(last().bytes, "Authorization"));
    EXPECT_EQ(header(network.direct.at(0), "CSeq"), "2 ACK");
}

TEST_F(Placing, ATooSmallIntervalIsRaised) {
    start();
    respond(1, 422, 10, "Min-SE: 3600\r\n");
    EXPECT_EQ(header(last().bytes, "Session-Expires"), "3600");
    EXPECT_EQ(header(last().bytes, "Min-SE"), "3600");
    respond(2, 422, 20, "Min-SE: 7200\r\n");
    respond(3, 422, 30, "Min-SE: 9000\r\n");
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].why.status, 422);
}

TEST_F(Placing, RefusalsSayWhy) {
    struct Row {
        int status;
        const char* extra;
        EndCause cause;
        int q850;
    };
    for (const Row& row :
         {Row{486, "", EndCause::busy, 17}, Row{600, "", EndCause::busy, 17},
          Row{404, "", EndCause::not_found, 1}, Row{603, "", EndCause::declined, 21},
          Row{480, "Reason: SIP;cause=480, Q.850;cause=19;text=\"x\"\r\n", EndCause::no_answer, 19},
          Row{302, "", EndCause::redirected, 23}, Row{488, "", EndCause::not_acceptable, 65},
          Row{499, "", EndCause::forbidden, 31}, Row{599, "", EndCause::unreachable, 41}}) {
        refusals.clear();
        network.requests.clear();
        network.next = 0;
        start();
        respond(1, row.status, 10, row.extra);
        ASSERT_EQ(refusals.size(), 1U) << row.status;
        EXPECT_EQ(refusals[0].cause, row.cause) << row.status;
        EXPECT_EQ(refusals[0].why.q850, row.q850) << row.status;
        EXPECT_FALSE(refusals[0].try_next) << row.status;
        EXPECT_THAT(refusals[0].why.text, StartsWith(std::to_string(row.status) + " Word; Q.850 " +
                                                     std::to_string(row.q850) + " "));
    }
}

TEST_F(Placing, ATargetThatDoesNotServeGivesWayToTheNext) {
    start();
    respond(1, 503, 10);
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_TRUE(refusals[0].try_next);
    EXPECT_EQ(media->discarded, 1);
    invitation->start(flow, media, 20);
    EXPECT_EQ(header(last().bytes, "CSeq"), "2 INVITE");
    invitation->request_timed_out(2, 20 + kTimeout);
    ASSERT_EQ(refusals.size(), 2U);
    EXPECT_TRUE(refusals[1].try_next);
    EXPECT_EQ(refusals[1].cause, EndCause::unreachable);
    invitation->start(flow, media, 40000);
    respond(3, 200, 40100, {}, "v=answer");
    EXPECT_TRUE(session);
}

TEST_F(Placing, ALostConnectionGivesWayOnlyBeforeItRings) {
    flow.transport = Transport::tcp;
    flow.connection = 9;
    start();
    invitation->connection_closed(8, 10);
    EXPECT_THAT(refusals, IsEmpty());
    invitation->connection_closed(9, 10);
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_TRUE(refusals[0].try_next);
    invitation->start(flow, media, 20);
    respond(2, 180, 30);
    invitation->connection_closed(9, 40);
    ASSERT_EQ(refusals.size(), 2U);
    EXPECT_FALSE(refusals[1].try_next);
}

TEST_F(Placing, RequestsInAnEarlyDialog) {
    start();
    respond(1, 183, 10, kReliable, "v=early");
    const auto ask = [&](const std::string& method, int cseq, const std::string& body, const std::string& tag,
                         const std::string& extra = {}) {
        invitation->receive(
            "t", read(method + " sip:board@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK" +
                      std::to_string(cseq) + "\r\nFrom: <sip:bob@b.example>;tag=" + tag +
                      "\r\nTo: <sip:board@vmr.example>;tag=l\r\nCall-ID: c1\r\nCSeq: " +
                      std::to_string(cseq) + " " + method + "\r\nContact: <sip:bob@192.0.2.9>\r\n" + extra +
                      (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
                      "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
        return network.statuses.back();
    };
    EXPECT_EQ(ask("UPDATE", 1, {}, "b"), 200);
    EXPECT_EQ(ask("UPDATE", 2, "v=offer", "b"), 500);
    EXPECT_EQ(ask("INFO", 2, {}, "b"), 500);  // out of order
    EXPECT_EQ(ask("INFO", 3, {}, "stranger"), 481);
    EXPECT_EQ(ask("REFER", 4, {}, "b"), 405);
    respond(1, 180, 20, {}, {}, "c");
    EXPECT_EQ(ask("UPDATE", 5, "v=offer", "c"), 491) << "ours is not answered (RFC 3311 section 5.2)";
    EXPECT_EQ(ask("INFO", 6, {}, "c", "Require: foo\r\n"), 420);
}

}  // namespace
}  // namespace vmr::sip::test
