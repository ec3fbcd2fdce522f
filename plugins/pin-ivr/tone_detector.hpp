// DTMF in the caller's audio, by spandsp at 8 kHz. No GStreamer.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vmr::pin_ivr {

class ToneDetector {
public:
    ToneDetector();
    ~ToneDetector();
    ToneDetector(const ToneDetector&) = delete;
    ToneDetector& operator=(const ToneDetector&) = delete;

    // 48 kHz mono in; the keys that began since the last call.
    std::string hear(std::span<const std::int16_t> samples);
    // Whether a tone, or what may become one, sounded at the end of the last call: true within about 13 ms.
    bool sounding() const;

private:
    static constexpr int kRatio = 6;  // 48 kHz → 8 kHz
    static constexpr std::size_t kTaps = 96;

    std::array<float, kTaps> filter_{};
    std::vector<float> history_;  // kTaps - 1 samples, then the new ones
    std::size_t phase_ = 0;       // samples of the next call to skip
    std::vector<std::int16_t> narrow_;
    void* receiver_;  // dtmf_rx_state_t
};

}  // namespace vmr::pin_ivr
