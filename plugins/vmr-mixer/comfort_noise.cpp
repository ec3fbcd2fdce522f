#include "comfort_noise.hpp"

#include <algorithm>
#include <cmath>

#include "mix_kernel.hpp"

namespace vmr::mixer {
namespace {

constexpr std::size_t kLength = 16384;  // samples, a power of two

std::uint32_t next_random(std::uint32_t& seed) {
    seed = seed * 1664525U + 1013904223U;
    return seed >> 8;
}

}  // namespace

void ComfortNoise::set_level(double level_db) {
    if (level_db == level_db_) {
        return;
    }
    level_db_ = level_db;
    samples_.clear();
    if (level_db <= kSilenceDb) {
        return;
    }
    // Twelve even distributions make one that is nearly normal, with a deviation of 1.
    const double size = 32768.0 * std::pow(10.0, level_db / 20.0);
    samples_.reserve(kLength);
    for (std::size_t i = 0; i < kLength; ++i) {
        double sum = -6.0;
        for (int k = 0; k < 12; ++k) {
            sum += next_random(seed_) / 16777216.0;
        }
        samples_.push_back(static_cast<std::int16_t>(std::lrint(size * sum)));
    }
}

void ComfortNoise::add_to(std::span<std::int16_t> samples) {
    std::size_t at = next_random(seed_) % kLength;
    for (std::int16_t& sample : samples) {
        sample = static_cast<std::int16_t>(std::clamp(sample + samples_[at], -32768, 32767));
        at = (at + 1) % kLength;
    }
}

}  // namespace vmr::mixer
