#include "decimator.hpp"

#include <algorithm>
#include <cmath>

#include "low_pass.hpp"

namespace vmr::mixer {
namespace {

constexpr std::size_t kTapsPerFactor = 24;
constexpr double kCutoff = 0.42;  // of the output rate: passes 3.4 of 4 kHz, 6.7 of 8 kHz

std::vector<float> design(std::size_t factor) {
    const std::vector<double> taps = low_pass(kTapsPerFactor * factor, kCutoff / static_cast<double>(factor));
    return {taps.begin(), taps.end()};
}

}  // namespace

Decimator::Decimator(int output_rate)
    : output_rate_(output_rate),
      factor_(static_cast<std::size_t>(kRoomRate / output_rate)),
      taps_(design(factor_)),
      history_(taps_.size() - 1, 0.0F) {}

void Decimator::process(std::span<const std::int16_t> in, std::vector<std::int16_t>& out) {
    const std::size_t keep = taps_.size() - 1;
    history_.resize(keep + in.size());
    std::copy(in.begin(), in.end(), history_.begin() + static_cast<std::ptrdiff_t>(keep));
    out.resize(in.size() / factor_);
    for (std::size_t n = 0; n < out.size(); ++n) {
        const float* window = history_.data() + n * factor_ + factor_ - 1;
        float sum = 0.0F;
        for (std::size_t k = 0; k < taps_.size(); ++k) {
            sum += taps_[k] * window[k];
        }
        out[n] = static_cast<std::int16_t>(std::lrintf(std::clamp(sum, -32768.0F, 32767.0F)));
    }
    std::copy(history_.end() - static_cast<std::ptrdiff_t>(keep), history_.end(), history_.begin());
}

}  // namespace vmr::mixer
