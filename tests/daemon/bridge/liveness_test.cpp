// Which silence ends a call: nobody's who is on hold or has just moved to another transport.
#include "daemon/bridge/liveness.hpp"

#include <gtest/gtest.h>

namespace vmr::bridge {
namespace {

using sdp::Direction;
using std::chrono::seconds;

class LivenessTest : public testing::Test {
protected:
    // `silence` at the end of these seconds; empty: nothing came by the transport of now.
    void pass(int count, std::optional<seconds> silence, Direction direction = Direction::sendrecv,
              bool on_hold = false) {
        for (int left = count - 1; left >= 0; --left) {
            now_ += seconds(1);
            std::optional<std::chrono::milliseconds> then;
            if (silence && *silence >= seconds(left)) {
                then = *silence - seconds(left);
            }
            liveness_.follow({then, direction, on_hold}, now_);
        }
    }
    void talk(int count = 60) {
        for (int i = 0; i < count; ++i) {
            pass(1, seconds(0));
        }
    }

    Liveness::Clock::time_point now_{std::chrono::hours(1)};
    Liveness liveness_{now_};
};

TEST_F(LivenessTest, WhoFallsSilentIsToldAfterTenSecondsAndEndedAfterThirty) {
    talk();
    EXPECT_TRUE(liveness_.seen());
    pass(9, seconds(9));
    EXPECT_TRUE(liveness_.seen());
    pass(1, seconds(10));
    EXPECT_FALSE(liveness_.seen());
    pass(20, seconds(30));
    EXPECT_FALSE(liveness_.dead());
    pass(1, seconds(31));
    EXPECT_TRUE(liveness_.dead());
    talk(1);
    EXPECT_TRUE(liveness_.seen() && !liveness_.dead());
}

TEST_F(LivenessTest, WhoNeverSentIsEndedUnlessNothingIsSentToThem) {
    pass(30, {});
    EXPECT_FALSE(liveness_.seen() || liveness_.dead());
    pass(1, {});
    EXPECT_TRUE(liveness_.dead());
    liveness_ = Liveness(now_);
    pass(31, {}, Direction::sendonly);
    EXPECT_TRUE(liveness_.dead());
    liveness_ = Liveness(now_);
    pass(600, {}, Direction::inactive);
    EXPECT_FALSE(liveness_.dead());
    pass(30, {});
    EXPECT_FALSE(liveness_.dead());
    pass(1, {});
    EXPECT_TRUE(liveness_.dead());
}

// inactive, the peer's sendonly and 0.0.0.0 (we only receive then), the peer's recvonly, our own hold.
TEST_F(LivenessTest, WhoIsOnHoldMayBeSilentAndHasTimeAfterIt) {
    const std::pair<Direction, bool> holds[] = {{Direction::inactive, false},
                                                {Direction::recvonly, false},
                                                {Direction::sendonly, false},
                                                {Direction::sendrecv, true}};
    for (const auto& [direction, on_hold] : holds) {
        SCOPED_TRACE(static_cast<int>(direction));
        liveness_ = Liveness(now_);
        talk(1);
        pass(600, seconds(600), direction, on_hold);
        EXPECT_TRUE(liveness_.seen() && !liveness_.dead());
        pass(30, seconds(630));
        EXPECT_FALSE(liveness_.dead());
        pass(1, seconds(631));
        EXPECT_TRUE(liveness_.dead());
    }
}

TEST_F(LivenessTest, AnotherTransportInALongCallHasThirtySecondsToo) {
    talk(600);
    pass(1, {});
    EXPECT_TRUE(liveness_.seen() && !liveness_.dead());
    pass(29, {});
    EXPECT_FALSE(liveness_.dead());
    pass(1, {});
    EXPECT_TRUE(liveness_.dead());
}

}  // namespace
}  // namespace vmr::bridge
