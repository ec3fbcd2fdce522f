#include "daemon/media/fec_share.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vmr::media {
namespace {

// A report may speak of thirty packets: none lost of so few is no news.
constexpr double kRise = 0.3, kFall = 0.1;
constexpr double kNothing = 0.005;  // one packet of forty is something
// Of a group with one packet of FEC two may be lost: more FEC than is lost.
constexpr double kTimes = 3;
constexpr double kLeast = 10, kMost = 50;  // per cent
// What is sent again comes within the jitter buffer's patience; within a part of it.
constexpr double kShort = 20, kMedium = 100;  // ms

}  // namespace

unsigned FecShare::update(const LossReport& loss, std::optional<double> round_trip_ms, bool resent) {
    if (std::exchange(seen_, loss.number) == loss.number) {
        return percentage_;
    }
    const double more = std::clamp(loss.fraction_lost, 0.0, 1.0) - usual_loss_;
    usual_loss_ += (more > 0 ? kRise : kFall) * more;
    const double round_trip = round_trip_ms.value_or(0);
    if (usual_loss_ < kNothing || (resent && round_trip < kShort)) {
        percentage_ = 0;
        return percentage_;
    }
    const double wanted = std::clamp(100 * kTimes * usual_loss_, kLeast, kMost);
    percentage_ = static_cast<unsigned>(std::lround(resent && round_trip < kMedium ? wanted / 2 : wanted));
    return percentage_;
}

}  // namespace vmr::media
