// Test signals at 48 kHz, and how alike two of them are.
#pragma once
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <span>
#include <string_view>
#include <vector>

namespace vmr::test {

inline std::vector<std::int16_t> noise(std::size_t count, int amplitude, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> uniform(-amplitude, amplitude);
    std::vector<std::int16_t> samples(count);
    for (auto& sample : samples) {
        sample = static_cast<std::int16_t>(uniform(random));
    }
    return samples;
}

// 100 ms of each key, 100 ms of silence after it.
inline std::vector<std::int16_t> dtmf(std::string_view keys) {
    constexpr std::string_view kKeys = "123A456B789C*0#D";
    constexpr double kRows[] = {697, 770, 852, 941}, kColumns[] = {1209, 1336, 1477, 1633};
    std::vector<std::int16_t> samples;
    for (const char key : keys) {
        const std::size_t place = kKeys.find(key);
        for (int i = 0; i < 9600; ++i) {
            const double t = i / 48000.0 * 2 * std::numbers::pi;
            samples.push_back(i >= 4800
                                  ? std::int16_t{0}
                                  : static_cast<std::int16_t>(6000 * std::sin(kRows[place / 4] * t) +
                                                              6000 * std::sin(kColumns[place % 4] * t)));
        }
    }
    return samples;
}

inline double rms(std::span<const std::int16_t> samples) {
    double sum = 0;
    for (const double sample : samples) {
        sum += sample * sample;
    }
    return samples.empty() ? 0 : std::sqrt(sum / static_cast<double>(samples.size()));
}

// Normalised, at the best lag of up to `lags` samples either way: 1 the same, near 0 unrelated.
inline double correlation(std::span<const std::int16_t> a, std::span<const std::int16_t> b, int lags) {
    const double scale = rms(a) * rms(b) * static_cast<double>(std::min(a.size(), b.size()));
    double best = 0;
    for (int lag = -lags; scale > 0 && lag <= lags; ++lag) {
        double sum = 0;
        for (std::size_t i = 0; i < a.size(); ++i) {
            const auto j = static_cast<std::ptrdiff_t>(i) + lag;
            if (j >= 0 && j < static_cast<std::ptrdiff_t>(b.size())) {
                sum += static_cast<double>(a[i]) * b[static_cast<std::size_t>(j)];
            }
        }
        best = std::max(best, std::abs(sum) / scale);
    }
    return best;
}

}  // namespace vmr::test
