// One call to several devices at a time (RFC 3261 sections 16.6 and 16.7, as far as a caller does what a
// proxy would), on a made-up clock; and which contacts ring together.
#include "daemon/legs/sip/dialog/fork.hpp"

#include <gmock/gmock.h>

#include "daemon/legs/sip/dialog/transaction.hpp"
#include "daemon/legs/sip/registrar/ring_groups.hpp"
#include "tests/support/sip/fake_host.hpp"
#include "tests/support/sip/fakes.hpp"
#include "tests/support/sip/harness.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class Forking : public ::testing::Test, public InvitationHost {
protected:
    Forking() {
        Invite invite;
        invite.uri = "sip:bob@vmr.example";
        invite.from_user = "board";
        invite.from_host = "vmr.example";
        fork = std::make_unique<Fork>(network, *this, invite, "c1", "l");
    }
    static Fork::Way way(const std::string& user, std::uint64_t connection = 0) {
        Flow flow{Transport::tls, {"192.0.2.7", 5061}, {"192.0.2.1", 5061}};
        flow.connection = connection;
        return {"sip:" + user + "@192.0.2.7", flow};
    }
    void start(std::vector<Fork::Device> devices, std::size_t starts = 1, std::int64_t now = 0) {
        fork->start(std::move(devices), media, starts, now);
    }
    // A response to the request that was sent as number `id`, by device `tag`.
    void respond(std::uint64_t id, int status, const std::string& tag, std::int64_t now,
                 const std::string& body = {}) {
        const FakeHost::Sent& to = network.requests.at(id - 1);
        fork->receive_response(
            id,
            read("SIP/2.0 " + std::to_string(status) +
                 " Word\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK-ours\r\nFrom: " +
                 header(to.bytes, "From") + "\r\nTo: <sip:bob@vmr.example>;tag=" + tag +
                 "\r\nCall-ID: c1\r\nCSeq: " + header(to.bytes, "CSeq") + "\r\nContact: <sip:" + tag +
                 "@192.0.2.9:5070>\r\n" + (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
                 "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body),
            now);
    }
    std::vector<std::string> lines() {
        std::vector<std::string> all;
        for (const FakeHost::Sent& sent : network.requests) {
            all.push_back(sent.bytes.substr(0, sent.bytes.find(" SIP/2.0")));
        }
        return all;
    }

    void on_progressed(LegProgress progress) override { progressed.push_back(progress); }
    void on_invitation_accepted(Established established, bool) override {
        EXPECT_EQ(established.media, media) << "the call's own";
        session = std::make_unique<Session>(network, std::move(established));
    }
    void on_invitation_refused(const Refusal& refusal) override {
        refusals.push_back(refusal);
        if (refusal.try_next && !next.empty()) {
            start(std::exchange(next, {}), 1, at);
        }
    }

    FakeHost network;
    std::shared_ptr<FakeMedia> media = std::make_shared<FakeMedia>();
    std::unique_ptr<Fork> fork;
    std::unique_ptr<Session> session;
    std::vector<LegProgress> progressed;
    std::vector<Refusal> refusals;
    std::vector<Fork::Device> next;  // rung when the first have failed
    std::int64_t at = 0;             // ... then
};

TEST_F(Forking, AllRingWithOneOfferAndOneCallId) {
    start({{way("desk")}, {way("wall")}});
    EXPECT_THAT(lines(), ElementsAre("INVITE sip:desk@192.0.2.7", "INVITE sip:wall@192.0.2.7"));
    for (const char* name : {"Call-ID", "From", "To", "CSeq"}) {
        EXPECT_EQ(header(network.requests[0].bytes, name), header(network.requests[1].bytes, name)) << name;
    }
    EXPECT_THAT(network.requests[1].bytes, HasSubstr(kAnswer));
    EXPECT_EQ(media->offered, 1);
    respond(1, 180, "desk", 100);
    respond(2, 180, "wall", 100);
    EXPECT_THAT(progressed, ElementsAre(LegProgress::ringing)) << "told once";
}

TEST_F(Forking, TheFirstAnswerWinsAndTheOthersAreTakenBack) {
    start({{way("desk")}, {way("wall")}, {way("away")}});
    respond(1, 183, "desk", 100, "v=early");
    respond(2, 180, "wall", 100);
    EXPECT_THAT(media->answers, IsEmpty()) << "no answer counts before a 2xx";
    respond(2, 200, "wall", 200, "v=wall");
    ASSERT_TRUE(session);
    EXPECT_EQ(session->dialog().remote_tag(), "wall");
    EXPECT_THAT(media->answers, ElementsAre("v=wall"));
    ASSERT_EQ(network.requests.size(), 4U);
    EXPECT_THAT(network.requests[3].bytes, StartsWith("CANCEL sip:desk@192.0.2.7 SIP/2.0\r\n"));
    EXPECT_EQ(header(network.requests[3].bytes, "Reason"), kCompletedElsewhere);
    // Nothing came back from the third: its CANCEL waits (section 9.1).
    respond(3, 180, "away", 300);
    EXPECT_THAT(lines().back(), "CANCEL sip:away@192.0.2.7");
    EXPECT_EQ(media->discarded, 0);
    respond(1, 487, "desk", 300);
    respond(3, 487, "away", 300);
    EXPECT_THAT(refusals, IsEmpty());
    EXPECT_THAT(progressed, ElementsAre(LegProgress::early_media, LegProgress::ringing));
    fork->tick(400 + kTimeout);
    EXPECT_TRUE(fork->over());
}

TEST_F(Forking, ASecondAnswerIsAcknowledgedAndHungUp) {
    start({{way("desk")}, {way("wall")}});
    respond(1, 200, "desk", 100, "v=desk");
    respond(2, 200, "wall", 101, "v=wall");
    EXPECT_THAT(media->answers, ElementsAre("v=desk"));
    ASSERT_EQ(network.direct.size(), 2U);
    EXPECT_THAT(network.direct[1], StartsWith("ACK sip:wall@192.0.2.9:5070 SIP/2.0\r\n"));
    EXPECT_THAT(lines().back(), "BYE sip:wall@192.0.2.9:5070");
    EXPECT_EQ(header(network.requests.back().bytes, "Reason"), kCompletedElsewhere);
    EXPECT_EQ(session->dialog().remote_tag(), "desk");
    respond(2, 200, "wall", 600, "v=wall");  // the ACK was lost
    EXPECT_EQ(network.direct.size(), 3U);
}

TEST_F(Forking, TheBestRefusalIsToldWhenAllHaveFailed) {
    start({{way("desk")}, {way("wall")}, {way("away")}});
    respond(1, 486, "desk", 100);
    respond(2, 480, "wall", 100);
    EXPECT_THAT(refusals, IsEmpty());
    EXPECT_EQ(media->discarded, 0);
    respond(3, 503, "away", 100);
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].why.status, 486);
    EXPECT_EQ(refusals[0].cause, EndCause::busy);
    EXPECT_EQ(media->discarded, 1);
}

TEST_F(Forking, WhoDeclinesForAllEndsIt) {
    start({{way("desk")}, {way("wall")}});
    next = {{way("cell")}};
    respond(2, 180, "wall", 50);
    respond(1, 603, "desk", 100);
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].cause, EndCause::declined);
    EXPECT_FALSE(refusals[0].try_next);
    EXPECT_THAT(lines().back(), "CANCEL sip:wall@192.0.2.7");
    EXPECT_EQ(header(network.requests.back().bytes, "Reason"), "SIP;cause=603");
    respond(2, 487, "wall", 150);
    EXPECT_EQ(refusals.size(), 1U);
}

TEST_F(Forking, AnAnswerThatAgreesOnNothingLeavesTheOthersRinging) {
    start({{way("desk")}, {way("wall")}});
    media->problem = MediaProblem{MediaProblem::Kind::not_acceptable, "no codec"};
    respond(1, 200, "desk", 100, "v=desk");
    EXPECT_THAT(lines().back(), StartsWith("BYE "));
    EXPECT_THAT(refusals, IsEmpty());
    media->problem.reset();
    respond(2, 200, "wall", 200, "v=wall");
    ASSERT_TRUE(session);
    EXPECT_EQ(session->dialog().remote_tag(), "wall");
}

TEST_F(Forking, TheNextStartFollowsWithAHigherNumber) {
    next = {{way("cell")}, {way("home")}};
    at = 100;
    start({{way("desk")}, {way("wall")}}, 2);
    respond(1, 486, "desk", 100);
    respond(2, 404, "wall", 100);
    EXPECT_EQ(refusals.size(), 1U);
    EXPECT_THAT(lines(), ElementsAre("INVITE sip:desk@192.0.2.7", "INVITE sip:wall@192.0.2.7",
                                     "INVITE sip:cell@192.0.2.7", "INVITE sip:home@192.0.2.7"));
    EXPECT_EQ(header(network.requests[3].bytes, "CSeq"), "2 INVITE");
    respond(4, 200, "home", 300, "v=home");
    ASSERT_TRUE(session);
    fork->tick(400 + kTimeout);
}

TEST_F(Forking, EachStartRingsForItsShareOfTheTime) {
    next = {{way("cell")}};
    at = 30000;
    start({{way("desk")}}, 2);
    respond(1, 180, "desk", 100);
    EXPECT_EQ(fork->next_deadline(), 30000);
    fork->tick(30000);
    EXPECT_THAT(lines(), ElementsAre("INVITE sip:desk@192.0.2.7", "CANCEL sip:desk@192.0.2.7",
                                     "INVITE sip:cell@192.0.2.7"));
    fork->tick(59999);
    EXPECT_EQ(refusals.size(), 1U);
    respond(1, 487, "desk", 59999);
    fork->tick(60000);
    ASSERT_EQ(refusals.size(), 2U);
    EXPECT_EQ(refusals[1].cause, EndCause::no_answer);
    EXPECT_FALSE(refusals[1].try_next) << "the time is over";
}

TEST_F(Forking, AWayThatFailsGivesWayToAnotherToTheSameDevice) {
    start({{way("desk", 7), way("desk-again", 8)}, {way("wall", 9)}});
    EXPECT_EQ(network.requests.size(), 2U) << "one way each";
    fork->connection_closed(7, 100);
    EXPECT_THAT(lines().back(), "INVITE sip:desk-again@192.0.2.7");
    EXPECT_EQ(media->offered, 1);
    respond(3, 486, "desk", 200);
    fork->connection_closed(9, 200);
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].why.status, 486);
}

TEST_F(Forking, ACallThatIsTakenBackIsTakenBackEverywhere) {
    start({{way("desk")}, {way("wall")}});
    respond(1, 180, "desk", 100);
    respond(2, 180, "wall", 100);
    fork->cancel(EndCause::removed, 200);
    EXPECT_THAT(lines(), ElementsAre("INVITE sip:desk@192.0.2.7", "INVITE sip:wall@192.0.2.7",
                                     "CANCEL sip:desk@192.0.2.7", "CANCEL sip:wall@192.0.2.7"));
    EXPECT_EQ(media.use_count(), 1) << "ports are not kept for stragglers";
    respond(1, 200, "desk", 300, "v=late");
    EXPECT_FALSE(session);
    EXPECT_THAT(lines().back(), StartsWith("BYE "));
}

TEST_F(Forking, EarlyDialogsOfEachBranchAreKnown) {
    start({{way("desk")}, {way("wall")}});
    respond(2, 180, "wall", 100);
    EXPECT_NE(fork->early_flow("c1|l|wall"), nullptr);
    EXPECT_EQ(fork->early_flow("c1|l|desk"), nullptr);
    fork->receive("t1", read("OPTIONS sip:board@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\n"
                             "From: <sip:bob@vmr.example>;tag=wall\r\nTo: <sip:board@vmr.example>;tag=l\r\n"
                             "Call-ID: c1\r\nCSeq: 9 OPTIONS\r\nContent-Length: 0\r\n\r\n"));
    fork->receive("t2", read("BYE sip:board@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK2\r\n"
                             "From: <sip:bob@vmr.example>;tag=other\r\nTo: <sip:board@vmr.example>;tag=l\r\n"
                             "Call-ID: c1\r\nCSeq: 9 BYE\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_THAT(network.statuses, ElementsAre(200, 481));
}

Contact contact(const std::string& user, unsigned q, const std::string& instance = {},
                Transport transport = Transport::tls, const std::string& local = "192.0.2.1") {
    Contact made;
    made.uri = user;
    made.q = q;
    made.instance = instance;
    made.flow.transport = transport;
    made.flow.local = {local, 5061};
    return made;
}

// "a+b, c": a and b together, then c; "a/a2": a second way to a.
std::string groups(const std::vector<Contact>& contacts) {
    std::string text;
    for (const RingGroup& group : ring_groups(contacts)) {
        text += text.empty() ? "" : ", ";
        for (const RingDevice& device : group) {
            text += text.empty() || text.back() == ' ' ? "" : "+";
            for (const Contact& way : device) {
                text += (&way == &device.front() ? "" : "/") + way.uri;
            }
        }
    }
    return text;
}

TEST(RingGroups, EqualOnesRingTogetherOneAtATimeOfADevice) {
    EXPECT_EQ(groups({}), "");
    EXPECT_EQ(groups({contact("a", 1000), contact("b", 1000), contact("c", 500)}), "a+b, c");
    EXPECT_EQ(groups({contact("a", 1000, "<1>"), contact("b", 1000, "<2>"), contact("a2", 1000, "<1>")}),
              "a/a2+b");
    EXPECT_EQ(groups({contact("a", 1000, "<1>"), contact("b", 700), contact("a2", 500, "<1>")}), "a/a2, b");
    EXPECT_EQ(groups({contact("clear", 1000, "", Transport::udp), contact("a", 1000), contact("b", 1000)}),
              "a+b, clear")
        << "an offer over TLS holds keys";
    EXPECT_EQ(groups({contact("a", 1000), contact("far", 1000, "", Transport::tls, "198.51.100.1")}),
              "a, far")
        << "the offer names one address";
}

}  // namespace
}  // namespace vmr::sip::test
