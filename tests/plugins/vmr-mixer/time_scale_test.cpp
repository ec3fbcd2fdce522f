#include "time_scale.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "signals.hpp"

namespace vmr::mixer {
namespace {

// A voice of 125 Hz: two of its harmonics.
std::vector<std::int16_t> voice(std::size_t count) {
    auto samples = test::sine(250, 6000, 0, count);
    const auto higher = test::sine(875, 3000, 0, count);
    std::transform(samples.begin(), samples.end(), higher.begin(), samples.begin(),
                   [](std::int16_t a, std::int16_t b) { return static_cast<std::int16_t>(a + b); });
    return samples;
}

int sharpest_bend(std::span<const std::int16_t> samples) {
    int sharpest = 0;
    for (std::size_t i = 0; i + 2 < samples.size(); ++i) {
        sharpest = std::max(sharpest, std::abs(samples[i] - 2 * samples[i + 1] + samples[i + 2]));
    }
    return sharpest;
}

TEST(TimeScale, AVoiceIsShortenedByItsPeriodAndStaysWhole) {
    const auto before = voice(1920);
    auto samples = before;
    const std::size_t gone = shorten(samples, 600, false);
    EXPECT_EQ(gone, 384U);  // 8 ms
    EXPECT_EQ(samples.size(), before.size() - gone);
    EXPECT_LE(sharpest_bend(samples), sharpest_bend(before) + 2);
    EXPECT_EQ(samples.front(), before.front());
    EXPECT_EQ(samples.back(), before.back());
}

TEST(TimeScale, AVoiceIsLengthenedByItsPeriodAndStaysWhole) {
    const auto before = voice(960);
    auto samples = before;
    const std::size_t added = lengthen(samples, 960, false);
    EXPECT_EQ(added, 384U);
    EXPECT_EQ(samples.size(), before.size() + added);
    EXPECT_LE(sharpest_bend(samples), sharpest_bend(before) + 2);
    EXPECT_EQ(samples.back(), before.back());
}

TEST(TimeScale, NeverMoreThanMayBe) {
    for (std::size_t most = 0; most < 1000; most += 37) {
        auto samples = voice(960 + most);
        EXPECT_LE(shorten(samples, most, false), most);
        EXPECT_GE(samples.size(), 960U);
    }
}

TEST(TimeScale, OnlyWhatIsQuietNeedsNoPeriod) {
    std::mt19937 random(1);
    std::uniform_int_distribution<int> noise(-5000, 5000);
    std::vector<std::int16_t> samples(1920);
    std::generate(samples.begin(), samples.end(), [&] { return static_cast<std::int16_t>(noise(random)); });
    EXPECT_EQ(shorten(samples, 600, false), 0U);
    EXPECT_EQ(lengthen(samples, 600, false), 0U);
    EXPECT_EQ(shorten(samples, 77, true), 77U);
    EXPECT_EQ(lengthen(samples, 77, true), 77U);
    EXPECT_EQ(samples.size(), 1920U);
}

TEST(TimeScale, TooLittleIsLeftAsItIs) {
    auto samples = voice(480);
    EXPECT_EQ(shorten(samples, 480, false), 0U);
    EXPECT_EQ(lengthen(samples, 480, true), 0U);
    std::vector<std::int16_t> none;
    EXPECT_EQ(shorten(none, 480, true), 0U);
}

}  // namespace
}  // namespace vmr::mixer
