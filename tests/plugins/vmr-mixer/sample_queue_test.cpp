#include "sample_queue.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "signals.hpp"

namespace vmr::mixer {
namespace {

TEST(SampleQueue, WaitsForPrefillThenPlaysInOrder) {
    SampleQueue queue;
    SampleBlock out;
    queue.push(test::sine(440, 10000, 0, kBlock));
    EXPECT_FALSE(queue.pull(out));
    queue.push(test::sine(440, 10000, kBlock, kBlock));
    EXPECT_TRUE(queue.pull(out));
    const auto expected = test::sine(440, 10000, 0, kBlock);
    for (std::size_t i = 200; i < kBlock; ++i) {
        ASSERT_EQ(out[i], expected[i]);
    }
}

TEST(SampleQueue, IsBoundedAndDropsTheOldest) {
    SampleQueue queue;
    for (std::int16_t i = 0; i < 100; ++i) {
        queue.push(std::vector<std::int16_t>(kBlock, i));
    }
    EXPECT_EQ(queue.depth(), SampleQueue::kCapacity);
    EXPECT_EQ(queue.dropped(), 95 * kBlock);
    SampleBlock out;
    EXPECT_TRUE(queue.pull(out));
    EXPECT_EQ(out[kBlock - 1], 95);
}

TEST(SampleQueue, RunsDryIntoSilence) {
    SampleQueue queue;
    SampleBlock out;
    queue.push(std::vector<std::int16_t>(kBlock + kBlock / 2, 1000));
    EXPECT_TRUE(queue.pull(out));
    EXPECT_TRUE(queue.pull(out));  // the tail, faded out
    EXPECT_EQ(out[kBlock - 1], 0);
    EXPECT_FALSE(queue.pull(out));
    EXPECT_EQ(queue.underruns(), 1U);
}

// A sender whose clock is 300 ppm off, for ten minutes: the depth stays bounded and nothing is
// dropped or missing.
class SampleQueueDrift : public testing::TestWithParam<double> {};

TEST_P(SampleQueueDrift, IsAbsorbed) {
    SampleQueue queue;
    SampleBlock out;
    const double per_tick = kBlock * (1.0 + GetParam());
    double owed = 0.0;
    std::size_t sent = 0;
    const auto send = [&](std::size_t count) {
        queue.push(test::sine(300, 8000, sent, count));
        sent += count;
    };
    send(2 * kBlock);
    int biggest_step = 0;
    std::int16_t last = 0;
    for (int tick = 0; tick < 30000; ++tick) {
        owed += per_tick;
        const auto whole = static_cast<std::size_t>(owed);
        owed -= static_cast<double>(whole);
        send(whole);
        ASSERT_TRUE(queue.pull(out));
        for (const std::int16_t sample : out) {
            biggest_step = std::max(biggest_step, std::abs(sample - last));
            last = sample;
        }
    }
    EXPECT_EQ(queue.dropped(), 0U);
    EXPECT_EQ(queue.underruns(), 0U);
    EXPECT_LT(queue.depth(), 2500U);
    EXPECT_LT(biggest_step, 400);  // a 300 Hz sine of 8000 moves 314 a sample
}

INSTANTIATE_TEST_SUITE_P(Clocks, SampleQueueDrift, testing::Values(-0.0003, 0.0, 0.0003));

}  // namespace
}  // namespace vmr::mixer
