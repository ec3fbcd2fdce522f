// Numbers in network order, and those of RTP and RTCP (RFC 3550) that several parts need.
#pragma once
#include <cstdint>

#include "daemon/media/transport/channel.hpp"

namespace vmr::media {

inline constexpr size_t kFixedHeader = 12;           // bytes, of RTP
inline constexpr uint8_t kMarker = 0x80;             // of its second byte
inline constexpr uint16_t kOneByteProfile = 0xBEDE;  // RFC 8285 section 4.2
inline constexpr uint8_t kSenderReport = 200, kReceiverReport = 201;
inline constexpr size_t kSenderInfoBytes = 20, kReportBlockBytes = 24;
inline constexpr int64_t kNtpEpochOffset = 2208988800;  // s from 1900 to 1970

inline uint16_t read16(Bytes data, size_t at) {
    return static_cast<uint16_t>(data[at] << 8 | data[at + 1]);
}
inline uint32_t read32(Bytes data, size_t at) {
    return static_cast<uint32_t>(read16(data, at)) << 16 | read16(data, at + 2);
}
inline void put16(std::span<uint8_t> data, size_t at, uint16_t number) {
    data[at] = static_cast<uint8_t>(number >> 8);
    data[at + 1] = static_cast<uint8_t>(number);
}
inline void put32(std::span<uint8_t> data, size_t at, uint32_t number) {
    put16(data, at, static_cast<uint16_t>(number >> 16));
    put16(data, at + 2, static_cast<uint16_t>(number));
}

}  // namespace vmr::media
