#include "level_control.hpp"

#include <algorithm>
#include <cmath>

namespace vmr::mixer {
namespace {

constexpr double kWindowMs = 1500.0;  // of speech, pauses left out
constexpr double kLearnMs = 200.0;    // before the gain moves at all
constexpr double kUpPerMs = 0.005;    // dB: 5 dB a second
constexpr double kDownPerMs = 0.008;
constexpr double kCloseEnoughDb = 0.5;

}  // namespace

double LevelControl::update(double level_db, bool speech, int tick_ms) {
    if (!speech) {
        return gain_;
    }
    heard_ms_ = std::min(heard_ms_ + tick_ms, kWindowMs);
    mean_ += (std::pow(10.0, level_db / 10.0) - mean_) * tick_ms / heard_ms_;
    if (heard_ms_ < kLearnMs) {
        return gain_;
    }
    const double wanted = std::clamp(kTargetDb - 10.0 * std::log10(mean_), -kMostDownDb, kMostUpDb);
    if (std::fabs(wanted - gain_db_) < kCloseEnoughDb) {
        return gain_;
    }
    gain_db_ += std::clamp(wanted - gain_db_, -kDownPerMs * tick_ms, kUpPerMs * tick_ms);
    gain_ = std::pow(10.0, gain_db_ / 20.0);
    return gain_;
}

}  // namespace vmr::mixer
