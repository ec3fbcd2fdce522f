#include "concealment.hpp"

#include <algorithm>
#include <cmath>

namespace vmr::mixer {
namespace {

constexpr std::size_t kShortestPeriodMs = 4, kLongestPeriodMs = 15;  // 250 to 66 Hz
constexpr std::size_t kMatchMs = 20;                                 // that are compared
constexpr std::size_t kMostPeriods = 3;
// One period over and over buzzes: after this long there are more of them (appendix I.2.4).
constexpr std::size_t kMorePeriodsMs = 10;
constexpr std::size_t kHistoryMs = kMostPeriods * kLongestPeriodMs + kLongestPeriodMs;
constexpr std::size_t kLoudMs = 40, kAudibleMs = 100, kSilentMs = 140;
constexpr float kAudible = 0.5F;    // -6 dB
constexpr std::size_t kJoinMs = 5;  // of a packet after a loss, at most a period

static_assert(kHistoryMs >= kMatchMs + kLongestPeriodMs);

float saturated(float value) {
    return std::clamp(value, -32768.0F, 32767.0F);
}

}  // namespace

Concealment::Concealment(int rate) : ms_(static_cast<std::size_t>(rate) / 1000), history_(kHistoryMs * ms_) {
    loop_.reserve(kMostPeriods * kLongestPeriodMs * ms_);
}

void Concealment::reset() {
    std::fill(history_.begin(), history_.end(), std::int16_t{0});
    known_ = 0;
    lost_ = 0;
}

void Concealment::remember(std::span<const std::int16_t> samples) {
    const auto newest = samples.last(std::min(samples.size(), history_.size()));
    std::shift_left(history_.begin(), history_.end(), static_cast<std::ptrdiff_t>(newest.size()));
    std::copy(newest.begin(), newest.end(), history_.end() - static_cast<std::ptrdiff_t>(newest.size()));
    known_ = std::min(known_ + newest.size(), history_.size());
}

// The lag at which the last kMatchMs are most like what was before them.
std::size_t Concealment::find_period() const {
    const std::size_t count = kMatchMs * ms_;
    const std::int16_t* newest = history_.data() + history_.size() - count;
    float best = -1;
    std::size_t period = kLongestPeriodMs * ms_;
    for (std::size_t lag = kShortestPeriodMs * ms_; lag <= kLongestPeriodMs * ms_; ++lag) {
        float product = 0, energy = 1;
        for (std::size_t i = 0; i < count; ++i) {
            const float before = *(newest + i - lag);
            product += static_cast<float>(newest[i]) * before;
            energy += before * before;
        }
        if (const float like = product / std::sqrt(energy); like > best) {
            best = like;
            period = lag;
        }
    }
    return period;
}

// The end of what is repeated runs into what was before its beginning: no step where it begins again.
void Concealment::use_periods(std::size_t count) {
    const std::size_t size = count * period_, overlap = period_ / 4;
    const std::int16_t* first = history_.data() + history_.size() - size;
    loop_.assign(first, first + size);
    for (std::size_t i = 0; i < overlap; ++i) {
        const float share = static_cast<float>(i + 1) / static_cast<float>(overlap + 1);
        float& sample = loop_[size - overlap + i];
        sample += share * (static_cast<float>(*(first - overlap + static_cast<std::ptrdiff_t>(i))) - sample);
    }
    periods_ = count;
}

void Concealment::begin() {
    period_ = find_period();
    use_periods(1);
    at_ = 0;
    // What was heard last is the packet's own end, not the loop's: the step fades out.
    correction_ = static_cast<float>(history_.back()) - loop_.back();
    correction_left_ = period_ / 4;
}

float Concealment::gain() const {
    const auto ms = static_cast<float>(lost_) / static_cast<float>(ms_);
    if (ms <= kLoudMs) {
        return 1;
    }
    if (ms <= kAudibleMs) {
        return 1 - (1 - kAudible) * (ms - kLoudMs) / (kAudibleMs - kLoudMs);
    }
    return std::max(0.0F, kAudible * (kSilentMs - ms) / (kSilentMs - kAudibleMs));
}

float Concealment::next() {
    const bool another =
        at_ % period_ == 0 && periods_ < kMostPeriods && lost_ >= periods_ * kMorePeriodsMs * ms_;
    if (another || at_ == loop_.size()) {
        const float before = loop_[at_ == 0 ? loop_.size() - 1 : at_ - 1];
        if (another) {
            use_periods(periods_ + 1);
            correction_ = before - loop_.back();
            correction_left_ = period_ / 4;
        }
        at_ = 0;
    }
    float sample = loop_[at_++];
    if (correction_left_ > 0) {
        const auto steps = period_ / 4 + 1;
        sample += correction_ * static_cast<float>(correction_left_) / static_cast<float>(steps);
        --correction_left_;
    }
    sample *= gain();
    ++lost_;
    return sample;
}

void Concealment::fill(std::span<std::int16_t> samples) {
    if (known_ < history_.size()) {  // nothing to repeat yet
        std::fill(samples.begin(), samples.end(), std::int16_t{0});
        return;
    }
    if (lost_ == 0) {
        begin();
    }
    for (std::int16_t& sample : samples) {
        sample = static_cast<std::int16_t>(std::lrint(saturated(next())));
    }
}

void Concealment::hear(std::span<std::int16_t> samples) {
    if (lost_ > 0) {
        // What would have gone on fades out while the packet fades in.
        const std::size_t join = std::min({kJoinMs * ms_, period_, samples.size()});
        for (std::size_t i = 0; i < join; ++i) {
            const float share = static_cast<float>(i + 1) / static_cast<float>(join + 1);
            const float on = next();
            samples[i] = static_cast<std::int16_t>(std::lrint(saturated(on + share * (samples[i] - on))));
        }
        lost_ = 0;
    }
    remember(samples);
}

}  // namespace vmr::mixer
