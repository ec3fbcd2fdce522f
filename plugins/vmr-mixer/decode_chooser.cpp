#include "decode_chooser.hpp"

#include <algorithm>

namespace vmr::mixer {
namespace {

constexpr double kNoClaim = -100.0;
constexpr int kHangoverMs = 600;           // longer than the detector's: it has the last word
constexpr double kClaimFallPerMs = 0.005;  // smoothing: up at once, down over ~200 ms
constexpr double kKeepDecoded = 6.0;       // dB in favour of who is decoded already
constexpr double kBoast = 12.0;            // dB that a sender may claim beyond what is heard of it

double credible_level(const DecodeChooser::Candidate& candidate) {
    const double claimed = candidate.sounding ? candidate.level_db.value_or(kNoClaim) : kNoClaim;
    return candidate.heard_db ? std::min(claimed, *candidate.heard_db + kBoast) : claimed;
}

double score(const DecodeChooser::Candidate& candidate) {
    return candidate.smooth_db + (candidate.decode ? kKeepDecoded : 0.0);
}

}  // namespace

void DecodeChooser::choose(std::span<Candidate* const> candidates, const Settings& settings) {
    ranked_.clear();
    for (Candidate* candidate : candidates) {
        const double level = credible_level(*candidate);
        const double fall = std::min(1.0, kClaimFallPerMs * settings.tick_ms);
        double& smooth = candidate->smooth_db;
        smooth = level > smooth ? level : smooth + (level - smooth) * fall;
        candidate->hangover_ms =
            level >= settings.gate_db ? kHangoverMs : std::max(0, candidate->hangover_ms - settings.tick_ms);
        if (candidate->muted || !candidate->sounding) {
            candidate->decode = false;
        } else if (candidate->level_db && candidate->hangover_ms > 0) {
            ranked_.push_back(candidate);
        } else {
            candidate->decode = !candidate->level_db;
        }
    }
    const std::size_t count = std::min<std::size_t>(settings.max_talkers, ranked_.size());
    std::partial_sort(ranked_.begin(), ranked_.begin() + static_cast<std::ptrdiff_t>(count), ranked_.end(),
                      [](const Candidate* a, const Candidate* b) { return score(*a) > score(*b); });
    for (std::size_t i = 0; i < ranked_.size(); ++i) {
        ranked_[i]->decode = i < count;
    }
}

}  // namespace vmr::mixer
