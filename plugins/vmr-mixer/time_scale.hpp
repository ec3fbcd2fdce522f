// Sound a little shorter or longer, without a change of pitch.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vmr::mixer {

// Pure; 48 kHz. A piece as long as a period of the voice (or any multiple of it) is taken out or played
// twice, and cross-faded (WSOLA). What has no period is left as it is, unless it is `quiet`.
inline constexpr std::size_t kShortestPeriod = 120;  // 2.5 ms
inline constexpr std::size_t kLongestPeriod = 720;   // 15 ms

// Takes up to `most` samples out of the first ones; returns how many.
std::size_t shorten(std::vector<std::int16_t>& samples, std::size_t most, bool quiet);
// Adds `wanted` samples, or about as many as there are in a period; returns how many.
std::size_t lengthen(std::vector<std::int16_t>& samples, std::size_t wanted, bool quiet);

}  // namespace vmr::mixer
