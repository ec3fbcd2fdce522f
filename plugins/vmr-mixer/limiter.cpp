#include "limiter.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace vmr::mixer {
namespace {

constexpr double kThreshold = 29204.0;     // -1 dBFS
constexpr std::size_t kAttack = 48;        // 1 ms
constexpr double kReleasePerBlock = 1.12;  // +1 dB each 20 ms: 200 ms for 10 dB

// Straight up to the threshold, then bends towards full scale and never passes it.
std::int16_t bend(double sample) {
    const double size = std::fabs(sample);
    if (size <= kThreshold) {
        return static_cast<std::int16_t>(std::lrint(sample));
    }
    constexpr double kRoom = kFullScale - kThreshold;
    const double bent = kThreshold + kRoom * std::tanh((size - kThreshold) / kRoom);
    return static_cast<std::int16_t>(std::lrint(std::copysign(bent, sample)));
}

}  // namespace

void Limiter::process(const SumBlock& in, SampleBlock& out) {
    std::int32_t peak = 0;
    for (const std::int32_t sample : in) {
        peak = std::max(peak, std::abs(sample));
    }
    const double needed = peak > kThreshold ? kThreshold / peak : 1.0;
    const double target = std::min({1.0, needed, gain_ * kReleasePerBlock});
    if (target == 1.0 && gain_ == 1.0) {
        std::transform(in.begin(), in.end(), out.begin(),
                       [](std::int32_t sample) { return static_cast<std::int16_t>(sample); });
        return;
    }
    // Down quickly, up over the whole block.
    const std::size_t ramp = target < gain_ ? kAttack : kBlock;
    const double step = (target - gain_) / static_cast<double>(ramp);
    for (std::size_t i = 0; i < kBlock; ++i) {
        const double gain = i < ramp ? gain_ + step * static_cast<double>(i + 1) : target;
        out[i] = bend(gain * in[i]);
    }
    gain_ = target;
}

}  // namespace vmr::mixer
