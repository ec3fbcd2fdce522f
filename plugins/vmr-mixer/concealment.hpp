// What is heard instead of lost packets of G.711 and G.722: the last pitch periods again, as ITU-T G.711
// appendix I does, but for up to 100 ms loud enough that nobody takes it for a gap.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vmr::mixer {

class Concealment {
public:
    explicit Concealment(int rate);  // Hz

    // A packet came. After a loss its beginning is changed, so that it joins what was heard.
    void hear(std::span<std::int16_t> samples);
    // Nothing came.
    void fill(std::span<std::int16_t> samples);
    void reset();

private:
    void begin();
    std::size_t find_period() const;
    void use_periods(std::size_t count);
    float next();
    float gain() const;
    void remember(std::span<const std::int16_t> samples);

    const std::size_t ms_;                  // samples
    std::vector<std::int16_t> history_;     // of what was received, the newest last
    std::size_t known_ = 0;                 // samples of it
    std::size_t period_ = 0, periods_ = 0;  // what is repeated: the last `periods_` of `period_` samples
    std::size_t at_ = 0;                    // within them
    std::size_t lost_ = 0;                  // samples, since the last packet
    float correction_ = 0;                  // at the joint; fades out
    std::size_t correction_left_ = 0;
    std::vector<float> loop_;  // the periods, the end running into the beginning
};

}  // namespace vmr::mixer
