// SRTP protection profiles: RFC 3711 (AES-CM), RFC 6188 (AES-256-CM), RFC 7714 (AES-GCM).
#pragma once
#include <cstddef>
#include <cstdint>

namespace vmr::rtp_io {

enum class SrtpSuite { none, aes_128_cm_80, aes_128_cm_32, aes_256_cm_80, aes_256_cm_32, gcm_128, gcm_256 };

struct SrtpSuiteInfo {
    std::size_t key_bytes;
    std::size_t salt_bytes;
    std::size_t rtp_tag_bytes;
    std::size_t rtcp_tag_bytes;  // RFC 4568 section 6.2.2: 80 bits also where RTP has 32
    bool gcm;
};

inline const SrtpSuiteInfo& info_of(SrtpSuite suite) {
    static constexpr SrtpSuiteInfo kInfos[] = {
        {0, 0, 0, 0, false},    {16, 14, 10, 10, false}, {16, 14, 4, 10, false}, {32, 14, 10, 10, false},
        {32, 14, 4, 10, false}, {16, 12, 16, 16, true},  {32, 12, 16, 16, true},
    };
    return kInfos[static_cast<std::size_t>(suite)];
}

// The most that protecting adds: a GCM tag, and for SRTCP the word with its index.
inline constexpr std::size_t kMaxSrtpTrailer = 16 + 4;

}  // namespace vmr::rtp_io
