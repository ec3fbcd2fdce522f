#include "plugins/duplex/fade.hpp"

#include <algorithm>
#include <cmath>

namespace vmr::duplex {

std::int16_t saturate(int value) {
    return static_cast<std::int16_t>(std::clamp(value, -32768, 32767));
}

void mix_into(Samples inout, ConstSamples added) {
    const std::size_t count = std::min(inout.size(), added.size());
    for (std::size_t i = 0; i < count; ++i) {
        inout[i] = saturate(inout[i] + added[i]);
    }
}

void Fade::apply(Samples passing, ConstSamples instead, bool open) {
    const double step =
        1.0 / static_cast<double>(std::max<std::size_t>(std::min(passing.size(), kFadeSamples), 1));
    for (std::size_t i = 0; i < passing.size(); ++i) {
        gain_ = std::clamp(gain_ + (open ? step : -step), 0.0, 1.0);
        const double other = i < instead.size() ? instead[i] * (1.0 - gain_) : 0.0;
        passing[i] = saturate(static_cast<int>(std::lround(passing[i] * gain_ + other)));
    }
    snap(open);
}

}  // namespace vmr::duplex
