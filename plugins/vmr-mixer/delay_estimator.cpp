#include "delay_estimator.hpp"

#include <algorithm>
#include <cstdlib>

namespace vmr::mixer {
namespace {

constexpr std::int64_t kBinUs = 10'000;
constexpr std::int64_t kBaseWindowUs = 5'000'000;  // the base is the fastest of the last 5 to 10 s
constexpr float kForget = 0.998F;                  // each packet: ten seconds of 20 ms packets
constexpr std::size_t kFirstGuess = 3;             // 40 ms
constexpr float kLateWeight = 4.0F;
constexpr float kPlayed = 0.97F;     // of the packets are to come in time
constexpr int kBeyondPatience = 25;  // packets: then the path itself has become longer
constexpr double kJitterFactor = 2.0;

}  // namespace

void DelayEstimator::reset() {
    *this = DelayEstimator(limits_);
}

void DelayEstimator::on_packet_arrived(std::int64_t arrival_us, std::int64_t media_us, bool late) {
    const std::int64_t transit = arrival_us - media_us;
    if (!last_transit_us_) {
        base_us_ = window_min_us_ = previous_min_us_ = transit;
        window_end_us_ = arrival_us + kBaseWindowUs;
        bins_[kFirstGuess] = 0.1F;  // soon outweighed
        last_transit_us_ = transit;
    }
    jitter_us_ += (static_cast<double>(std::abs(transit - *last_transit_us_)) - jitter_us_) / 16.0;
    last_transit_us_ = transit;
    follow_base(arrival_us, transit);
    note_spread(transit - base_us_, late);
}

void DelayEstimator::follow_base(std::int64_t arrival_us, std::int64_t transit_us) {
    if (arrival_us >= window_end_us_) {
        previous_min_us_ = window_min_us_;
        window_min_us_ = transit_us;
        window_end_us_ = arrival_us + kBaseWindowUs;
    }
    window_min_us_ = std::min(window_min_us_, transit_us);
    base_us_ = std::min(window_min_us_, previous_min_us_);
    if (transit_us - base_us_ <= limits_.longest_ms * std::int64_t{1000}) {
        beyond_ = 0;
        return;
    }
    beyond_min_us_ = beyond_ == 0 ? transit_us : std::min(beyond_min_us_, transit_us);
    if (++beyond_ >= kBeyondPatience) {
        base_us_ = window_min_us_ = previous_min_us_ = beyond_min_us_;
        beyond_ = 0;
    }
}

void DelayEstimator::note_spread(std::int64_t spread_us, bool late) {
    const auto bin = static_cast<std::size_t>(
        std::clamp<std::int64_t>(spread_us / kBinUs, 0, static_cast<std::int64_t>(kBins) - 1));
    float total = 0.0F;
    for (float& weight : bins_) {
        weight *= kForget;
        total += weight;
    }
    const float added = (1.0F - kForget) * (late ? kLateWeight : 1.0F);
    bins_[bin] += added;
    total += added;
    float below = 0.0F;
    std::size_t needed = 0;
    for (; needed + 1 < kBins; ++needed) {
        below += bins_[needed];
        if (below >= kPlayed * total) {
            break;
        }
    }
    const auto quantile = static_cast<std::int64_t>(needed + 1) * kBinUs;
    const auto spread = std::max(quantile, static_cast<std::int64_t>(kJitterFactor * jitter_us_));
    target_us_ = std::clamp<std::int64_t>(spread, limits_.shortest_ms * 1000, limits_.longest_ms * 1000);
}

}  // namespace vmr::mixer
