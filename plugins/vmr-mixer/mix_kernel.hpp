// Sum-minus-self arithmetic on 20 ms blocks: 32-bit, exact, O(N) in inputs.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "audio_format.hpp"

namespace vmr::mixer {

using SampleBlock = std::array<std::int16_t, kBlock>;
using SumBlock = std::array<std::int32_t, kBlock>;

// out[i] = round(in[i] * gain), the gain moving linearly from `from` to `to` over the first
// `kRamp` samples. Gain 1 to 1 copies exactly.
inline constexpr std::size_t kRamp = 240;  // 5 ms: long enough not to click
void apply_gain(std::span<const std::int16_t, kBlock> in, double from, double to, SumBlock& out);

void add(SumBlock& sum, const SumBlock& contribution);
void subtract(const SumBlock& sum, const SumBlock& own, SumBlock& out);

inline constexpr double kSilenceDb = -100.0;
// RMS of the block in dBFS (a full-scale square is 0 dB), never below kSilenceDb.
double level_db(std::span<const std::int16_t> samples);

}  // namespace vmr::mixer
