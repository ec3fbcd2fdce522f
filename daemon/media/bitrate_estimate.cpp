#include "daemon/media/bitrate_estimate.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "daemon/media/transport/queue_trend.hpp"

namespace vmr::media {
namespace {

using std::chrono::duration;
using namespace std::chrono_literals;

// Lost packets alone may be a queue that is full or a radio that is bad. Where arrival times say that no
// queue grows it is the radio, and fewer bits would lose as many of them.
constexpr double kMuch = 0.10, kMuchWithoutQueue = 0.20, kLittle = 0.02, kRadio = 0.15;
constexpr double kSmoothing = 0.3;
constexpr double kLossGrowth = 1.05;  // a second
constexpr double kLongestRise = 5;    // s, for one report
constexpr double kCut = 0.85;         // of what arrives
constexpr double kFastest = 0.08, kSlowest = 0.01;
constexpr auto kDrain = 1s;     // for a cut to show
constexpr auto kPatience = 2s;  // with a queue that grows although nearly all is carried
constexpr auto kProof = 1s;  // of a queue that grows although far less is sent than the path carried before
constexpr auto kRest = 2s;   // from a cut to the first rise
constexpr auto kAgain = 5s;  // a cut after that long is a new attempt that failed
constexpr auto kForget = 60s;

double seconds_since(std::optional<BitrateEstimate::Time>& last, BitrateEstimate::Time now) {
    const double seconds = last ? duration<double>(now - *last).count() : 1;
    last = now;
    return std::clamp(seconds, 0.0, kLongestRise);
}

}  // namespace

BitrateEstimate::BitrateEstimate(uint32_t floor, uint32_t ceiling)
    : floor_(std::min(floor, ceiling)),
      ceiling_(ceiling),
      by_loss_(ceiling),
      by_trend_(ceiling),
      growth_(kFastest) {}

void BitrateEstimate::follow_loss(const LossReport& loss, const PathTrend* trend, Time now) {
    const bool queue_is_short = trend != nullptr && !trend->queue_grows;
    // Of a few packets many may be lost, but not because there were so many.
    if (queue_is_short && trend->received_bitrate < by_loss_ / 4) {
        return;
    }
    const double seconds = seconds_since(raised_by_loss_, now);
    // A report may speak of thirty packets: one alone says little.
    usual_loss_ =
        usual_loss_ ? *usual_loss_ + kSmoothing * (loss.fraction_lost - *usual_loss_) : loss.fraction_lost;
    const double lost = queue_is_short ? std::min(loss.fraction_lost, *usual_loss_) : loss.fraction_lost;
    if (lost > (queue_is_short ? kMuchWithoutQueue : kMuch)) {
        by_loss_ *= 1 - 0.5 * std::min(loss.fraction_lost, 1.0);
    } else if (lost < (queue_is_short ? kRadio : kLittle)) {
        by_loss_ *= std::pow(kLossGrowth, seconds);
    }
    by_loss_ = std::clamp(by_loss_, floor_, ceiling_);
}

void BitrateEstimate::follow_trend(const PathTrend& trend, Time now) {
    const double seconds = std::min(seconds_since(raised_by_trend_, now), 1.0);
    if (trend.queue_grows) {
        grows_since_ = grows_since_.value_or(now);
        const bool carried = trend.carried >= QueueTrend::kCongested && now - *grows_since_ < kPatience;
        if (carried || (cut_ && now - *cut_ < kDrain)) {
            return;
        }
        // A quiet picture needs far less than the estimate: then that little arrives says little, and what
        // grows for a moment is a peer that had no time.
        const double arrives = kCut * trend.received_bitrate;
        const bool quiet = arrives < by_trend_ / 2;
        if (quiet && now - *grows_since_ < kProof) {
            return;
        }
        // Each attempt that fails makes the next one slower.
        if (cut_ && now - *cut_ > kAgain) {
            growth_ = std::max(growth_ / 2, kSlowest);
        }
        cut_ = now;
        by_trend_ = std::min(by_trend_, std::max(arrives, quiet ? by_trend_ / 2 : floor_));
        return;
    }
    grows_since_.reset();
    if (!cut_ || now - *cut_ >= kRest) {
        if (cut_ && now - *cut_ > kForget) {
            growth_ = kFastest;
        }
        by_trend_ *= std::pow(1 + growth_, seconds);
    }
    by_trend_ = std::clamp(by_trend_, floor_, ceiling_);
}

uint32_t BitrateEstimate::update(const std::optional<LossReport>& loss, const std::optional<PathTrend>& trend,
                                 Time now) {
    const bool told = trend && std::exchange(trend_seen_, trend->reports) != trend->reports;
    if (told) {
        follow_trend(*trend, now);
    }
    if (loss && std::exchange(loss_seen_, loss->number) != loss->number) {
        follow_loss(*loss, told ? &*trend : nullptr, now);
    }
    return static_cast<uint32_t>(std::min(by_loss_, by_trend_));
}

}  // namespace vmr::media
