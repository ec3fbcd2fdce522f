#include "daemon/media/source_limit.hpp"

#include <gtest/gtest.h>

namespace vmr::media {
namespace {

using namespace std::chrono_literals;

constexpr VideoWanted kOff{};
constexpr VideoWanted kSmall{true, 320, 180}, kMiddle{true, 640, 360}, kFull{true, 1280, 720};

TEST(SourceLimitTest, ALargerTileMayHaveMore) {
    EXPECT_GT(bitrate_for(kOff), 0u);
    EXPECT_LT(bitrate_for(kOff), bitrate_for(kSmall));
    EXPECT_LT(bitrate_for(kSmall), bitrate_for(kMiddle));
    EXPECT_LT(bitrate_for(kMiddle), bitrate_for(kFull));
    EXPECT_EQ(bitrate_for({true, 4000, 4000}), bitrate_for({true, 1920, 1080}));
    EXPECT_EQ(bitrate_for({true, 180, 320}), bitrate_for(kSmall)) << "a telephone held upright";
    EXPECT_EQ(bitrate_for({true, 0, 0}), bitrate_for(kFull)) << "a screen that has yet to show anything";
}

TEST(SourceLimitTest, MoreHoldsAtOnceAndLessAfterAWhile) {
    SourceLimit limit;
    SourceLimit::Time now{};
    EXPECT_EQ(limit.update(kOff, now), bitrate_for(kOff));
    EXPECT_EQ(limit.update(kFull, now), bitrate_for(kFull));
    EXPECT_EQ(limit.update(kSmall, now), bitrate_for(kFull));
    EXPECT_EQ(limit.update(kOff, now += 1s), bitrate_for(kFull));
    EXPECT_EQ(limit.update(kSmall, now += 1s), bitrate_for(kSmall));
    EXPECT_EQ(limit.update(kMiddle, now), bitrate_for(kMiddle));
}

TEST(SourceLimitTest, AFlickeringLayoutAsksForNothing) {
    SourceLimit limit;
    SourceLimit::Time now{};
    limit.update(kFull, now);
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(limit.update(kOff, now += 1s), bitrate_for(kFull));
        EXPECT_EQ(limit.update(kFull, now += 500ms), bitrate_for(kFull));
    }
}

}  // namespace
}  // namespace vmr::media
