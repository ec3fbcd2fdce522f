#include "plugins/duplex/fade.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

using namespace vmr::duplex;

TEST(Fade, IsClosedAtFirst) {
    EXPECT_TRUE(Fade().is_closed());
}

TEST(Fade, OpensAndClosesInTenMillisecondsWithoutAStep) {
    Fade fade;
    std::vector<std::int16_t> samples(960, 10000);
    fade.apply(samples, {}, true);
    EXPECT_TRUE(fade.is_open());
    EXPECT_LT(samples[0], 50);
    EXPECT_EQ(samples[480], 10000);
    std::vector<std::int16_t> closing(960, 10000);
    fade.apply(closing, {}, false);
    EXPECT_TRUE(fade.is_closed());
    EXPECT_GT(closing[0], 9950);
    EXPECT_EQ(closing[480], 0);
    for (std::size_t i = 1; i < 960; ++i) {
        EXPECT_LE(std::abs(samples[i] - samples[i - 1]), 25);
        EXPECT_LE(std::abs(closing[i] - closing[i - 1]), 25);
    }
}

TEST(Fade, WhatStandsInFillsTheRest) {
    Fade fade;
    std::vector<std::int16_t> samples(960, 1000);
    const std::vector<std::int16_t> instead(960, 1000);
    fade.apply(samples, instead, true);
    for (const std::int16_t sample : samples) {
        EXPECT_NEAR(sample, 1000, 1);
    }
}

TEST(Fade, CompletesWithinAShortBuffer) {
    Fade fade;
    std::vector<std::int16_t> samples(48, 1000);
    fade.apply(samples, {}, true);
    EXPECT_TRUE(fade.is_open());
    EXPECT_EQ(samples.back(), 1000);
    std::vector<std::int16_t> none;
    fade.apply(none, {}, false);
    EXPECT_TRUE(fade.is_closed());
}

TEST(MixInto, Saturates) {
    std::vector<std::int16_t> samples{30000, -30000, 5};
    const std::vector<std::int16_t> added{30000, -30000};
    mix_into(samples, added);
    EXPECT_EQ(samples, (std::vector<std::int16_t>{32767, -32768, 5}));
}
