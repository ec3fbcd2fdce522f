// The rules of a call, by RFC and section, on a made-up clock.
#include "daemon/legs/sip/dialog/session.hpp"

#include <gtest/gtest.h>

#include "daemon/legs/sip/dialog/media_control.hpp"
#include "daemon/legs/sip/dialog/transaction.hpp"
#include "daemon/legs/sip/network/stack.hpp"
#include "tests/support/sip/session_rules.hpp"

namespace vmr::sip::test {
namespace {

class Rules : public SessionRules {};

// RFC 3261 section 13.3.1.4
TEST_F(Rules, A2xxIsSentAgainUntilItsAckAndByeFollowsAfter64T1) {
    start();
    session->accept(0);
    EXPECT_TRUE(session->half_open());
    std::vector<std::int64_t> at;
    for (std::int64_t now = 0; now <= 32000; now += 50) {
        const std::size_t before = host.direct.size();
        session->tick(now);
        if (host.direct.size() > before) {
            at.push_back(now);
        }
    }
    EXPECT_EQ(at,
              (std::vector<std::int64_t>{500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500}));
    ASSERT_EQ(host.requests.size(), 1U);
    EXPECT_EQ(host.requests[0].method, "BYE");
    EXPECT_EQ(host.ended, std::vector<EndCause>{EndCause::signalling_timeout});
    EXPECT_EQ(host.answered, 0);
    EXPECT_TRUE(session->over()) << "the BYE's transaction goes on without it";
}

// Not after 32 s, where there are too many calls.
TEST_F(Rules, AHalfOpenCallThatGivesWayIsOver) {
    start();
    session->accept(0);
    session->give_way(1000);
    EXPECT_TRUE(session->over());
    EXPECT_TRUE(host.direct.back().starts_with("BYE "));
    EXPECT_TRUE(host.requests.empty());
    EXPECT_EQ(host.ended, std::vector<EndCause>{EndCause::overload});
    start();
    session->give_way(1000);
    EXPECT_TRUE(session->over());
    EXPECT_EQ(host.statuses.back(), 503);
    establish();
    session->give_way(1000);
    EXPECT_FALSE(session->over()) << "it is up";
}

// RFC 3261 section 15: no BYE before the ACK
TEST_F(Rules, HangingUpBeforeTheAckWaitsForIt) {
    start();
    session->accept(0);
    session->end(EndCause::removed, 5);
    EXPECT_TRUE(host.requests.empty());
    EXPECT_EQ(host.ended.size(), 1U);
    session->receive("", request("ACK", 1, {}, {}, "l"), 10);
    ASSERT_EQ(host.requests.size(), 1U);
    EXPECT_NE(host.requests[0].bytes.find("removed"), std::string::npos);
    EXPECT_EQ(host.ended.size(), 1U);
    EXPECT_EQ(host.answered, 0);
}

// RFC 3261 section 14.1, 14.2
TEST_F(Rules, GlareIs491AndARepeatedInviteIs500) {
    establish();
    session->renegotiate(100);
    receive("INVITE", 2, 110, {}, kOffer);
    EXPECT_EQ(host.statuses.back(), 491);
    respond(1, 491, 120);
    EXPECT_EQ(media->discarded, 1);
    session->tick(1119);
    EXPECT_EQ(host.requests.size(), 1U);
    session->tick(1121);  // 10 ms * random(200) later
    ASSERT_EQ(host.requests.size(), 2U);
    respond(2, 200, 1130, {}, kOffer);
    EXPECT_TRUE(host.direct.back().starts_with("ACK "));
    EXPECT_EQ(media->answers.size(), 1U);
    receive("INVITE", 3, 1200, {}, kOffer);
    EXPECT_EQ(host.statuses.back(), 200);
    receive("INVITE", 4, 1210, {}, kOffer);  // before the ACK of the last
    EXPECT_EQ(host.statuses.back(), 500);
    EXPECT_NE(host.responses.back().find("Retry-After"), std::string::npos);
}

// RFC 3261 section 14.1: what we wanted is asked again, whatever crossed it
TEST_F(Rules, OurOfferIsMadeAgainAfterThePeersOwnAndAfterARefusedRefresh) {
    establish("Supported: timer\r\nAllow: UPDATE\r\nSession-Expires: 100;refresher=uas\r\n");
    session->renegotiate(100);
    respond(1, 491, 120);
    receive("INVITE", 2, 130, "Supported: timer\r\nSession-Expires: 100;refresher=uas\r\n", kOffer);
    session->receive("", request("ACK", 2, {}, {}, "l"), 140);
    session->tick(2200);
    ASSERT_EQ(host.requests.size(), 2U);
    EXPECT_EQ(host.requests[1].method, "INVITE");
    respond(2, 200, 2300, "Session-Expires: 100;refresher=uac\r\n", kOffer);
    session->tick(52300);
    ASSERT_EQ(host.requests.size(), 3U);
    EXPECT_EQ(host.requests[2].method, "UPDATE");
    session->renegotiate(52310);  // while the refresh is under way
    respond(3, 491, 52320);
    session->tick(55000);
    ASSERT_EQ(host.requests.size(), 4U);
    EXPECT_EQ(host.requests[3].method, "INVITE") << "an offer, which refreshes too";
    respond(4, 491, 55010);
    session->tick(58000);
    ASSERT_EQ(host.requests.size(), 5U);
    EXPECT_EQ(host.requests[4].method, "INVITE");
}

TEST_F(Rules, AnOfferThatIsWantedBeforeTheAckFollowsIt) {
    start();
    session->accept(0);
    session->renegotiate(10);
    EXPECT_TRUE(host.requests.empty());
    session->receive("", request("ACK", 1, {}, {}, "l"), 20);
    session->tick(1000);
    ASSERT_EQ(host.requests.size(), 1U);
    EXPECT_EQ(host.requests[0].method, "INVITE");
}

// Section 14.1: whose Call-ID it is waits 2.1 to 4 s
TEST_F(Rules, InACallThatWePlacedWeWaitLongerAfterGlare) {
    establish();
    session = std::make_unique<Session>(host, Established{session->dialog(), {}, media});
    session->renegotiate(0);
    respond(1, 491, 100);
    session->tick(2199);
    EXPECT_EQ(host.requests.size(), 1U);
    session->tick(4100);
    EXPECT_EQ(host.requests.size(), 2U);
}

// RFC 3261 section 12.2.2
TEST_F(Rules, RequestsOutOfOrderAreRefused) {
    establish();
    receive("INFO", 5, 100);
    EXPECT_EQ(host.statuses.back(), 200);
    receive("INFO", 4, 110);
    EXPECT_EQ(host.statuses.back(), 500);
}

// RFC 3261 section 14.2: a refused offer leaves the call as it was
TEST_F(Rules, ARefusedOfferLeavesTheCall) {
    establish();
    media->problem = MediaProblem{MediaProblem::Kind::not_acceptable, "codecs"};
    receive("INVITE", 2, 100, {}, kOffer);
    EXPECT_EQ(host.statuses.back(), 488);
    EXPECT_TRUE(host.ended.empty());
}

// RFC 3261 section 13.2.2.4: the answer to our offer must come in the ACK
TEST_F(Rules, ADelayedOfferWithoutAnAnswerEndsTheCall) {
    start({}, "");
    session->accept(0);
    session->receive("", request("ACK", 1, {}, {}, "l"), 10);
    ASSERT_EQ(host.requests.size(), 1U);
    EXPECT_EQ(host.requests[0].method, "BYE");
    EXPECT_EQ(host.ended, std::vector<EndCause>{EndCause::not_acceptable});
}

// RFC 3261 section 14.2: our own offers are of the session as it is
TEST_F(Rules, AnOfferThatThePeerAsksForIsOfAllThatWeCanDo) {
    establish();
    receive("INVITE", 2, 100);
    EXPECT_EQ(host.statuses.back(), 200);
    EXPECT_EQ(media->offered_anew, 1);
    session->receive("", request("ACK", 2, {}, kOffer, "l"), 110);
    EXPECT_EQ(media->answers, std::vector<std::string>{kOffer});
    session->renegotiate(200);
    ASSERT_EQ(host.requests.size(), 1U);
    EXPECT_EQ(media->offered, 2);
    EXPECT_EQ(media->offered_anew, 1);
    EXPECT_TRUE(host.ended.empty());
}

// RFC 3262 section 3 and 5
TEST_F(Rules, AReliableRingIsSentAgainAndFailsWith504) {
    start("Supported: 100rel\r\n");
    session->ring(0);
    EXPECT_NE(host.responses.back().find("RSeq: "), std::string::npos);
    session->tick(500);
    session->tick(1500);
    EXPECT_EQ(host.direct.size(), 2U);
    session->tick(32000);
    EXPECT_EQ(host.statuses.back(), 504);
    EXPECT_TRUE(session->over());
}

// Section 3: "it MUST be prepared to process PRACK requests" behind its final answer
TEST_F(Rules, APrackThatCrossesTheAnswerIs200) {
    start("Supported: 100rel\r\n");
    session->ring(0);
    const std::string rack = "RAck: " + *read(host.responses.back()).header("rseq") + " 1 INVITE\r\n";
    session->accept(10);
    session->tick(500);
    EXPECT_TRUE(host.direct.empty() || host.direct.back().starts_with("SIP/2.0 200"));
    receive("PRACK", 2, 510, "RAck: 7 1 INVITE\r\n");
    EXPECT_EQ(host.statuses.back(), 481);
    receive("PRACK", 3, 520, rack);
    EXPECT_EQ(host.statuses.back(), 200);
}

TEST_F(Rules, ADelayedOfferWithReliabilityRequiredGetsNoRingWithoutAnOffer) {
    start("Require: 100rel\r\n", "");
    session->ring(0);
    EXPECT_TRUE(host.statuses.empty());
}

// RFC 3311 section 5.2
TEST_F(Rules, AnUpdateWithAnOfferBeforeTheAnswerIs500) {
    start();
    session->ring(0);
    receive("UPDATE", 2, 10, {}, kOffer);
    EXPECT_EQ(host.statuses.back(), 500);
    receive("UPDATE", 3, 10);
    EXPECT_EQ(host.statuses.back(), 200);
}

// RFC 4028 sections 7.2, 9, 10
TEST_F(Rules, WeRefreshByUpdateAtHalfTheIntervalWhenAskedTo) {
    establish("Supported: timer\r\nAllow: INVITE, UPDATE\r\nSession-Expires: 100;refresher=uas\r\n");
    EXPECT_NE(host.responses.back().find("Session-Expires: 100;refresher=uas"), std::string::npos);
    session->tick(49999);
    EXPECT_TRUE(host.requests.empty());
    session->tick(50000);
    ASSERT_EQ(host.requests.size(), 1U);
    EXPECT_EQ(host.requests[0].method, "UPDATE");
    EXPECT_NE(host.requests[0].bytes.find("Session-Expires: 100;refresher=uac"), std::string::npos);
    respond(1, 200, 50100, "Session-Expires: 100;refresher=uac\r\n");
    session->tick(100099);
    EXPECT_EQ(host.requests.size(), 1U);
    session->tick(100100);
    EXPECT_EQ(host.requests.size(), 2U);
}

TEST_F(Rules, A422RaisesTheIntervalAndAPeerWithoutUpdateGetsAReinvite) {
    establish("Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n");
    session->tick(45000);
    ASSERT_EQ(host.requests.size(), 1U);
    EXPECT_EQ(host.requests[0].method, "INVITE");
    respond(1, 422, 45100, "Min-SE: 300\r\n");
    session->tick(45200);
    ASSERT_EQ(host.requests.size(), 2U);
    EXPECT_NE(host.requests[1].bytes.find("Session-Expires: 300;refresher=uac"), std::string::npos);
}

// RFC 4028 section 7.3: once, and for a reason
TEST_F(Rules, A422ThatAsksForNothingMoreIsARefusal) {
    for (const char* allow : {"", "Allow: UPDATE\r\n"}) {
        host.requests.clear();
        host.next = 0;
        establish(std::string("Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n") + allow);
        session->tick(45000);
        ASSERT_EQ(host.requests.size(), 1U);
        respond(1, 422, 45010, "Min-SE: 300\r\n");
        session->tick(45100);
        ASSERT_EQ(host.requests.size(), 2U);
        EXPECT_NE(host.requests[1].bytes.find("Min-SE: 300\r\n"), std::string::npos);
        respond(2, 422, 45110, "Min-SE: 400\r\n");
        session->tick(45200);
        EXPECT_EQ(host.requests.size(), 2U);
        establish(std::string("Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n") + allow);
        session->tick(45000);
        ASSERT_EQ(host.requests.size(), 3U);
        respond(3, 422, 45010, "Min-SE: 90\r\n");
        session->tick(45100);
        EXPECT_EQ(host.requests.size(), 3U);
    }
}

// RFC 3261 section 14.2: "as if the request had not been received"
TEST_F(Rules, ARefusedOfferLeavesTheTimer) {
    establish("Supported: timer\r\nAllow: UPDATE\r\nSession-Expires: 100;refresher=uas\r\n");
    media->problem = MediaProblem{MediaProblem::Kind::not_acceptable, "codecs"};
    receive("INVITE", 2, 100, "Supported: timer\r\nSession-Expires: 1000;refresher=uac\r\n", kOffer);
    EXPECT_EQ(host.statuses.back(), 488);
    receive("UPDATE", 3, 200, "Supported: timer\r\nSession-Expires: 1000;refresher=uac\r\n", kOffer);
    EXPECT_EQ(host.statuses.back(), 488);
    session->tick(50000);
    ASSERT_EQ(host.requests.size(), 1U);
    EXPECT_NE(host.requests[0].bytes.find("Session-Expires: 100;refresher=uac"), std::string::npos);
}

TEST_F(Rules, ASessionThatThePeerDoesNotRefreshEnds) {
    establish("Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n");
    receive("UPDATE", 2, 50000, "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n");
    session->tick(60100);
    EXPECT_TRUE(host.ended.empty());
    session->tick(50000 + 90000 - 30000);  // min(32 s, a third) before the end
    EXPECT_EQ(host.ended, std::vector<EndCause>{EndCause::signalling_timeout});
    EXPECT_EQ(host.requests.back().method, "BYE");
}

// RFC 5057: the peer has forgotten the dialog
TEST_F(Rules, A481ToARefreshEndsTheCall) {
    establish("Supported: timer\r\nAllow: UPDATE\r\nSession-Expires: 90;refresher=uas\r\n");
    session->tick(45000);
    respond(1, 481, 45100);
    EXPECT_EQ(host.ended, std::vector<EndCause>{EndCause::signalling_lost});
}

TEST_F(Rules, ARingingCallThatNobodyAnswersEnds) {
    start();
    session->ring(0);
    session->tick(180000);
    EXPECT_EQ(host.statuses.back(), 480);
    EXPECT_EQ(host.ended, std::vector<EndCause>{EndCause::no_answer});
}

// RFC 3261 section 12.2.1.1
TEST_F(Rules, RoutesAreLooseOrStrict) {
    establish("Record-Route: <sip:p1.test;lr>, <sip:p2.test;lr>\r\n");
    session->end(EndCause::removed, 100);
    const std::string& loose = host.requests.back().bytes;
    EXPECT_TRUE(loose.starts_with("BYE sip:a@192.0.2.7 SIP/2.0\r\n")) << loose;
    EXPECT_LT(loose.find("Route: <sip:p1.test;lr>"), loose.find("Route: <sip:p2.test;lr>"));
    establish("Record-Route: <sip:p1.test>, <sip:p2.test;lr>\r\n");
    session->end(EndCause::removed, 100);
    const std::string& strict = host.requests.back().bytes;
    EXPECT_TRUE(strict.starts_with("BYE sip:p1.test SIP/2.0\r\n")) << strict;
    EXPECT_LT(strict.find("Route: <sip:p2.test;lr>"), strict.find("Route: <sip:a@192.0.2.7>"));
}

// RFC 3261 section 12.1.1; elsewhere never, many clients cannot use one
TEST_F(Rules, OurContactIsSipsInACallToASipsUri) {
    Message invite = request("INVITE", 1, {}, kOffer);
    invite.flow.transport = Transport::tls;
    EXPECT_EQ(Dialog(invite, "l", "").contact(), "<sip:room@192.0.2.1:5060;transport=tls>");
    invite.uri.scheme = "sips";
    EXPECT_EQ(Dialog(invite, "l", "").contact(), "<sips:room@192.0.2.1:5060>");
}

// RFC 5168
TEST_F(Rules, AKeyframeIsAskedForByInfoBothWays) {
    establish();
    const auto info = [&](int cseq, std::int64_t now, const std::string& body) {
        Message message = request("INFO", cseq, {}, body, "l");
        message.content_type = kMediaControlType;
        session->receive("t" + std::to_string(cseq), message, now);
    };
    info(2, 100, write_picture_fast_update());
    EXPECT_EQ(host.statuses.back(), 200);
    EXPECT_EQ(media->keyframes, 1);
    info(3, 500, "<media_control><vc_primitive><to_encoder><x:picture_fast_update></x:picture_fast_update>");
    EXPECT_EQ(media->keyframes, 1);  // 500 ms have not passed
    info(4, 700, "<media_control ><picture_fast_update/></media_control>");
    EXPECT_EQ(media->keyframes, 2);
    info(5, 2000, "<media_control/>");
    EXPECT_EQ(host.statuses.back(), 200);
    info(6, 3000, "picture_fast_update");
    EXPECT_EQ(host.statuses.back(), 400);
    EXPECT_EQ(media->keyframes, 2);

    session->ask_for_keyframe(4000);
    session->ask_for_keyframe(4500);
    ASSERT_EQ(host.requests.size(), 1U);
    EXPECT_EQ(host.requests[0].method, "INFO");
    EXPECT_NE(host.requests[0].bytes.find("Content-Type: application/media_control+xml"), std::string::npos);
    respond(1, 200, 4600);
    session->ask_for_keyframe(4900);
    EXPECT_EQ(host.requests.size(), 1U);
    session->ask_for_keyframe(5000);
    ASSERT_EQ(host.requests.size(), 2U);
    respond(2, 415, 5100);  // it does not know that
    session->ask_for_keyframe(9000);
    EXPECT_EQ(host.requests.size(), 2U);
}

// RFC 3428 section 7: a call without chat (a trunk's); message_test.cpp has the others
TEST_F(Rules, AMessageThatTheCallDoesNotTakeIs405) {
    establish();
    receive("MESSAGE", 2, 100, {}, "hello");
    EXPECT_EQ(host.statuses.back(), 405);
    EXPECT_NE(host.responses.back().find("\r\nAllow: "), std::string::npos);
}

}  // namespace
}  // namespace vmr::sip::test
