#include "daemon/media/bitrate_estimate.hpp"

#include <gtest/gtest.h>

namespace vmr::media {
namespace {

TEST(BitrateEstimateTest, LossLowersItAndAQuietNetworkRaisesItAgain) {
    BitrateEstimate estimate(100'000, 1'000'000);
    EXPECT_EQ(estimate.update(0, 0), 1'000'000u);
    EXPECT_EQ(estimate.update(0.2, 50), 900'000u);
    EXPECT_EQ(estimate.update(0.2, 50), 900'000u) << "the same report again";
    EXPECT_EQ(estimate.update(0.05, 60), 900'000u) << "neither much nor little";
    EXPECT_EQ(estimate.update(0, 60), 945'000u);
    for (int i = 0; i < 10; ++i) {
        estimate.update(0, 60);
    }
    EXPECT_EQ(estimate.update(0, 60), 1'000'000u);
}

TEST(BitrateEstimateTest, StaysBetweenItsBounds) {
    BitrateEstimate estimate(300'000, 200'000);
    EXPECT_EQ(estimate.update(1, 10), 200'000u);
    BitrateEstimate low(100'000, 1'000'000);
    for (int64_t lost = 1; lost < 20; ++lost) {
        low.update(7.0, lost);
    }
    EXPECT_EQ(low.update(1, 100), 100'000u);
}

}  // namespace
}  // namespace vmr::media
