#include "concealment.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "mix_kernel.hpp"

namespace vmr::mixer {
namespace {

class ConcealmentAt : public testing::TestWithParam<int> {
protected:
    std::vector<std::int16_t> tone(double hertz, std::size_t ms) {
        std::vector<std::int16_t> samples(ms * ms_);
        for (std::int16_t& sample : samples) {
            sample = static_cast<std::int16_t>(
                10000 * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(at_++) / GetParam()));
        }
        return samples;
    }
    std::vector<std::int16_t> lost(std::size_t ms) {
        std::vector<std::int16_t> samples(ms * ms_);
        concealment_.fill(samples);
        at_ += samples.size();
        return samples;
    }
    std::vector<std::int16_t> heard(std::vector<std::int16_t> samples) {
        concealment_.hear(samples);
        return samples;
    }
    static int largest_step(std::span<const std::int16_t> samples, int before) {
        int largest = 0;
        for (const std::int16_t sample : samples) {
            largest = std::max(largest, std::abs(sample - before));
            before = sample;
        }
        return largest;
    }

    const std::size_t ms_ = static_cast<std::size_t>(GetParam()) / 1000;
    std::size_t at_ = 0;
    Concealment concealment_{GetParam()};
};

TEST_P(ConcealmentAt, ATonesLossGoesUnnoticed) {
    for (const double hertz : {110.0, 203.0, 440.0}) {
        concealment_.reset();
        const auto before = heard(tone(hertz, 200));
        const auto gap = lost(40);
        const auto after = heard(tone(hertz, 40));
        const double level = level_db(before);
        EXPECT_NEAR(level_db(gap), level, 1.5) << hertz;
        const double slope = 10000 * 2 * std::numbers::pi * hertz / GetParam();  // of the tone, a sample
        EXPECT_LT(largest_step(gap, before.back()), 1.6 * slope + 50) << hertz;
        EXPECT_LT(largest_step(after, gap.back()), 3 * slope + 50) << hertz;
    }
}

TEST_P(ConcealmentAt, ItFadesSlowlyAndThenIsSilent) {
    const auto before = heard(tone(200, 200));
    const double level = level_db(before);
    EXPECT_GT(level_db(lost(20)), level - 1);
    EXPECT_GT(level_db(lost(60)), level - 6);
    EXPECT_GT(level_db(lost(20)), level - 8);
    lost(40);
    EXPECT_EQ(lost(20), std::vector<std::int16_t>(20 * ms_));
}

TEST_P(ConcealmentAt, NothingWasHeardSoNothingIsMadeUp) {
    EXPECT_EQ(lost(20), std::vector<std::int16_t>(20 * ms_));
    heard(tone(200, 20));
    EXPECT_EQ(lost(20), std::vector<std::int16_t>(20 * ms_));  // too little to find a period in
}

TEST_P(ConcealmentAt, ExtremesStayInBounds) {
    std::vector<std::int16_t> square(200 * ms_);
    for (std::size_t i = 0; i < square.size(); ++i) {
        square[i] = i / (3 * ms_) % 2 == 0 ? 32767 : -32768;
    }
    heard(square);
    const auto gap = lost(30);
    EXPECT_EQ(gap.size(), 30 * ms_);
    heard(std::vector<std::int16_t>(20 * ms_, -32768));
    EXPECT_TRUE(heard({}).empty());
}

INSTANTIATE_TEST_SUITE_P(Rates, ConcealmentAt, testing::Values(8000, 16000));

}  // namespace
}  // namespace vmr::mixer
