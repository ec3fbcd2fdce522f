// RTP headers (RFC 3550 section 5.1) with the client-to-mixer audio level (RFC 6464).
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace vmr::mixer {

// One packet as it came: `payload` points into the caller's bytes.
struct RtpView {
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::uint32_t ssrc = 0;
    std::uint8_t payload_type = 0;
    bool marker = false;
    std::optional<std::uint8_t> level;  // -dBov, 0 (loudest) to 127 (silence)
    std::span<const std::uint8_t> payload;
};

inline constexpr std::size_t kLargestPayload = 1500;  // bytes; a larger one is not audio

// `level_id`: the extension's number, 0: none agreed. Nothing: not RTP, or not for us.
std::optional<RtpView> parse_rtp(std::span<const std::uint8_t> bytes, unsigned level_id);

inline constexpr std::size_t kRtpHeader = 12;           // bytes
inline constexpr std::size_t kRtpHeaderWithLevel = 20;  // bytes

struct RtpHeader {
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::uint32_t ssrc = 0;
    std::uint8_t payload_type = 0;
    bool marker = false;
};

// Returns the bytes of `out` that were written: kRtpHeader, or kRtpHeaderWithLevel when `level_id` is not 0.
std::size_t write_rtp_header(const RtpHeader& header, unsigned level_id, std::uint8_t level,
                             std::span<std::uint8_t, kRtpHeaderWithLevel> out);

}  // namespace vmr::mixer
