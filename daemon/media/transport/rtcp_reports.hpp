// The peer's RTCP reports on what we send (RFC 3550 section 6.4), kept per SSRC of
// ours: rtpsession keeps only the last block of each reporter, and one reporter
// speaks for a whole bundle.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "daemon/media/transport/channel.hpp"

namespace vmr::media {

struct RtcpReport {
    uint64_t number = 0;       // of this report: the first is 1
    double fraction_lost = 0;  // 0..1
    int32_t lost_packets = 0;
    uint32_t jitter = 0;  // RTP timestamp units
    std::optional<double> round_trip_ms;
};

// The packet that a compound begins with; empty if it is not well-formed.
Bytes first_rtcp(Bytes compound);
// True if the datagram is a well-formed (compound or reduced-size) RTCP packet.
bool is_rtcp(Bytes datagram);

class RtcpReports {
public:
    // `ntp_now`: the middle 32 bits of the NTP time that our SRs carry.
    void read(Bytes compound, uint32_t ntp_now);
    std::optional<RtcpReport> of(uint32_t ssrc) const;

private:
    void read_block(Bytes block, uint32_t ntp_now);

    mutable std::mutex mutex_;  // innermost
    std::map<uint32_t, RtcpReport> reports_;
};

// The middle 32 bits of the NTP time of `real_time_us` (µs since 1970).
uint32_t ntp_middle(int64_t real_time_us);

}  // namespace vmr::media
