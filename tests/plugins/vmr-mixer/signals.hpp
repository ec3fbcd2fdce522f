// Test tones and how to find them.
#pragma once
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

namespace vmr::test {

// Continues a sine over blocks: sample `start` onwards.
inline std::vector<std::int16_t> sine(double hertz, double amplitude, std::size_t start, std::size_t count,
                                      int rate = 48000) {
    std::vector<std::int16_t> samples(count);
    for (std::size_t i = 0; i < count; ++i) {
        const double phase = 2 * std::numbers::pi * hertz * static_cast<double>(start + i) / rate;
        samples[i] = static_cast<std::int16_t>(std::lrint(amplitude * std::sin(phase)));
    }
    return samples;
}

// Goertzel: amplitude of one frequency, in sample units.
inline double tone(std::span<const std::int16_t> samples, double hertz, int rate = 48000) {
    const double w = 2 * std::numbers::pi * hertz / rate;
    double before = 0, last = 0;
    for (const std::int16_t sample : samples) {
        const double now = sample + 2 * std::cos(w) * last - before;
        before = last;
        last = now;
    }
    const double power = last * last + before * before - 2 * std::cos(w) * last * before;
    return 2 * std::sqrt(std::max(0.0, power)) / static_cast<double>(samples.size());
}

}  // namespace vmr::test
