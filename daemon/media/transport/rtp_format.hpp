// Sizes and numbers of RTP and RTCP (RFC 3550) that several parts need.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace vmr::media {

inline constexpr size_t kFixedHeader = 12;           // bytes, of RTP
inline constexpr uint8_t kMarker = 0x80;             // of its second byte
inline constexpr uint16_t kOneByteProfile = 0xBEDE;  // RFC 8285 section 4.2
inline constexpr uint8_t kSenderReport = 200, kReceiverReport = 201;
inline constexpr size_t kSenderInfoBytes = 20, kReportBlockBytes = 24;
inline constexpr int64_t kNtpEpochOffset = 2208988800;  // s from 1900 to 1970

}  // namespace vmr::media
