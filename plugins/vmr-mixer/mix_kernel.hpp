// Sum-minus-self arithmetic on blocks of one tick: 32-bit, exact, O(N) in inputs.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "audio_format.hpp"

// One function for AVX2 and one for what every x86-64 has (SSE2), chosen when the library is loaded.
// The loader chooses before a sanitizer is ready.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define VMR_VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define VMR_VECTOR_CLONES
#endif

namespace vmr::mixer {

// Room for the longest tick; a shorter one uses the front.
using SampleBlock = std::array<std::int16_t, kBlock>;
using SumBlock = std::array<std::int32_t, kBlock>;

// out[i] = round(in[i] * gain), the gain moving linearly from `from` to `to` over the first
// `kRamp` samples. Gain 1 to 1 copies exactly. Gains are at most 100.
inline constexpr std::size_t kRamp = 240;  // 5 ms: long enough not to click
void apply_gain(std::span<const std::int16_t> in, double from, double to, std::span<std::int32_t> out);

void add(std::span<std::int32_t> sum, std::span<const std::int32_t> contribution);
void subtract(std::span<const std::int32_t> sum, std::span<const std::int32_t> own,
              std::span<std::int32_t> out);
// The largest magnitude.
std::int32_t peak_of(std::span<const std::int32_t> samples);
// Cuts to 16 bits: for samples that fit.
void narrow(std::span<const std::int32_t> in, std::span<std::int16_t> out);

inline constexpr double kSilenceDb = -100.0;
// RMS of the block in dBFS (a full-scale square is 0 dB), never below kSilenceDb.
double level_db(std::span<const std::int16_t> samples);

}  // namespace vmr::mixer
