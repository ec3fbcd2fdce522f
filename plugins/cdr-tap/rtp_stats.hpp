// What a tap can tell from RTP and RTCP packets alone: no GStreamer, time is an
// argument. Times are nanoseconds, rates are bits per second.
#pragma once
#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace vmr::cdr_tap {

struct RtpHeader {
    bool marker = false;
    std::uint8_t payload_type = 0;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::uint32_t ssrc = 0;
};

// RFC 3550 section 5.1; nothing if it is not a whole RTP packet.
std::optional<RtpHeader> parse_rtp(Bytes packet);
// RFC 5761 section 4: version 2 and a packet type of 192 to 223.
bool looks_like_rtcp(Bytes packet);

struct PayloadFormat {
    std::string codec;
    std::uint32_t clock_rate = 0;  // Hz; 0 = unknown: then no jitter is computed
};
// The static assignments of RFC 3551 that meetings use; else unknown.
PayloadFormat static_format(std::uint8_t payload_type);

struct StreamSnapshot {
    std::uint32_t ssrc = 0;
    std::uint8_t payload_type = 0;
    PayloadFormat format;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::int64_t lost = 0;  // expected - distinct received; negative never
    std::uint64_t reordered = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t restarts = 0;  // sequence number jumps that were not loss
    double jitter_ms = 0;
};

// One SSRC: RFC 3550 appendix A.1 (sequence numbers), A.3 (loss), A.8 (jitter).
class StreamStats {
public:
    explicit StreamStats(std::uint32_t ssrc) { now_.ssrc = ssrc; }
    void update(const RtpHeader& header, std::size_t bytes, std::uint64_t arrival,
                const PayloadFormat& format);
    StreamSnapshot snapshot() const;
    std::uint32_t ssrc() const { return now_.ssrc; }
    std::uint64_t last_arrival() const { return last_arrival_; }

private:
    static constexpr std::size_t kWindow = 1024;  // packets in which duplicates are recognised

    void restart(std::uint16_t sequence);
    bool place(std::uint16_t sequence);  // false: a duplicate, or a jump not yet believed
    void advance_to(std::int64_t extended);
    void measure_jitter(const RtpHeader& header, std::uint64_t arrival);

    StreamSnapshot now_;
    bool started_ = false;
    std::int64_t base_ = 0;                 // extended sequence number of the first packet
    std::int64_t highest_ = 0;              // extended
    std::uint64_t distinct_ = 0;            // since base_
    std::int64_t earlier_lost_ = 0;         // before the last restart
    std::optional<std::uint16_t> suspect_;  // A.1: a second one in order makes it a restart
    std::bitset<kWindow> seen_;
    bool has_transit_ = false;
    std::int64_t transit_ = 0;  // timestamp units
    std::uint32_t last_timestamp_ = 0;
    double jitter_ = 0;  // timestamp units
    std::uint64_t last_arrival_ = 0;
};

// What a receiver at the far end reports of what we send (RFC 3550 section 6.4).
struct RemoteReport {
    bool valid = false;
    std::uint32_t ssrc = 0;     // the stream that the report is about
    double fraction_lost = 0;   // 0 to 1, since the previous report
    std::int32_t lost = 0;      // cumulative
    double jitter_ms = 0;       // needs the clock rate; 0 if unknown
    double round_trip_ms = -1;  // -1: not known
    double round_trip_max_ms = -1;
};

struct TapSnapshot {
    std::uint64_t packets = 0, bytes = 0;  // RTP
    std::int64_t lost = 0;
    std::uint64_t reordered = 0, duplicates = 0, malformed = 0;
    std::uint64_t rtcp_packets = 0;
    std::uint64_t ssrc_changes = 0;
    RemoteReport remote;
    std::vector<StreamSnapshot> streams;  // most recent last
};

// All RTP and RTCP that passes one tap.
class TapStats {
public:
    static constexpr std::size_t kMaxStreams =
        32;  // beyond it the one silent longest is folded into the totals

    void add_rtp(const RtpHeader& header, std::size_t bytes, std::uint64_t arrival,
                 const PayloadFormat& format);
    void add_malformed() { ++malformed_; }
    // `ntp_now`: the 64-bit NTP time of arrival (RFC 3550 section 4), for the round trip.
    void add_rtcp(Bytes compound, std::uint64_t ntp_now);
    TapSnapshot snapshot() const;

private:
    StreamStats& stream(std::uint32_t ssrc);
    void add_report_block(Bytes block, std::uint64_t ntp_now);
    std::uint32_t last_clock_rate() const;

    std::vector<StreamStats> streams_;
    TapSnapshot folded_;  // totals of evicted streams
    std::uint64_t streams_seen_ = 0;
    std::uint64_t malformed_ = 0;
    std::uint64_t rtcp_packets_ = 0;
    RemoteReport remote_;
};

// Bit rate over the last whole second or more.
class RateMeter {
public:
    void add(std::size_t bytes, std::uint64_t now);
    std::uint64_t bits_per_second(std::uint64_t now) const;

private:
    bool started_ = false;
    std::uint64_t since_ = 0, bytes_ = 0, last_rate_ = 0;
};

}  // namespace vmr::cdr_tap
