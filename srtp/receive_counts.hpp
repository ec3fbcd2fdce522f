// Loss and jitter of what is received (RFC 3550 appendices A.1, A.3, A.8), of the current SSRC.
#pragma once
#include <algorithm>
#include <cstdint>

#include "srtp/rtp_packet.hpp"

namespace vmr {

class ReceiveCounts {
public:
    // What a report says of the current SSRC (RFC 3550 section 6.4.1).
    struct Report {
        std::uint32_t ssrc = 0;
        std::uint8_t fraction_lost = 0;  // of 256, since the last report
        std::int32_t lost = 0;
        std::uint32_t highest = 0;  // extended sequence number
        std::uint32_t jitter = 0;   // units of the RTP clock
    };

    // `arrival` in ns of any steady clock; `clock_rate` in Hz, 0: unknown, no jitter.
    void add(const RtpHeader& header, std::int64_t arrival, unsigned clock_rate) {
        if (!started_ || header.ssrc != ssrc_) {
            begin(header);
        } else if (!place(header.sequence)) {
            return;
        }
        ++received_;
        measure(header, arrival, clock_rate);
    }

    bool started() const { return started_; }
    std::uint32_t ssrc() const { return ssrc_; }
    std::uint16_t highest() const { return static_cast<std::uint16_t>(highest_); }
    // Duplicates make it negative.
    std::int64_t lost() const { return lost_before_ + lost_now(); }
    double jitter() const { return jitter_; }  // in units of the RTP clock

    // The next fraction begins with this one.
    Report take_report() {
        const std::int64_t expected = expected_now();
        const std::int64_t due = expected - reported_expected_;
        const std::int64_t missing = due - (received_ - reported_received_);
        reported_expected_ = expected;
        reported_received_ = received_;
        const std::int64_t fraction = due > 0 && missing > 0 ? missing * 256 / due : 0;
        return {.ssrc = ssrc_,
                .fraction_lost = static_cast<std::uint8_t>(std::min<std::int64_t>(fraction, 255)),
                .lost = static_cast<std::int32_t>(lost_now()),
                .highest = static_cast<std::uint32_t>(highest_),
                .jitter = static_cast<std::uint32_t>(jitter_)};
    }

private:
    static constexpr int kMaxDropout = 3000;  // packets; appendix A.1
    static constexpr int kMaxMisorder = 100;

    std::int64_t expected_now() const { return started_ ? highest_ - first_ + 1 : 0; }
    std::int64_t lost_now() const { return expected_now() - received_; }

    void begin(const RtpHeader& header) {
        lost_before_ = lost();
        started_ = true;
        ssrc_ = header.ssrc;
        first_ = highest_ = header.sequence;
        received_ = 0;
        reported_expected_ = reported_received_ = 0;
        transit_ = 0;
        jitter_ = 0;
        suspect_ = -1;
    }

    // False: a jump that is believed when a second packet confirms it.
    bool place(std::uint16_t sequence) {
        const auto step = static_cast<std::int16_t>(sequence - highest());
        if (step <= kMaxDropout && step >= -kMaxMisorder) {
            highest_ = std::max(highest_, highest_ + step);
            return true;
        }
        if (sequence != suspect_) {
            suspect_ = static_cast<std::uint16_t>(sequence + 1);
            return false;
        }
        lost_before_ = lost();
        first_ = highest_ = sequence;
        received_ = 0;
        reported_expected_ = reported_received_ = 0;
        suspect_ = -1;
        return true;
    }

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
    std::int64_t reported_expected_ = 0, reported_received_ = 0;
    int suspect_ = -1;  // the sequence number that would confirm a jump
    double jitter_ = 0;
};

}  // namespace vmr
