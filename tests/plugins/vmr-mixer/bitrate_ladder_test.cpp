#include "bitrate_ladder.hpp"

#include <gtest/gtest.h>

namespace vmr::mixer {
namespace {

constexpr int kTop = 1500000;

TEST(BitrateLadder, UnknownNetworksGetTheBest) {
    BitrateLadder ladder;
    EXPECT_EQ(ladder.update(0.0, 0, kTop, 3), 0U);
    EXPECT_EQ(ladder.update(100.0, 0, kTop, 3), 0U);
}

TEST(BitrateLadder, GoesDownToWhatFitsAfterHalfASecond) {
    BitrateLadder ladder;
    EXPECT_EQ(ladder.update(0.0, 300000, kTop, 3), 0U);
    EXPECT_EQ(ladder.update(0.4, 300000, kTop, 3), 0U);
    EXPECT_EQ(ladder.update(0.5, 300000, kTop, 3), 2U);
    BitrateLadder other;
    other.update(0.0, 700000, kTop, 3);
    EXPECT_EQ(other.update(0.6, 700000, kTop, 3), 1U);
}

TEST(BitrateLadder, AShortDipChangesNothing) {
    BitrateLadder ladder;
    ladder.update(0.0, 300000, kTop, 3);
    ladder.update(0.3, 2000000, kTop, 3);
    EXPECT_EQ(ladder.update(0.6, 300000, kTop, 3), 0U);
}

TEST(BitrateLadder, GoesUpOneClassAtATimeAndOnlyWithRoomToSpare) {
    BitrateLadder ladder;
    ladder.update(0.0, 200000, kTop, 3);
    ASSERT_EQ(ladder.update(1.0, 200000, kTop, 3), 2U);
    EXPECT_EQ(ladder.update(2.0, 620000, kTop, 3), 2U);  // 600000 would just fit
    EXPECT_EQ(ladder.update(20.0, 620000, kTop, 3), 2U);
    EXPECT_EQ(ladder.update(21.0, 9000000, kTop, 3), 2U);
    EXPECT_EQ(ladder.update(25.9, 9000000, kTop, 3), 2U);
    EXPECT_EQ(ladder.update(26.0, 9000000, kTop, 3), 1U);
    EXPECT_EQ(ladder.update(27.0, 9000000, kTop, 3), 1U);
    EXPECT_EQ(ladder.update(32.0, 9000000, kTop, 3), 0U);
}

TEST(BitrateLadder, WaveringNearTheEdgeStaysWhereItIs) {
    BitrateLadder ladder;
    for (double now = 0.0; now < 60.0; now += 0.1) {
        EXPECT_EQ(ladder.update(now, static_cast<int>(now * 10) % 2 == 0 ? 1400000 : 1700000, kTop, 3), 0U);
    }
}

TEST(BitrateLadder, OneClassMeansOneEncode) {
    BitrateLadder ladder;
    ladder.update(0.0, 1000, kTop, 1);
    EXPECT_EQ(ladder.update(9.0, 1000, kTop, 1), 0U);
}

}  // namespace
}  // namespace vmr::mixer
