#include "plugins/pin-ivr/tone_detector.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/spandsp.hpp"

namespace vmr::pin_ivr {

ToneDetector::ToneDetector() : history_(kTaps - 1, 0.0F), receiver_(dtmf_rx_init(nullptr, nullptr, nullptr)) {
    // Windowed sinc, 3.6 kHz: DTMF ends at 1633 Hz, its second harmonics at 3.3 kHz must survive for the
    // talk-off test.
    constexpr double kCutoff = 3600.0 / 48000.0;
    double sum = 0;
    for (std::size_t i = 0; i < kTaps; ++i) {
        const double x = static_cast<double>(i) - (kTaps - 1) / 2.0;
        const double window =
            0.54 - 0.46 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / (kTaps - 1));
        filter_[i] = static_cast<float>(std::sin(2 * std::numbers::pi * kCutoff * x) /
                                        (std::numbers::pi * x) * window);
        sum += filter_[i];
    }
    for (float& tap : filter_) {
        tap = static_cast<float>(tap / sum);
    }
}

ToneDetector::~ToneDetector() {
    dtmf_rx_free(static_cast<dtmf_rx_state_t*>(receiver_));
}

std::string ToneDetector::hear(std::span<const std::int16_t> samples) {
    history_.insert(history_.end(), samples.begin(), samples.end());
    narrow_.clear();
    std::size_t at = phase_;
    for (; at + kTaps <= history_.size(); at += kRatio) {
        float sum = 0;
        for (std::size_t i = 0; i < kTaps; ++i) {
            sum += filter_[i] * history_[at + i];
        }
        narrow_.push_back(static_cast<std::int16_t>(std::clamp(std::lround(sum), -32768L, 32767L)));
    }
    const std::size_t kept_from = history_.size() - (kTaps - 1);
    phase_ = at - kept_from;
    history_.erase(history_.begin(), history_.begin() + static_cast<std::ptrdiff_t>(kept_from));

    auto* receiver = static_cast<dtmf_rx_state_t*>(receiver_);
    dtmf_rx(receiver, narrow_.data(), static_cast<int>(narrow_.size()));
    std::array<char, 32> keys{};
    const std::size_t count = dtmf_rx_get(receiver, keys.data(), static_cast<int>(keys.size() - 1));
    return {keys.data(), count};
}

bool ToneDetector::sounding() const {
    return dtmf_rx_status(static_cast<dtmf_rx_state_t*>(receiver_)) != 0;
}

}  // namespace vmr::pin_ivr
