// Brings a 32-bit sum back to 16 bits without a click or a hard clip.
#pragma once
#include "mix_kernel.hpp"

namespace vmr::mixer {

// Below -1 dBFS the signal passes unchanged, bit for bit. Above, the gain drops at once and
// comes back over about 200 ms; what still overshoots while the gain moves is bent, not cut.
class Limiter {
public:
    void process(std::span<const std::int32_t> in, std::span<std::int16_t> out);
    double gain() const { return gain_; }
    // A mix that splits off another one continues with its gain.
    void set_gain(double gain) { gain_ = gain; }

private:
    double gain_ = 1.0;
};

}  // namespace vmr::mixer
