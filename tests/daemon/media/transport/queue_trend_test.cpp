#include "daemon/media/transport/queue_trend.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace vmr::media {
namespace {

// A link of so many bit/s in front of which packets wait, with `jitter_us` of its own.
class Link {
public:
    explicit Link(double bitrate, double jitter_us = 0) : bitrate_(bitrate), jitter_us_(jitter_us) {}
    void set_bitrate(double bitrate) { bitrate_ = bitrate; }

    PacketTimes pass(int64_t sent_us, uint32_t bytes) {
        free_us_ = std::max(free_us_, static_cast<double>(sent_us)) + bytes * 8 * 1e6 / bitrate_;
        const double varies = jitter_us_ == 0 ? 0 : std::abs(noise_(random_)) * jitter_us_;
        last_us_ = std::max(last_us_, free_us_ + varies);
        return {sent_us, kOffset + static_cast<int64_t>(last_us_), bytes};
    }
    double queue_ms(int64_t now_us) const {
        return std::max(0.0, free_us_ - static_cast<double>(now_us)) / 1000;
    }

private:
    static constexpr int64_t kOffset = 123'456'789;  // the peer's clock
    double bitrate_, jitter_us_;
    double free_us_ = 0, last_us_ = 0;
    std::mt19937 random_{1};
    std::normal_distribution<double> noise_;
};

// Pictures of `bitrate` at 30 a second from `from` on; when the trend says that the queue grows, that time in
// ms; -1: it never does.
int64_t send(QueueTrend& trend, Link& link, double bitrate, int64_t from_us, int64_t length_us) {
    for (int64_t now = from_us; now < from_us + length_us; now += 33'333) {
        std::vector<PacketTimes> feedback;
        for (double left = bitrate / 30 / 8; left > 0; left -= 1100) {
            feedback.push_back(link.pass(now, static_cast<uint32_t>(std::min(left, 1100.0))));
        }
        trend.add(feedback);
        if (trend.grows()) {
            return (now - from_us) / 1000;
        }
    }
    return -1;
}

TEST(QueueTrendTest, AFreePathHasNoTrend) {
    QueueTrend trend;
    Link link(5e6, 4000);
    EXPECT_EQ(send(trend, link, 1e6, 0, 60'000'000), -1);
    EXPECT_NEAR(trend.received_bitrate(), 1e6, 5e4);
}

TEST(QueueTrendTest, AGrowingQueueIsNoticedWithinASecond) {
    for (const double jitter : {0.0, 2000.0}) {
        QueueTrend trend;
        Link link(5e6, jitter);
        ASSERT_EQ(send(trend, link, 1e6, 0, 10'000'000), -1);
        link.set_bitrate(7e5);
        const int64_t noticed = send(trend, link, 1e6, 10'000'000, 5'000'000);
        EXPECT_GE(noticed, 0);
        EXPECT_LE(noticed, 1000);
        EXPECT_LT(trend.received_bitrate(), 1e6);
    }
}

TEST(QueueTrendTest, AQueueThatEmptiesIsNoLongerGrowing) {
    QueueTrend trend;
    Link link(5e6);
    send(trend, link, 1e6, 0, 5'000'000);
    link.set_bitrate(7e5);
    ASSERT_GE(send(trend, link, 1e6, 5'000'000, 3'000'000), 0);
    // Less is sent than the link carries.
    for (int64_t now = 9'000'000; now < 12'000'000; now += 33'333) {
        trend.add({link.pass(now, 1000)});
    }
    EXPECT_FALSE(trend.grows());
    EXPECT_LT(link.queue_ms(12'000'000), 20);
}

TEST(QueueTrendTest, ADriftingClockIsNoQueue) {
    QueueTrend trend;
    for (int64_t now = 0; now < 120'000'000; now += 33'333) {
        trend.add({{now, static_cast<int64_t>(static_cast<double>(now) * 1.0002), 1000}});
        ASSERT_FALSE(trend.grows()) << now;
    }
}

TEST(QueueTrendTest, APauseStartsAnew) {
    QueueTrend trend;
    Link link(5e6);
    send(trend, link, 1e6, 0, 3'000'000);
    trend.add({{60'000'000, 1'000, 1000}, {60'033'000, 34'000, 1000}});  // the peer's clock was set back
    EXPECT_FALSE(trend.grows());
    EXPECT_LE(trend.received_bitrate(), 2e6);
}

}  // namespace
}  // namespace vmr::media
