// What calls out may cost: by the started minute, reserved before it begins, in any 24 hours.
#include "daemon/bridge/spend.hpp"

#include <gtest/gtest.h>

namespace vmr::bridge {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

class SpendTest : public testing::Test {
protected:
    SpendTest() {
        spend.on_alarm([this](const Spend::Alarm& alarm) {
            alarms.push_back(alarm.room + (alarm.reached ? " reached " : " near ") +
                             std::to_string(alarm.spent) + "/" + std::to_string(alarm.limit));
        });
    }
    void place(const std::string& leg, std::int64_t price, const std::string& room = "board") {
        ASSERT_TRUE(spend.reserve(leg, room, price));
        spend.answer(leg);
    }
    Spend::Turn after(Spend::Clock::duration time) {
        now += time;
        return spend.tick();
    }

    Spend::Clock::time_point now{1000h};
    Spend spend{[this] { return now; }};
    Names alarms;
};

TEST_F(SpendTest, AStartedMinuteCountsFromTheAnswerOn) {
    ASSERT_TRUE(spend.reserve("a", "board", 120'000));
    after(100s);
    EXPECT_EQ(spend.cost("a"), 0);
    spend.answer("a");
    EXPECT_EQ(spend.cost("a"), 120'000);
    EXPECT_TRUE(after(59s).charged.empty());
    EXPECT_EQ(spend.spent(), 120'000);
    EXPECT_EQ(after(1s).charged, Names{"a"});
    EXPECT_EQ(spend.end("a"), 240'000);
    EXPECT_EQ(spend.end("a"), std::nullopt);
    EXPECT_EQ(spend.spent(), 240'000);
    after(10min);
    EXPECT_EQ(spend.spent(), 240'000);
}

TEST_F(SpendTest, WhatHasBegunSinceTheLastTickCountsAtTheEnd) {
    place("a", 10);
    now += 2min + 1s;
    EXPECT_EQ(spend.end("a"), 30);
    EXPECT_EQ(spend.spent(), 30);
}

TEST_F(SpendTest, WhoRingsHoldsAMinuteAndGivesItBackUnanswered) {
    spend.set_limits({100, {}});
    ASSERT_TRUE(spend.reserve("a", "board", 60));
    EXPECT_FALSE(spend.admits("board", 60));
    EXPECT_FALSE(spend.reserve("b", "board", 60));
    EXPECT_TRUE(spend.admits("board", 40));
    EXPECT_EQ(spend.end("a"), 0);
    EXPECT_TRUE(spend.admits("board", 100));
    EXPECT_FALSE(spend.admits("board", 101));
}

TEST_F(SpendTest, CallsAtTheSameTimeDoNotOverrunTheLimitTogether) {
    spend.set_limits({50, {}});
    for (const char* leg : {"a", "b", "c"}) {
        place(leg, 10);
    }
    EXPECT_TRUE(after(54s).over.empty());
    EXPECT_EQ(after(1s).over, Names{"c"});  // two more minutes fit, reserved
    EXPECT_FALSE(spend.admits("board", 1));
    EXPECT_TRUE(after(1s).over.empty());  // it was told
    EXPECT_EQ(spend.end("c"), 10);
    after(4s);
    EXPECT_EQ(spend.spent(), 50);
    EXPECT_EQ(after(55s).over, (Names{"a", "b"}));
    EXPECT_EQ(spend.end("a"), 20);
    EXPECT_EQ(spend.end("b"), 20);
    EXPECT_EQ(spend.spent(), 50);
}

TEST_F(SpendTest, WhoDoesNotEndCostsFurtherAndIsToldAgain) {
    spend.set_limits({10, {}});
    place("a", 10);
    EXPECT_EQ(after(58s).over, Names{"a"});
    const Spend::Turn late = after(2s);
    EXPECT_EQ(late.charged, Names{"a"});
    EXPECT_TRUE(late.over.empty());
    EXPECT_EQ(after(57s).over, Names{"a"});
    EXPECT_EQ(spend.spent(), 20);
}

TEST_F(SpendTest, InAny24Hours) {
    spend.set_limits({100, {}});
    spend.restore("board", 30, 25h);
    spend.restore("board", 60, 23h);
    spend.restore("other", 40, 0h);
    EXPECT_EQ(spend.spent(), 100);
    EXPECT_FALSE(spend.admits("board", 1));
    after(59min);
    EXPECT_FALSE(spend.admits("board", 1));
    after(2min);
    EXPECT_EQ(spend.spent(), 40);
    EXPECT_TRUE(spend.admits("board", 60));
    EXPECT_FALSE(spend.admits("board", 61));
    after(23h);
    EXPECT_EQ(spend.spent(), 0);
}

TEST_F(SpendTest, ARoomHasALimitOfItsOwn) {
    spend.set_limits({{}, 20});
    place("a", 10, "board");
    place("b", 10, "board");
    EXPECT_FALSE(spend.admits("board", 10));
    EXPECT_TRUE(spend.admits("other", 20));
    spend.set_limits({25, 20});
    EXPECT_FALSE(spend.admits("other", 20));
    EXPECT_TRUE(spend.admits("other", 5));
}

TEST_F(SpendTest, WhatCostsNothingIsNotLimited) {
    spend.set_limits({0, 0});
    EXPECT_TRUE(spend.reserve("a", "board", 0));
    spend.answer("a");
    EXPECT_EQ(spend.cost("a"), std::nullopt);
    EXPECT_FALSE(spend.reserve("b", "board", 1));
    spend.set_limits({});
    EXPECT_FALSE(spend.is_limited());
    EXPECT_TRUE(spend.reserve("b", "board", 1'000'000));
}

TEST_F(SpendTest, NewLimitsHoldForWhatIsSpentAndForCallsThatGoOn) {
    place("a", 10);
    spend.set_limits({15, {}});
    EXPECT_FALSE(spend.admits("board", 10));
    EXPECT_EQ(after(55s).over, Names{"a"});
    spend.set_limits({100, {}});
    EXPECT_EQ(spend.spent(), 10);
    EXPECT_TRUE(spend.admits("board", 90));
}

TEST_F(SpendTest, AlarmsAreToldOnceUntilThereIsRoomAgain) {
    spend.set_limits({100, 100});
    spend.restore("board", 79, 23h);
    after(0s);
    EXPECT_TRUE(alarms.empty());
    place("a", 1);
    after(0s);
    EXPECT_EQ(alarms, (Names{" near 80/100", "board near 80/100"}));
    after(1s);
    EXPECT_FALSE(spend.admits("board", 30));
    EXPECT_FALSE(spend.admits("board", 30));
    after(1s);
    ASSERT_EQ(alarms.size(), 3U);
    EXPECT_EQ(alarms[2], " reached 80/100");
    EXPECT_EQ(spend.end("a"), 1);
    after(2h);
    EXPECT_EQ(spend.spent(), 1);
    EXPECT_FALSE(spend.admits("board", 100));
    ASSERT_EQ(alarms.size(), 4U);
    EXPECT_EQ(alarms[3], " reached 1/100");
}

}  // namespace
}  // namespace vmr::bridge
