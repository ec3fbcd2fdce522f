#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "decimator.hpp"
#include "limiter.hpp"
#include "mix_kernel.hpp"
#include "signals.hpp"

namespace vmr::mixer {
namespace {

SampleBlock noise(unsigned seed, int amplitude) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> value(-amplitude, amplitude);
    SampleBlock block;
    for (auto& sample : block) {
        sample = static_cast<std::int16_t>(value(random));
    }
    return block;
}

TEST(MixKernel, SumMatchesDoublePrecisionReference) {
    constexpr double kVolumes[] = {1.0, 0.5, 0.123, 2.0, 1.0};
    SumBlock sum{};
    std::array<double, kBlock> reference{};
    for (unsigned i = 0; i < 5; ++i) {
        const SampleBlock in = noise(i, 3000);
        SumBlock contribution;
        apply_gain(in, kVolumes[i], kVolumes[i], contribution);
        add(sum, contribution);
        for (std::size_t n = 0; n < kBlock; ++n) {
            reference[n] += kVolumes[i] * in[n];
        }
    }
    for (std::size_t n = 0; n < kBlock; ++n) {
        EXPECT_NEAR(sum[n], reference[n], 2.5);  // half a bit for each input that was scaled
    }
}

TEST(MixKernel, MinusSelfLeavesExactlyTheOthers) {
    std::array<SumBlock, 4> parts;
    SumBlock sum{};
    for (unsigned i = 0; i < parts.size(); ++i) {
        apply_gain(noise(i, 32767), i == 2 ? 0.3 : 1.0, 1.0, parts[i]);
        add(sum, parts[i]);
    }
    SumBlock others;
    subtract(sum, parts[1], others);
    for (std::size_t n = 0; n < kBlock; ++n) {
        ASSERT_EQ(others[n], parts[0][n] + parts[2][n] + parts[3][n]);
    }
}

TEST(MixKernel, GainRampHasNoStep) {
    SampleBlock in;
    in.fill(10000);
    SumBlock out;
    apply_gain(in, 0.0, 1.0, out);
    EXPECT_EQ(out[0], 0);
    EXPECT_EQ(out[kBlock - 1], 10000);
    for (std::size_t n = 1; n < kBlock; ++n) {
        ASSERT_LE(std::abs(out[n] - out[n - 1]), 10000 / static_cast<int>(kRamp) + 1);
    }
}

TEST(MixKernel, LevelOfSine) {
    EXPECT_NEAR(level_db(test::sine(1000, 32767, 0, kBlock)), -3.01, 0.01);
    EXPECT_EQ(level_db(std::vector<std::int16_t>(960, 0)), kSilenceDb);
}

TEST(Limiter, QuietPassesBitExact) {
    SumBlock in;
    apply_gain(noise(7, 20000), 1.0, 1.0, in);
    SampleBlock out;
    Limiter limiter;
    limiter.process(in, out);
    for (std::size_t n = 0; n < kBlock; ++n) {
        ASSERT_EQ(out[n], in[n]);
    }
}

TEST(Limiter, LoudIsTurnedDownNotClipped) {
    Limiter limiter;
    SampleBlock out;
    for (std::size_t tick = 0; tick < 10; ++tick) {
        SumBlock in;
        const auto wave = test::sine(1000, 30000, tick * kBlock, kBlock);
        for (std::size_t n = 0; n < kBlock; ++n) {
            in[n] = wave[n] * 3;
        }
        limiter.process(in, out);
    }
    EXPECT_NEAR(test::tone(out, 1000), 29204, 100);
    EXPECT_LT(test::tone(out, 3000), 30);  // a clipped sine would have a third harmonic of 10 %
    SumBlock quiet;
    quiet.fill(100);
    for (int tick = 0; tick < 20; ++tick) {
        limiter.process(quiet, out);
    }
    EXPECT_EQ(out[kBlock - 1], 100);
}

TEST(Decimator, PassesSpeechAndStopsImages) {
    for (const int rate : {16000, 8000}) {
        Decimator pass(rate);
        Decimator stop(rate);
        std::vector<std::int16_t> low;
        std::vector<std::int16_t> high;
        for (std::size_t tick = 0; tick < 5; ++tick) {
            pass.process(test::sine(1000, 10000, tick * kBlock, kBlock), low);
            stop.process(test::sine(rate - 1000, 10000, tick * kBlock, kBlock), high);
        }
        EXPECT_EQ(low.size(), static_cast<std::size_t>(rate / 50));
        EXPECT_NEAR(test::tone(low, 1000, rate), 10000, 100);
        EXPECT_LT(test::tone(high, 1000, rate), 20);
    }
}

}  // namespace
}  // namespace vmr::mixer
