#include "daemon/media/bitrate_estimate.hpp"

#include <gtest/gtest.h>

namespace vmr::media {
namespace {

using namespace std::chrono_literals;

class BitrateEstimateTest : public testing::Test {
protected:
    BitrateEstimate::Time now{};
    BitrateEstimate estimate{100'000, 1'000'000};
    uint64_t reports = 0, arrivals = 0;

    uint32_t loss(double fraction) { return estimate.update(LossReport{++reports, fraction}, {}, now += 1s); }
    uint32_t queue(bool grows, uint32_t received, std::chrono::milliseconds later = 1s) {
        return estimate.update({}, PathTrend{++arrivals, grows, grows ? 0.7 : 1.0, received}, now += later);
    }
    // Seconds of good reports until the estimate is there.
    int rise_to(uint32_t bitrate) {
        for (int second = 1; second < 1000; ++second) {
            if (queue(false, 500'000) >= bitrate) {
                return second;
            }
        }
        return 1000;
    }
};

TEST_F(BitrateEstimateTest, LossLowersItAndAQuietNetworkRaisesItAgain) {
    EXPECT_EQ(loss(0), 1'000'000u);
    EXPECT_EQ(loss(0.2), 900'000u);
    EXPECT_EQ(estimate.update(LossReport{reports, 0.2}, {}, now += 1s), 900'000u) << "the same report again";
    EXPECT_EQ(loss(0.05), 900'000u) << "neither much nor little";
    EXPECT_EQ(loss(0), 945'000u);
    for (int i = 0; i < 10; ++i) {
        loss(0);
    }
    EXPECT_EQ(loss(0), 1'000'000u);
}

TEST_F(BitrateEstimateTest, StaysBetweenItsBounds) {
    BitrateEstimate narrow(300'000, 200'000);
    EXPECT_EQ(narrow.update(LossReport{1, 1}, {}, now), 200'000u);
    for (int i = 0; i < 20; ++i) {
        loss(7.0);
    }
    EXPECT_EQ(loss(1), 100'000u);
    EXPECT_EQ(queue(true, 0), 100'000u);
}

TEST_F(BitrateEstimateTest, AGrowingQueueCutsItAtOnceBelowWhatArrives) {
    EXPECT_EQ(queue(false, 1'000'000), 1'000'000u);
    EXPECT_EQ(queue(true, 600'000, 100ms), 510'000u);
    EXPECT_EQ(queue(true, 400'000, 100ms), 510'000u) << "the cut has yet to show";
    EXPECT_EQ(queue(true, 400'000), 340'000u);
    EXPECT_EQ(queue(true, 900'000), 340'000u) << "a cut never raises it";
}

TEST_F(BitrateEstimateTest, AQueueThatIsCarriedAllTheSameHasToGrowForLonger) {
    const auto slow = [&] {
        return estimate.update({}, PathTrend{++arrivals, true, 0.97, 950'000}, now += 900ms);
    };
    EXPECT_EQ(slow(), 1'000'000u);
    EXPECT_EQ(slow(), 1'000'000u);
    queue(false, 1'000'000);
    EXPECT_EQ(slow(), 1'000'000u);
    EXPECT_EQ(slow(), 1'000'000u);
    EXPECT_EQ(slow(), 1'000'000u);
    EXPECT_EQ(slow(), 807'500u);
}

TEST_F(BitrateEstimateTest, WhereLittleIsSentACutIsNoFallToTheFloor) {
    EXPECT_EQ(queue(true, 120'000, 500ms), 1'000'000u);
    queue(false, 120'000);
    EXPECT_EQ(queue(true, 120'000, 500ms), 1'000'000u) << "for a moment only";
    EXPECT_EQ(queue(true, 120'000), 500'000u);
    EXPECT_EQ(queue(true, 120'000), 250'000u);
    EXPECT_EQ(queue(true, 120'000), 125'000u);
}

TEST_F(BitrateEstimateTest, ItRisesSlowlyAndEachFailedAttemptMakesTheNextOneSlower) {
    queue(true, 600'000);
    const int first = rise_to(900'000);
    EXPECT_GE(first, 6);
    EXPECT_LE(first, 15);
    queue(true, 600'000);
    const int second = rise_to(900'000);
    queue(true, 600'000);
    const int third = rise_to(900'000);
    EXPECT_GT(second, first * 3 / 2);
    EXPECT_GT(third, second * 3 / 2);
    EXPECT_LT(third, 100);
}

TEST_F(BitrateEstimateTest, SilenceIsNoGoodNews) {
    queue(true, 600'000);
    loss(0.3);
    const uint32_t before = loss(0.05);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(estimate.update(LossReport{reports, 0}, PathTrend{arrivals, false, 1, 0}, now += 1s),
                  before);
        EXPECT_EQ(estimate.update({}, {}, now += 1s), before);
    }
    EXPECT_LE(queue(false, 500'000), before * 1.09) << "nor does it count once reports come again";
}

TEST_F(BitrateEstimateTest, LossWithoutAQueueIsTheMediumsOwn) {
    for (int i = 0; i < 60; ++i) {
        now += 1s;
        EXPECT_EQ(estimate.update(LossReport{++reports, i % 2 == 0 ? 0.13 : 0.08},
                                  PathTrend{++arrivals, false, 1, 900'000}, now),
                  1'000'000u);
    }
    for (int i = 0; i < 60; ++i) {
        EXPECT_EQ(estimate.update(LossReport{++reports, i % 2 == 0 ? 0.6 : 0.0},
                                  PathTrend{++arrivals, false, 1, 30'000}, now += 1s),
                  1'000'000u)
            << "of a few packets";
    }
    for (int i = 0; i < 4; ++i) {
        estimate.update(LossReport{++reports, 0.35}, PathTrend{++arrivals, false, 1, 700'000}, now += 1s);
    }
    EXPECT_LT(estimate.update({}, {}, now), 800'000u) << "that much, and again, is a policer";
    EXPECT_LT(loss(0.15), 750'000u) << "no arrival times: it may be a queue";
}

}  // namespace
}  // namespace vmr::media
