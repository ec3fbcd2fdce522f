// Requests of ours within a call that the far side refuses, and what it requires of us: on a made-up clock.
#include <gmock/gmock.h>

#include "tests/support/sip/session_rules.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Refusals : public SessionRules {
protected:
    // Turns the clock until `end`; when requests went out, in ms. `answer(id, now)` answers each.
    template <typename Answer>
    std::vector<std::int64_t> turn(std::int64_t from, std::int64_t end, Answer&& answer) {
        std::vector<std::int64_t> sent;
        for (std::int64_t now = from; now <= end && host.ended.empty(); now += 500) {
            const std::size_t before = host.requests.size();
            session->tick(now);
            if (host.requests.size() > before && host.ended.empty()) {
                sent.push_back(now);
                answer(host.requests.size(), now);
            }
        }
        return sent;
    }
    auto always(int status, const std::string& extra = {}) {
        return [this, status, extra](std::uint64_t id, std::int64_t now) { respond(id, status, now, extra); };
    }
    void establish_refreshing(const std::string& allow = "Allow: UPDATE\r\n") {
        establish("Supported: timer\r\n" + allow + "Session-Expires: 1800;refresher=uas\r\n");
    }
};

// RFC 3261 section 21.5: the server's trouble, not the call's
TEST_F(Refusals, ARefreshThatIsRefusedForNowIsSentAgain) {
    establish_refreshing();
    const auto sent = turn(0, 1000000, [this](std::uint64_t id, std::int64_t now) {
        respond(id, id == 1 ? 503 : 200, now, id == 1 ? "Retry-After: 30\r\n" : "");
    });
    EXPECT_THAT(sent, ElementsAre(900000, 930000));
    EXPECT_EQ(host.requests[1].method, "UPDATE");
    session->tick(930000 + 900000);
    EXPECT_EQ(host.requests.size(), 3U) << "as ever from then on";
    EXPECT_TRUE(host.ended.empty());
}

TEST_F(Refusals, ARefreshIsTriedUntilTheSessionIsOver) {
    for (const char* allow : {"Allow: UPDATE\r\n", ""}) {
        host = FakeHost();
        establish_refreshing(allow);
        const auto sent = turn(0, 2000000, always(500));
        ASSERT_GT(sent.size(), 15U);
        EXPECT_LT(sent.size(), 25U);
        EXPECT_EQ(sent[1] - sent[0], 5000);
        EXPECT_EQ(sent[2] - sent[1], 10000);
        EXPECT_LE(sent[10] - sent[9], 60000);
        EXPECT_EQ(sent.back(), 1763000) << "in time for an answer";
        EXPECT_THAT(host.ended, ElementsAre(EndCause::signalling_timeout));
    }
}

TEST_F(Refusals, ARefreshIsTriedInTimeHoweverLongThePeerWantsToBeLeftAlone) {
    establish_refreshing();
    EXPECT_THAT(turn(0, 1767000, always(480, "Retry-After: 99999999999 (gone)\r\n")),
                ElementsAre(900000, 1763000));
}

TEST_F(Refusals, ARefreshThatIsRefusedForGoodGetsOneMoreTry) {
    establish_refreshing();
    EXPECT_THAT(turn(0, 1767000, always(403)), ElementsAre(900000, 1334000));
    EXPECT_TRUE(host.ended.empty());
}

TEST_F(Refusals, ARefreshDoesNotWaitBehindAnOffer) {
    establish_refreshing();
    session->renegotiate(899000);
    respond(1, 503, 899010, "Retry-After: 900\r\n");
    session->tick(900000);
    ASSERT_EQ(host.requests.size(), 2U);
    respond(2, 200, 900010, {}, kOffer);
    session->tick(900000 + 900000);
    EXPECT_TRUE(host.ended.empty());
}

TEST_F(Refusals, AnOfferThatIsRefusedForNowIsMadeAgain) {
    establish();
    session->renegotiate(0);
    respond(1, 500, 10, "Retry-After: 8\r\n");
    EXPECT_EQ(media->discarded, 1);
    const auto sent =
        turn(500, 100000, [this](std::uint64_t id, std::int64_t now) { respond(id, 200, now, {}, kOffer); });
    EXPECT_THAT(sent, ElementsAre(8500));
    EXPECT_EQ(media->answers.size(), 1U);
}

TEST_F(Refusals, AnOfferIsMadeAFewTimesAndLeavesTheCall) {
    establish();
    session->renegotiate(0);
    respond(1, 480, 0);
    EXPECT_THAT(turn(0, 2000000, always(480)), ElementsAre(5000, 15000, 35000, 75000, 135000, 195000));
    EXPECT_TRUE(host.ended.empty());
    session->renegotiate(2000000);
    EXPECT_EQ(host.requests.size(), 8U) << "another wish";
}

TEST_F(Refusals, AnOfferThatIsRefusedForGoodIsNotMadeAgain) {
    for (const int status : {488, 403, 501, 603}) {
        host = FakeHost();
        establish();
        session->renegotiate(0);
        respond(1, status, 0);
        EXPECT_THAT(turn(0, 100000, always(status)), IsEmpty()) << status;
    }
}

// RFC 3262 section 3: who is told that we know reliable responses waits for a PRACK
TEST_F(Refusals, AnOfferOfOursAsksForNoReliableResponses) {
    establish();
    session->renegotiate(0);
    const Message invite = read(host.requests[0].bytes);
    EXPECT_FALSE(invite.has_token("supported", "100rel"));
    EXPECT_TRUE(invite.has_token("supported", "timer"));
}

// RFC 3261 section 8.2.2.3
TEST_F(Refusals, WhatIsRequiredWithinTheCallIsKnownOr420) {
    establish();
    receive("INVITE", 2, 100, "Require: timer, foo\r\nRequire: bar\r\n", kOffer);
    EXPECT_EQ(host.statuses.back(), 420);
    EXPECT_EQ(header(host.responses.back(), "Unsupported"), "foo, bar");
    EXPECT_EQ(media->offers.size(), 1U);
    receive("INFO", 3, 110, "Require: resource-priority\r\n");
    EXPECT_EQ(host.statuses.back(), 420);
    receive("INVITE", 4, 120, "Require: timer\r\n", kOffer);
    EXPECT_EQ(host.statuses.back(), 200);
    session->receive("", request("ACK", 4, "Require: foo\r\n", {}, "l"), 130);
    receive("BYE", 5, 140);
    EXPECT_EQ(host.statuses.back(), 200);
}

TEST_F(Refusals, PrecedenceMayBeRequiredWhereItsTrunkKnowsIt) {
    establish();
    session = std::make_unique<Session>(
        host, Established{.dialog = session->dialog(), .timer = {}, .media = media, .precedence = true});
    receive("INFO", 2, 100, "Require: resource-priority\r\n");
    EXPECT_EQ(host.statuses.back(), 200);
    receive("INFO", 3, 110, "Require: resource-priority, foo\r\n");
    EXPECT_EQ(header(host.responses.back(), "Unsupported"), "foo");
}

}  // namespace
}  // namespace vmr::sip::test
