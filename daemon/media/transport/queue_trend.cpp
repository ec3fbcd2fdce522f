#include "daemon/media/transport/queue_trend.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vmr::media {
namespace {

constexpr int64_t kGroupUs = 5'000;  // sent within this time: one group
constexpr int64_t kWindowUs = 1'000'000;
constexpr int64_t kRestartUs = 3'000'000;  // a path that was idle for so long is judged anew
constexpr size_t kMostInWindow = 4096;
constexpr size_t kPoints = 20;
constexpr double kSmoothing = 0.9;
// The trend is a slope (ms of delay for each ms) times these, so that it compares with a threshold in ms.
constexpr double kGain = 4, kMostPoints = 60;
constexpr double kOverMs = 10;                   // a trend above the threshold for so long
constexpr double kRise = 0.0087, kFall = 0.039;  // of the threshold, for each ms
constexpr double kLeastThreshold = 6, kMostThreshold = 600, kOutlier = 15;
constexpr double kLongestStepMs = 100;

}  // namespace

void QueueTrend::add(const std::vector<PacketTimes>& packets) {
    for (const PacketTimes& packet : packets) {
        add_packet(packet);
    }
}

void QueueTrend::add_packet(const PacketTimes& packet) {
    arrived_.push_back(packet);
    // The times are the peer's word.
    while (std::abs(packet.arrived_us - arrived_.front().arrived_us) > kWindowUs ||
           arrived_.size() > kMostInWindow) {
        arrived_.pop_front();
    }
    if (group_ && packet.sent_us - group_->first_sent_us <= kGroupUs) {
        group_->sent_us = std::max(group_->sent_us, packet.sent_us);
        group_->arrived_us = std::max(group_->arrived_us, packet.arrived_us);
        return;
    }
    if (group_) {
        add_group(*group_);
    }
    group_ = Group{packet.sent_us, packet.sent_us, packet.arrived_us};
}

void QueueTrend::add_group(const Group& group) {
    const auto before = std::exchange(previous_, group);
    if (!before) {
        first_arrival_us_ = group.arrived_us;
        return;
    }
    const int64_t sent = group.sent_us - before->sent_us, arrived = group.arrived_us - before->arrived_us;
    if (sent > kRestartUs || arrived < 0) {
        points_.clear();
        delay_ms_ = smoothed_ms_ = over_ms_ = trend_ = 0;
        grows_ = false;
        first_arrival_us_ = group.arrived_us;
        return;
    }
    delay_ms_ += static_cast<double>(arrived - sent) / 1000;
    smoothed_ms_ = kSmoothing * smoothed_ms_ + (1 - kSmoothing) * delay_ms_;
    const double now_ms = static_cast<double>(group.arrived_us - first_arrival_us_) / 1000;
    points_.push_back({now_ms, smoothed_ms_});
    if (points_.size() > kPoints) {
        points_.pop_front();
    }
    judge(static_cast<double>(sent) / 1000);
}

// Of the least squares line through the points.
double QueueTrend::slope() const {
    double at = 0, delay = 0, above = 0, below = 0;
    for (const Point& point : points_) {
        at += point.at_ms / static_cast<double>(points_.size());
        delay += point.delay_ms / static_cast<double>(points_.size());
    }
    for (const Point& point : points_) {
        above += (point.at_ms - at) * (point.delay_ms - delay);
        below += (point.at_ms - at) * (point.at_ms - at);
    }
    return below > 0 ? above / below : 0;
}

void QueueTrend::judge(double since_ms) {
    if (points_.size() < kPoints) {
        return;
    }
    const double before = trend_;
    trend_ = slope() * kMostPoints * kGain;
    if (trend_ > threshold_) {
        over_ms_ += since_ms;
        grows_ = grows_ || (over_ms_ > kOverMs && trend_ >= before);
    } else {
        over_ms_ = 0;
        grows_ = false;
    }
    adapt_threshold(std::abs(trend_), std::min(since_ms, kLongestStepMs));
}

// It follows the path's own variation, so that a path that always varies is not taken for a full one.
void QueueTrend::adapt_threshold(double trend, double since_ms) {
    if (trend > threshold_ + kOutlier) {
        return;
    }
    const double pace = trend < threshold_ ? kFall : kRise;
    threshold_ =
        std::clamp(threshold_ + pace * (trend - threshold_) * since_ms, kLeastThreshold, kMostThreshold);
}

uint32_t QueueTrend::received_bitrate() const {
    uint64_t bits = 0;
    for (const PacketTimes& packet : arrived_) {
        bits += 8ull * packet.bytes;
    }
    return static_cast<uint32_t>(std::min<uint64_t>(bits * 1'000'000 / kWindowUs, UINT32_MAX));
}

}  // namespace vmr::media
