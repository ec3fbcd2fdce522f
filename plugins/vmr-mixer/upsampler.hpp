// 16 or 8 kHz of telephone codecs to 48 kHz.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace vmr::mixer {

// Windowed-sinc interpolation, one phase of the filter for each output sample. Delay: 12 input
// samples, 0.75 ms at 16 kHz and 1.5 ms at 8 kHz. Images are below -60 dB.
class Upsampler {
public:
    explicit Upsampler(int input_rate);  // 16000 or 8000 Hz
    // Appends to `out`.
    void process(std::span<const std::int16_t> in, std::vector<std::int16_t>& out);
    void reset();

private:
    std::size_t factor_;
    std::vector<float> taps_;     // phase after phase, each reversed
    std::vector<float> history_;  // the last taps-1 samples, then the block being filtered
};

}  // namespace vmr::mixer
