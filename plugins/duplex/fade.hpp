// The 10 ms fade between what passes and what stands in for it. Pure.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace vmr::duplex {

constexpr int kSampleRate = 48000;  // Hz, mono S16 everywhere
constexpr std::size_t kFadeSamples = kSampleRate / 100;

using Samples = std::span<std::int16_t>;
using ConstSamples = std::span<const std::int16_t>;

std::int16_t saturate(int value);
// inout += added, saturated, over the shorter of the two.
void mix_into(Samples inout, ConstSamples added);

class Fade {
public:
    bool is_open() const { return gain_ >= 1.0; }
    bool is_closed() const { return gain_ <= 0.0; }
    void snap(bool open) { gain_ = open ? 1.0 : 0.0; }

    // Turns `passing` up (or down, where `open` is false) to the end of the fade, which always completes
    // within this one buffer, and adds `instead` by what is missing. `instead` is empty or as long as
    // `passing`.
    void apply(Samples passing, ConstSamples instead, bool open);

private:
    double gain_ = 0.0;  // closed until told otherwise
};

}  // namespace vmr::duplex
