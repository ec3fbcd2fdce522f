#include "limiter.hpp"

#include <algorithm>
#include <cmath>

namespace vmr::mixer {
namespace {

constexpr double kThreshold = 29204.0;     // -1 dBFS
constexpr std::size_t kAttack = 48;        // 1 ms
constexpr double kReleasePerBlock = 1.12;  // +1 dB each 20 ms: 200 ms for 10 dB; 10 ms ticks: its root

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

void Limiter::process(std::span<const std::int32_t> in, std::span<std::int16_t> out) {
    const std::int32_t peak = peak_of(in);
    const double needed = peak > kThreshold ? kThreshold / peak : 1.0;
    const double release = in.size() == kBlock ? kReleasePerBlock : std::sqrt(kReleasePerBlock);
    const double target = std::min({1.0, needed, gain_ * release});
    if (target == 1.0 && gain_ == 1.0) {
        narrow(in, out);
        return;
    }
    // Down quickly, up over the whole block.
    const std::size_t ramp = target < gain_ ? kAttack : in.size();
    const double step = (target - gain_) / static_cast<double>(ramp);
    for (std::size_t i = 0; i < in.size(); ++i) {
        const double gain = i < ramp ? gain_ + step * static_cast<double>(i + 1) : target;
        out[i] = bend(gain * in[i]);
    }
    gain_ = target;
}

}  // namespace vmr::mixer
