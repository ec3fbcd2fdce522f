#include "delay_estimator.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace vmr::mixer {
namespace {

constexpr std::int64_t kBaseWindowUs = 5'000'000;  // the base is the fastest of the last 5 to 10 s
constexpr float kMemoryUs = 3e6F;                  // a packet's weight is 1/e after so much sound
constexpr float kFirstGuess = 0.5F;                // packets; outweighed after half a second
constexpr std::int64_t kFirstGuessUs = 10'000;
constexpr float kLate = 0.02F;    // of the packets may come too late
constexpr float kRescale = 1e9F;  // well within a float
constexpr std::int64_t kWorthMovingUs = 500;
constexpr int kBeyondPatience = 25;  // packets: then the path itself has become longer

// Steps of 1 ms up to 16 ms, 2 to 32, 4 to 64, 8 to 128, 16 to 256: an error of 6 to 12 %.
constexpr std::int64_t kFineUs = 16'000;
constexpr std::size_t kFineBins = 16, kBinsAnOctave = 8;

}  // namespace

void DelayEstimator::reset() {
    *this = DelayEstimator(longest_us_);
}

std::size_t DelayEstimator::bin_of(std::int64_t spread_us) {
    spread_us = std::max<std::int64_t>(spread_us, 0);
    if (spread_us < kFineUs) {
        return static_cast<std::size_t>(spread_us / 1000);
    }
    std::size_t first = kFineBins;
    std::int64_t start = kFineUs;
    for (; spread_us >= 2 * start; start *= 2) {
        first += kBinsAnOctave;
        if (first >= kBins) {
            return kBins - 1;
        }
    }
    const auto within = static_cast<std::size_t>((spread_us - start) * std::int64_t{kBinsAnOctave} / start);
    return std::min(first + within, kBins - 1);
}

std::int64_t DelayEstimator::upper_edge_us(std::size_t bin) {
    if (bin < kFineBins) {
        return static_cast<std::int64_t>(bin + 1) * 1000;
    }
    const std::size_t octave = (bin - kFineBins) / kBinsAnOctave;
    const std::int64_t start = kFineUs << octave;
    const auto within = static_cast<std::int64_t>((bin - kFineBins) % kBinsAnOctave + 1);
    return start + within * start / std::int64_t{kBinsAnOctave};
}

void DelayEstimator::on_packet_arrived(std::int64_t arrival_us, std::int64_t media_us,
                                       std::int64_t duration_us, bool excused) {
    const std::int64_t transit = arrival_us - media_us;
    if (!last_transit_us_) {
        base_us_ = window_min_us_ = previous_min_us_ = transit;
        window_end_us_ = arrival_us + kBaseWindowUs;
        bins_[bin_of(kFirstGuessUs)] = total_ = kFirstGuess;
        last_transit_us_ = transit;
    }
    if (excused && transit > base_us_) {
        return;
    }
    jitter_us_ += (static_cast<double>(std::abs(transit - *last_transit_us_)) - jitter_us_) / 16.0;
    last_transit_us_ = transit;
    follow_base(arrival_us, transit);
    note_spread(transit - base_us_, duration_us);
}

void DelayEstimator::follow_base(std::int64_t arrival_us, std::int64_t transit_us) {
    if (arrival_us >= window_end_us_) {
        previous_min_us_ = window_min_us_;
        window_min_us_ = transit_us;
        window_end_us_ = arrival_us + kBaseWindowUs;
    }
    window_min_us_ = std::min(window_min_us_, transit_us);
    move_base(std::min(window_min_us_, previous_min_us_));
    if (transit_us - base_us_ <= longest_us_) {
        beyond_ = 0;
        return;
    }
    beyond_min_us_ = beyond_ == 0 ? transit_us : std::min(beyond_min_us_, transit_us);
    if (++beyond_ >= kBeyondPatience) {
        window_min_us_ = previous_min_us_ = beyond_min_us_;
        beyond_ = 0;
        move_base(beyond_min_us_);
    }
}

// What the histogram has was measured from the old base.
void DelayEstimator::move_base(std::int64_t base_us) {
    const std::int64_t moved = base_us - std::exchange(base_us_, base_us);
    if (std::abs(moved) < kWorthMovingUs) {
        return;
    }
    std::array<float, kBins> shifted{};
    for (std::size_t bin = 0; bin < kBins; ++bin) {
        const std::int64_t lower = bin == 0 ? 0 : upper_edge_us(bin - 1);
        shifted[bin_of((lower + upper_edge_us(bin)) / 2 - moved)] += bins_[bin];
    }
    bins_ = shifted;
}

void DelayEstimator::note_spread(std::int64_t spread_us, std::int64_t duration_us) {
    bins_[bin_of(spread_us)] += weight_;
    total_ += weight_;
    weight_ *= 1.0F + static_cast<float>(duration_us) / kMemoryUs;
    if (weight_ > kRescale) {
        for (float& bin : bins_) {
            bin /= weight_;
        }
        total_ /= weight_;
        weight_ = 1.0F;
    }
    float above = 0.0F;
    std::size_t bin = kBins - 1;
    for (; bin > 0; --bin) {
        above += bins_[bin];
        if (above > kLate * total_) {
            break;
        }
    }
    spread_us_ = upper_edge_us(bin);
}

}  // namespace vmr::mixer
