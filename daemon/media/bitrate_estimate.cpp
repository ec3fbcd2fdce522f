#include "daemon/media/bitrate_estimate.hpp"

#include <algorithm>

namespace vmr::media {
namespace {

constexpr double kMuch = 0.10, kLittle = 0.02;
constexpr double kGrowth = 1.05;

}  // namespace

BitrateEstimate::BitrateEstimate(uint32_t floor, uint32_t ceiling)
    : floor_(std::min(floor, ceiling)), ceiling_(ceiling), estimate_(ceiling) {}

uint32_t BitrateEstimate::update(double fraction_lost, int64_t lost) {
    const bool fresh = lost != lost_;
    lost_ = lost;
    if (fraction_lost > kMuch && fresh) {
        estimate_ *= 1 - 0.5 * std::min(fraction_lost, 1.0);
    } else if (fraction_lost < kLittle) {
        estimate_ *= kGrowth;
    }
    estimate_ = std::clamp(estimate_, floor_, ceiling_);
    return static_cast<uint32_t>(estimate_);
}

}  // namespace vmr::media
