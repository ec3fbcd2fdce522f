// 48 kHz to 16 or 8 kHz for telephone codecs.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "audio_format.hpp"

namespace vmr::mixer {

// Windowed-sinc low pass and every factor-th sample. Delay: half the filter, 0.6 ms at 16 kHz
// and 1.3 ms at 8 kHz. Images are below -60 dB.
class Decimator {
public:
    explicit Decimator(int output_rate);  // 16000 or 8000 Hz
    // `in` is a whole number of output samples long.
    void process(std::span<const std::int16_t> in, std::vector<std::int16_t>& out);
    int output_rate() const { return output_rate_; }

private:
    int output_rate_;
    std::size_t factor_;
    std::vector<float> taps_;
    std::vector<float> history_;  // the last taps-1 samples, then the block being filtered
};

}  // namespace vmr::mixer
