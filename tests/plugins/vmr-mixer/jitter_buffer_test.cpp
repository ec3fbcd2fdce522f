#include "jitter_buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace vmr::mixer {
namespace {

using Kind = JitterBuffer::Kind;
constexpr int kFrame = 160;  // 20 ms at 8 kHz
constexpr std::int64_t kTickUs = 20'000;

// A sender of 20 ms packets whose first payload byte counts, a network, and a tick.
class Line {
public:
    explicit Line(DelayEstimator::Limits limits = {}) : buffer(8000, limits) {}

    void send(std::int64_t arrival_us) { at_[arrival_us].push_back(next()); }
    JitterBuffer::Packet next() {
        JitterBuffer::Packet packet;
        packet.view.sequence = sequence++;
        packet.view.timestamp = timestamp;
        packet.view.ssrc = ssrc;
        packet.view.level = level;
        packet.duration = kFrame;
        packet.pause = pause;
        timestamp += kFrame;
        return packet;
    }
    void deliver(const JitterBuffer::Packet& packet, std::int64_t arrival_us) {
        const std::uint8_t byte = static_cast<std::uint8_t>(packet.view.sequence);
        JitterBuffer::Packet copy = packet;
        copy.view.payload = {&byte, 1};
        buffer.push(copy, arrival_us);
    }
    // Delivers what has arrived by `now_us` and plays one tick.
    const JitterBuffer::Frame& tick(std::int64_t now_us, bool quiet = false) {
        while (!at_.empty() && at_.begin()->first <= now_us) {
            for (const auto& packet : at_.begin()->second) {
                deliver(packet, at_.begin()->first);
            }
            at_.erase(at_.begin());
        }
        buffer.pull(now_us, quiet, frame);
        if (frame.kind == Kind::packet) {
            played.push_back(frame.payload.front());
        }
        return frame;
    }

    JitterBuffer buffer;
    JitterBuffer::Frame frame;
    std::uint16_t sequence = 65530;  // wraps soon
    std::uint32_t timestamp = 0xFFFFFF00;
    std::uint32_t ssrc = 7;
    std::optional<std::uint8_t> level;
    bool pause = false;
    std::vector<std::uint8_t> played;

private:
    std::map<std::int64_t, std::vector<JitterBuffer::Packet>> at_;
};

TEST(JitterBuffer, PlaysInOrderAcrossTheWrapAround) {
    Line line;
    for (int i = 0; i < 100; ++i) {
        line.send(i * kTickUs);
        line.tick(i * kTickUs);
    }
    ASSERT_GT(line.played.size(), 90U);
    for (std::size_t i = 1; i < line.played.size(); ++i) {
        EXPECT_EQ(static_cast<std::uint8_t>(line.played[i - 1] + 1), line.played[i]);
    }
    EXPECT_EQ(line.buffer.counters().lost, 0U);
}

TEST(JitterBuffer, ReorderedAndDoubledPacketsArePlayedOnceAndInOrder) {
    Line line;
    for (int i = 0; i < 100; i += 2) {
        const auto first = line.next();
        const auto second = line.next();
        line.deliver(second, i * kTickUs);
        line.deliver(second, i * kTickUs);
        line.deliver(first, i * kTickUs + 1000);
        line.tick(i * kTickUs + 2000);
        line.tick((i + 1) * kTickUs + 2000);
    }
    EXPECT_GT(line.buffer.counters().duplicates, 40U);
    EXPECT_GT(line.played.size(), 90U);
    for (std::size_t i = 1; i < line.played.size(); ++i) {
        EXPECT_EQ(static_cast<std::uint8_t>(line.played[i - 1] + 1), line.played[i]);
    }
}

TEST(JitterBuffer, LossIsConcealedOnceAndTheNextPacketIsOffered) {
    Line line;
    int lost = 0;
    int recoverable = 0;
    for (int i = 0; i < 200; ++i) {
        if (i % 10 == 5) {
            line.next();  // lost
        } else {
            line.send(i * kTickUs);
        }
        const auto& frame = line.tick(i * kTickUs);
        lost += frame.kind == Kind::lost ? 1 : 0;
        recoverable += frame.kind == Kind::recoverable ? 1 : 0;
    }
    EXPECT_NEAR(lost + recoverable, 20, 1);
    EXPECT_GT(recoverable, 15);  // 40 ms of delay hold the next one
    EXPECT_NEAR(static_cast<int>(line.played.size()), 178, 3);
}

TEST(JitterBuffer, APauseOfTheSenderIsNotLoss) {
    Line line;
    std::int64_t now = 0;
    for (int talk = 0; talk < 5; ++talk) {
        for (int i = 0; i < 20; ++i, now += kTickUs) {
            line.pause = i == 19;
            line.send(now);
            line.tick(now);
        }
        for (int i = 0; i < 30; ++i, now += kTickUs) {  // the timestamp goes on, the sequence does not
            line.timestamp += kFrame;
            line.tick(now);
        }
    }
    EXPECT_EQ(line.buffer.counters().lost, 0U);
    EXPECT_EQ(line.played.size(), 100U);
}

TEST(JitterBuffer, AStallIsConcealedForATenthOfASecondThenSilent) {
    Line line;
    for (int i = 0; i < 50; ++i) {
        line.send(i * kTickUs);
        line.tick(i * kTickUs);
    }
    int concealed = 0;
    for (int i = 50; i < 80; ++i) {
        concealed += line.tick(i * kTickUs).kind == Kind::lost ? 1 : 0;
    }
    EXPECT_EQ(concealed, 5);
    EXPECT_EQ(line.frame.kind, Kind::idle);
}

TEST(JitterBuffer, AnotherSourceStartsAfresh) {
    Line line;
    for (int i = 0; i < 100; ++i) {
        if (i == 50) {
            line.ssrc = 8;
            line.sequence = 1000;
            line.timestamp = 12345;
        }
        line.send(i * kTickUs);
        line.tick(i * kTickUs);
        if (i > 50 && line.frame.kind == Kind::packet) {
            EXPECT_EQ(line.frame.fresh, line.frame.payload.front() == static_cast<std::uint8_t>(1000));
        }
    }
    EXPECT_GT(line.played.size(), 90U);
}

TEST(JitterBuffer, IsBounded) {
    Line line;
    for (int i = 0; i < 10000; ++i) {
        line.deliver(line.next(), 0);
    }
    EXPECT_LE(line.buffer.depth(), 128U);
}

// The delay grows with the jitter until nearly nothing is late, and comes down again afterwards.
TEST(JitterBuffer, DelayFollowsTheJitter) {
    Line line;
    std::mt19937 random(1);
    std::uniform_int_distribution<std::int64_t> jitter(0, 80'000);
    std::int64_t tick = 0;
    std::uint64_t late_before = 0;
    for (; tick < 1500; ++tick) {
        line.send(tick * kTickUs + jitter(random));
        line.tick(tick * kTickUs);
        if (tick == 750) {
            late_before = line.buffer.counters().lost;
        }
    }
    EXPECT_GE(line.buffer.target_us(), 70'000);
    EXPECT_LE(line.buffer.target_us(), 110'000);
    EXPECT_LT(line.buffer.counters().lost - late_before, 35U);  // under 5 % in the second half
    bool silent = false;
    for (; tick < 4500; ++tick) {
        line.send(tick * kTickUs);
        line.tick(tick * kTickUs, silent);
        silent = tick % 100 < 20;
    }
    EXPECT_EQ(line.buffer.target_us(), 20'000);
    EXPECT_LT(line.buffer.delay_us(), 45'000);
}

// Two hours of a clock that is off: the delay stays where it was.
class JitterBufferDrift : public testing::TestWithParam<double> {};

TEST_P(JitterBufferDrift, DoesNotGrow) {
    Line line;
    const double period = kTickUs * (1.0 + GetParam());
    double next = 0.0;
    std::int64_t owed = 0;  // µs of audio played faster (+) or slower
    std::int64_t late_time = 0;
    for (std::int64_t tick = 0; tick < 360'000; ++tick) {
        const std::int64_t now = tick * kTickUs;
        for (; next <= static_cast<double>(now); next += period) {
            line.send(static_cast<std::int64_t>(next));
        }
        // What stretch() asks for is what a player does: 0.5 % of a tick for each step.
        owed += line.buffer.stretch() * kTickUs / 200;
        if (owed <= -kTickUs) {
            owed += kTickUs;
            continue;
        }
        line.tick(now, tick % 50 == 0);
        if (owed >= kTickUs) {
            owed -= kTickUs;
            line.tick(now);
        }
        late_time = std::max(late_time, tick > 500 ? line.buffer.delay_us() : 0);
    }
    EXPECT_LT(late_time, 70'000);
    EXPECT_LE(line.buffer.depth(), 4U);
    EXPECT_LT(line.buffer.counters().lost, 40U);
}

INSTANTIATE_TEST_SUITE_P(Clocks, JitterBufferDrift, testing::Values(-0.0003, 0.0, 0.0003));

// A path that becomes a third of a second longer is followed within a second.
TEST(JitterBuffer, ALongerPathIsFollowed) {
    Line line;
    std::size_t before = 0;
    for (int i = 0; i < 400; ++i) {
        line.send(i * kTickUs + (i < 200 ? 0 : 333'000));
        line.tick(i * kTickUs);
        if (i == 300) {
            before = line.played.size();
        }
    }
    EXPECT_GT(line.played.size() - before, 95U);
}

}  // namespace
}  // namespace vmr::mixer
