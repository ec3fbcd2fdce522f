// Loss and jitter of what is received (RFC 3550 appendices A.1, A.3, A.8), of the current SSRC.
#pragma once
#include <cstdint>

#include "srtp/rtp_packet.hpp"

namespace vmr::rtp_io {

class ReceiveCounts {
public:
    // `arrival` in ns of any steady clock; `clock_rate` in Hz, 0: unknown, no jitter.
    void add(const RtpHeader& header, std::int64_t arrival, unsigned clock_rate) {
        if (!started_ || header.ssrc != ssrc_) {
            lost_before_ = lost();
            started_ = true;
            ssrc_ = header.ssrc;
            first_ = highest_ = header.sequence;
            received_ = 0;
            transit_ = 0;
            jitter_ = 0;
        } else {
            const auto step =
                static_cast<std::int16_t>(header.sequence - static_cast<std::uint16_t>(highest_));
            const std::int64_t extended = highest_ + step;
            highest_ = extended > highest_ ? extended : highest_;
        }
        ++received_;
        measure(header, arrival, clock_rate);
    }

    // Duplicates make it negative.
    std::int64_t lost() const {
        return started_ ? lost_before_ + (highest_ - first_ + 1) - received_ : lost_before_;
    }
    double jitter() const { return jitter_; }  // in units of the RTP clock

private:
    void measure(const RtpHeader& header, std::int64_t arrival, unsigned clock_rate) {
        if (clock_rate == 0) {
            return;
        }
        const auto units = static_cast<std::uint32_t>(arrival / 1000 * clock_rate / 1'000'000);
        const std::uint32_t transit = units - header.timestamp;
        if (received_ > 1) {
            const auto change = static_cast<std::int32_t>(transit - transit_);
            const double distance = change < 0 ? -static_cast<double>(change) : change;
            jitter_ += (distance - jitter_) / 16;
        }
        transit_ = transit;
    }

    bool started_ = false;
    std::uint32_t ssrc_ = 0;
    std::uint32_t transit_ = 0;
    std::int64_t first_ = 0;
    std::int64_t highest_ = 0;
    std::int64_t received_ = 0;
    std::int64_t lost_before_ = 0;
    double jitter_ = 0;
};

}  // namespace vmr::rtp_io
