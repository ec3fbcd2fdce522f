// The filter that changes of the sample rate share: a sinc in a Blackman window.
#pragma once
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

namespace vmr::mixer {

// `count` taps (even) with a sum of 1. `cutoff`: of the rate that they run at.
inline std::vector<double> low_pass(std::size_t count, double cutoff) {
    std::vector<double> taps(count);
    double total = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
        const double x = static_cast<double>(i) - (static_cast<double>(count) - 1.0) / 2.0;
        const double phase = 2.0 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(count - 1);
        const double window = 0.42 - 0.5 * std::cos(phase) + 0.08 * std::cos(2.0 * phase);
        taps[i] = std::sin(2.0 * std::numbers::pi * cutoff * x) / (std::numbers::pi * x) * window;
        total += taps[i];
    }
    for (double& tap : taps) {
        tap /= total;
    }
    return taps;
}

}  // namespace vmr::mixer
