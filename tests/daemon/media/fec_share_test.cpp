#include "daemon/media/fec_share.hpp"

#include <gtest/gtest.h>

namespace vmr::media {
namespace {

unsigned after_ten(double loss, std::optional<double> round_trip_ms, bool resent) {
    FecShare share;
    for (uint64_t number = 1; number <= 10; ++number) {
        share.update({number, loss}, round_trip_ms, resent);
    }
    return share.percentage();
}

TEST(FecShare, NothingOnACleanPath) {
    EXPECT_EQ(after_ten(0, 200, false), 0u);
    EXPECT_EQ(after_ten(0.005, 200, true), 0u);
    FecShare share;
    EXPECT_EQ(share.update({1, 1 / 40.0}, 200, false), 10u) << "one packet of a second's";
}

TEST(FecShare, FollowsTheLossAndIsBounded) {
    EXPECT_NEAR(after_ten(0.05, 200, false), 15, 1);
    EXPECT_NEAR(after_ten(0.10, 200, false), 29, 1);
    EXPECT_EQ(after_ten(0.6, 200, false), 50u);
    EXPECT_EQ(after_ten(7, 200, false), 50u) << "no fraction";
}

TEST(FecShare, SendingAgainIsCheaperWhereItComesInTime) {
    EXPECT_EQ(after_ten(0.10, 5, true), 0u);
    EXPECT_EQ(after_ten(0.10, std::nullopt, true), 0u) << "not known to be long";
    EXPECT_NEAR(after_ten(0.10, 60, true), 15, 1);
    EXPECT_NEAR(after_ten(0.10, 200, true), 29, 1);
}

TEST(FecShare, OneReportIsOneReportAndItEnds) {
    FecShare share;
    const unsigned once = share.update({1, 0.10}, 200, false);
    EXPECT_EQ(share.update({1, 0.10}, 200, false), once);
    for (uint64_t number = 2; number < 40; ++number) {
        share.update({number, 0}, 200, false);
    }
    EXPECT_EQ(share.percentage(), 0u);
}

}  // namespace
}  // namespace vmr::media
