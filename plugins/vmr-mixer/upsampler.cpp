#include "upsampler.hpp"

#include <algorithm>

#include "audio_format.hpp"
#include "low_pass.hpp"

namespace vmr::mixer {
namespace {

constexpr std::size_t kTapsPerPhase = 24;
constexpr double kPassband = 0.44;  // of the input rate: 3.5 of 4 kHz, 7 of 8 kHz

std::vector<float> design_phases(std::size_t factor) {
    const std::size_t count = kTapsPerPhase * factor;
    const std::vector<double> prototype = low_pass(count, kPassband / static_cast<double>(factor));
    std::vector<float> phases(count);
    for (std::size_t phase = 0; phase < factor; ++phase) {
        for (std::size_t k = 0; k < kTapsPerPhase; ++k) {
            const double tap = prototype[phase + k * factor] * static_cast<double>(factor);
            phases[phase * kTapsPerPhase + (kTapsPerPhase - 1 - k)] = static_cast<float>(tap);
        }
    }
    return phases;
}

}  // namespace

Upsampler::Upsampler(int input_rate)
    : factor_(static_cast<std::size_t>(kRoomRate / input_rate)),
      taps_(design_phases(factor_)),
      history_(kTapsPerPhase - 1, 0.0F) {}

void Upsampler::reset() {
    history_.assign(kTapsPerPhase - 1, 0.0F);
}

void Upsampler::process(std::span<const std::int16_t> in, std::vector<std::int16_t>& out) {
    constexpr std::size_t kHistory = kTapsPerPhase - 1;
    history_.resize(kHistory + in.size());
    std::copy(in.begin(), in.end(), history_.begin() + kHistory);
    const std::size_t start = out.size();
    out.resize(start + in.size() * factor_);
    for (std::size_t n = 0; n < in.size(); ++n) {
        const float* window = history_.data() + n;
        for (std::size_t phase = 0; phase < factor_; ++phase) {
            const float* taps = taps_.data() + phase * kTapsPerPhase;
            float sum = 0.0F;
            for (std::size_t k = 0; k < kTapsPerPhase; ++k) {
                sum += taps[k] * window[k];
            }
            out[start + n * factor_ + phase] =
                static_cast<std::int16_t>(std::lrintf(std::clamp(sum, -32768.0F, 32767.0F)));
        }
    }
    std::copy(history_.end() - kHistory, history_.end(), history_.begin());
}

}  // namespace vmr::mixer
