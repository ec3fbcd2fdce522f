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
    explicit Line(JitterBuffer::Limits limits = {}) : buffer(8000, limits) {}

    void send(std::int64_t arrival_us) { at_[arrival_us].push_back(next()); }
    JitterBuffer::Packet next() {
        JitterBuffer::Packet packet;
        packet.view.sequence = sequence++;
        packet.view.timestamp = timestamp;
        packet.view.ssrc = ssrc;
        packet.view.level = level;
        packet.duration = length;
        packet.pause = pause;
        packet.fec = fec;
        timestamp += static_cast<std::uint32_t>(length);
        return packet;
    }
    void deliver(const JitterBuffer::Packet& packet, std::int64_t arrival_us) {
        const std::uint8_t byte = static_cast<std::uint8_t>(packet.view.sequence);
        JitterBuffer::Packet copy = packet;
        copy.view.payload = {&byte, 1};
        buffer.push(copy, arrival_us);
    }
    // Delivers what has arrived by then, though not before `late_us` where it was held up, and plays one
    // tick, as RtpLeg does: what is to spare is left out or added, at most 12 ms at a time.
    const JitterBuffer::Frame& tick(std::int64_t due_us, std::int64_t late_us = 0) {
        while (!at_.empty() && at_.begin()->first <= due_us + late_us) {
            for (const auto& packet : at_.begin()->second) {
                deliver(packet, at_.begin()->first);
            }
            at_.erase(at_.begin());
        }
        buffer.begin_tick(due_us, due_us + late_us);
        const int spare = std::clamp(buffer.spare(due_us, ahead_, span, true), -kMostAtOnce, kMostAtOnce);
        frame.kind = Kind::idle;
        while (ahead_ < span && pull(due_us)) {
        }
        while (ahead_ >= span && ahead_ < span + spare && buffer.holds_next() && pull(due_us)) {
        }
        const int left_out = std::min(spare, std::max(0, ahead_ - span));
        buffer.left_out(left_out);
        adapted += std::abs(left_out);
        ahead_ = std::max(0, ahead_ - span - left_out);
        return frame;
    }

    JitterBuffer buffer;
    JitterBuffer::Frame frame;
    std::uint16_t sequence = 65530;  // wraps soon
    std::uint32_t timestamp = 0xFFFFFF00;
    std::uint32_t ssrc = 7;
    std::optional<std::uint8_t> level;
    bool pause = false;
    bool fec = false;
    int length = kFrame;       // RTP clock, of packets
    int span = kFrame;         // of ticks
    std::int64_t adapted = 0;  // in all, either way
    std::vector<std::uint8_t> played;

private:
    static constexpr int kMostAtOnce = 96;

    bool pull(std::int64_t now_us) {
        buffer.pull(now_us, frame);
        if (frame.kind == Kind::packet) {
            played.push_back(frame.payload.front());
        }
        ahead_ += frame.kind == Kind::idle ? 0 : frame.duration;
        return frame.kind != Kind::idle;
    }

    std::map<std::int64_t, std::vector<JitterBuffer::Packet>> at_;
    int ahead_ = 0;  // RTP clock
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
    for (const bool fec : {false, true}) {
        Line line;
        line.fec = fec;
        int lost = 0;
        int recoverable = 0;
        for (int i = 0; i < 500; ++i) {
            if (i % 10 == 5) {
                line.next();  // lost
            } else {
                line.send(i * kTickUs - kTickUs / 2);
            }
            const auto kind = line.tick(i * kTickUs).kind;
            lost += i > 300 && kind == Kind::lost ? 1 : 0;
            recoverable += i > 300 && kind == Kind::recoverable ? 1 : 0;
        }
        EXPECT_NEAR(lost + recoverable, 20, 1);
        // Where packets carry the one before them, one is held back so that it is there.
        EXPECT_EQ(fec ? lost : recoverable, 0);
        EXPECT_NEAR(static_cast<int>(line.played.size()), 450, 3);
        EXPECT_NEAR(static_cast<double>(line.buffer.target_us()), fec ? 41'000 : 21'000, 1000);
    }
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
    EXPECT_GE(line.buffer.target_us(), 90'000);
    EXPECT_LE(line.buffer.target_us(), 120'000);
    EXPECT_LT(line.buffer.counters().lost - late_before, 15U);  // under 2 % in the second half
    for (; tick < 2500; ++tick) {
        line.send(tick * kTickUs);
        line.tick(tick * kTickUs);
    }
    EXPECT_EQ(line.buffer.target_us(), 21'000);
    EXPECT_LT(line.buffer.delay_us(), 45'000);
}

// Every phase of a tick, packets and ticks of many lengths: what a clean network delivers waits for the next
// tick and for nothing else.
TEST(JitterBuffer, ACleanNetworkIsNotWaitedFor) {
    for (const int span : {80, 160}) {
        for (const int length : {80, 160, 240, 480}) {
            for (std::int64_t phase = 0; phase < 20'000; phase += 1'700) {
                Line line({.shortest_ms = 0});
                line.span = span;
                line.length = length;
                const std::int64_t tick_us = span * 125, packet_us = length * 125;
                std::int64_t next = phase, most = 0;
                for (std::int64_t tick = 0; tick < 400; ++tick) {
                    for (; next <= tick * tick_us; next += packet_us) {
                        line.send(next);
                    }
                    line.tick(tick * tick_us);
                    most = std::max(most, tick > 200 ? line.buffer.delay_us() : 0);
                }
                // Up to a tick until it is taken, and what must be there already if neither is a multiple
                // of the other.
                const std::int64_t odd = length % span == 0 || span % length == 0 ? 0 : tick_us / 2;
                EXPECT_LE(most, packet_us + tick_us + odd + 5'000) << span << " " << length << " " << phase;
                EXPECT_EQ(line.buffer.counters().lost, 0U);
            }
        }
    }
}

// Four hours of a clock that is off by 200 parts in a million: the delay stays where it was, and there is no
// gap but where the last packet comes a tick later than before.
class JitterBufferDrift : public testing::TestWithParam<double> {};

TEST_P(JitterBufferDrift, DoesNotGrow) {
    Line line;
    const double period = kTickUs * (1.0 + GetParam());
    double next = 0.0;
    std::int64_t most = 0;
    std::mt19937 random(1);
    std::uniform_int_distribution<std::int64_t> jitter(0, 2'000);
    for (std::int64_t tick = 0; tick < 4 * 3600 * 50; ++tick) {
        const std::int64_t now = tick * kTickUs;
        for (; next <= static_cast<double>(now); next += period) {
            line.send(static_cast<std::int64_t>(next) + jitter(random));
        }
        line.tick(now);
        most = std::max(most, tick > 500 ? line.buffer.delay_us() : 0);
    }
    EXPECT_LT(most, 50'000);
    EXPECT_LE(line.buffer.depth(), 2U);
    EXPECT_LT(line.buffer.counters().lost, 20U);
    const double made_up = static_cast<double>(line.adapted) / 8 +
                           20.0 * static_cast<double>(line.buffer.counters().lost);  // ms
    EXPECT_NEAR(made_up, std::abs(GetParam()) * 4 * 3600e3, 60);
}

INSTANTIATE_TEST_SUITE_P(Clocks, JitterBufferDrift, testing::Values(-0.0002, 0.0, 0.0002));

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

// Arrivals as a loaded machine makes them. What they leave behind is gone after a few seconds.
class JitterBufferTrace : public testing::Test {
protected:
    // `delay(i)`: µs that packet i takes.
    template <typename Delay>
    void run(int ticks, Delay delay) {
        for (const int end = tick_ + ticks; tick_ < end; ++tick_) {
            line_.send(tick_ * kTickUs + 7'000 + delay(tick_));
            line_.tick(tick_ * kTickUs);
            most_target_ = std::max(most_target_, line_.buffer.target_us());
        }
    }
    static std::int64_t clean(int) { return 0; }

    Line line_;
    int tick_ = 0;
    std::int64_t most_target_ = 0;
};

TEST_F(JitterBufferTrace, AStallOfTheSenderNowAndThen) {
    run(250, clean);
    most_target_ = 0;
    // Each second 80 ms of packets at once.
    run(1000, [](int i) { return i % 50 < 4 ? (4 - i % 50) * kTickUs : 0; });
    EXPECT_LE(most_target_, 110'000);
    run(400, clean);
    EXPECT_EQ(line_.buffer.target_us(), 21'000);
    EXPECT_LT(line_.buffer.delay_us(), 45'000);
}

TEST_F(JitterBufferTrace, OneLatePacketIsNoReasonToWait) {
    run(250, clean);
    most_target_ = 0;
    run(500, [](int i) { return i == 400 ? 60'000 : 0; });
    EXPECT_EQ(most_target_, 21'000);
    EXPECT_LT(line_.buffer.delay_us(), 45'000);
}

TEST_F(JitterBufferTrace, ASecondOfHeavyLoadIsForgotten) {
    run(250, clean);
    std::mt19937 random(1);
    std::uniform_int_distribution<std::int64_t> mess(0, 300'000);
    run(50, [&](int) { return mess(random); });
    EXPECT_GT(line_.buffer.target_us(), 150'000);
    run(500, clean);
    EXPECT_EQ(line_.buffer.target_us(), 21'000);
    EXPECT_LT(line_.buffer.delay_us(), 45'000);
}

// The tick and everybody's packets are late at once: the processor was elsewhere.
TEST_F(JitterBufferTrace, AStallOfOurOwnIsNotTheNetworks) {
    run(250, clean);
    for (int stall = 0; stall < 20; ++stall) {
        run(40, clean);
        constexpr int kStalled = 5;
        const std::int64_t end = (tick_ + kStalled) * kTickUs;
        for (int i = 0; i < kStalled; ++i) {
            line_.send(end + 1'000 * i);
        }
        for (int i = 0; i < kStalled; ++i, ++tick_) {  // the ticks are made up for before packets are read
            line_.tick(tick_ * kTickUs, end - tick_ * kTickUs - 500);
        }
    }
    EXPECT_LE(line_.buffer.target_us(), 25'000);
    run(100, clean);
    EXPECT_LT(line_.buffer.delay_us(), 45'000);
}

}  // namespace
}  // namespace vmr::mixer
