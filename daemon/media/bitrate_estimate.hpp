// What a viewer's network carries of what we send (after draft-ietf-rmcat-gcc-02): less when a queue grows on
// the way (section 5.5) or much is lost (section 6), slowly more again while reports say that all is well.
// Pure.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "daemon/media/transport/types.hpp"

namespace vmr::media {

// The newest receiver report (RFC 3550 section 6.4).
struct LossReport {
    uint64_t number = 0;       // by which a new one is told from one that was seen before
    double fraction_lost = 0;  // 0..1
};

class BitrateEstimate {
public:
    using Time = std::chrono::steady_clock::time_point;

    // bit/s; it begins at `ceiling`.
    BitrateEstimate(uint32_t floor, uint32_t ceiling);

    // To be called each second, and at once when a queue begins to grow. Returns the estimate, bit/s. What is
    // not reported stays as it is: silence is no good news.
    uint32_t update(const std::optional<LossReport>& loss, const std::optional<PathTrend>& trend, Time now);

private:
    void follow_loss(const LossReport& loss, const PathTrend* trend, Time now);  // no trend: not told
    void follow_trend(const PathTrend& trend, Time now);

    double floor_, ceiling_;
    double by_loss_, by_trend_;  // bit/s
    std::optional<double> usual_loss_;
    double growth_;  // of by_trend_, for each second
    uint64_t loss_seen_ = 0, trend_seen_ = 0;
    std::optional<Time> raised_by_loss_, raised_by_trend_, cut_, grows_since_;
};

}  // namespace vmr::media
