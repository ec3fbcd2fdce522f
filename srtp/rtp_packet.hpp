// What a datagram is, and the fixed header of RTP and RTCP (RFC 3550 sections 5.1, 6.4), with bounds checked.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace vmr {

// No media datagram is larger: what is, is not ours.
inline constexpr std::size_t kMaxDatagram = 2048;
inline constexpr std::size_t kMinRtp = 12;
inline constexpr std::size_t kMinRtcp = 8;

enum class DatagramKind { rtp, rtcp, garbage };

struct RtpHeader {
    std::uint8_t payload_type;
    std::uint16_t sequence;
    std::uint32_t timestamp;
    std::uint32_t ssrc;
    std::size_t size;  // bytes, with CSRCs and extension
};

// By version and payload type (RFC 5761 section 4).
inline DatagramKind kind_of(Bytes datagram) {
    if (datagram.size() < kMinRtcp || datagram[0] >> 6 != 2) {
        return DatagramKind::garbage;
    }
    const unsigned type = datagram[1] & 0x7f;
    if (type >= 64 && type <= 95) {
        return DatagramKind::rtcp;
    }
    return datagram.size() < kMinRtp ? DatagramKind::garbage : DatagramKind::rtp;
}

inline std::optional<RtpHeader> parse_rtp(Bytes packet) {
    if (packet.size() < kMinRtp || packet[0] >> 6 != 2) {
        return std::nullopt;
    }
    std::size_t size = kMinRtp + 4 * std::size_t{packet[0] & 0x0fu};
    if ((packet[0] & 0x10) != 0) {
        if (packet.size() < size + 4) {
            return std::nullopt;
        }
        size += 4 + 4 * std::size_t{read16(packet, size + 2)};
    }
    if (packet.size() < size) {
        return std::nullopt;
    }
    return RtpHeader{static_cast<std::uint8_t>(packet[1] & 0x7f), read16(packet, 2), read32(packet, 4),
                     read32(packet, 8), size};
}

}  // namespace vmr
