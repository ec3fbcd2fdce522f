// SRTP protection profiles: RFC 3711 (AES-CM), RFC 6188 (AES-256-CM), RFC 7714 (AES-GCM).
#pragma once
#include <cstddef>

namespace vmr::srtp {

enum class Suite {
    none,
    aes_cm_128_hmac_sha1_80,
    aes_cm_128_hmac_sha1_32,
    aes_256_cm_hmac_sha1_80,
    aes_256_cm_hmac_sha1_32,
    aead_aes_128_gcm,
    aead_aes_256_gcm,
};

struct SuiteInfo {
    const char* name;  // of RFC 4568, 6188 or 7714
    std::size_t key_bytes;
    std::size_t salt_bytes;
    std::size_t rtp_tag_bytes;
    std::size_t rtcp_tag_bytes;  // RFC 4568 section 6.2.2: 80 bits also where RTP has 32
    bool gcm;
};

inline const SuiteInfo& info_of(Suite suite) {
    static constexpr SuiteInfo kInfos[] = {
        {"", 0, 0, 0, 0, false},
        {"AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10, false},
        {"AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10, false},
        {"AES_256_CM_HMAC_SHA1_80", 32, 14, 10, 10, false},
        {"AES_256_CM_HMAC_SHA1_32", 32, 14, 4, 10, false},
        {"AEAD_AES_128_GCM", 16, 12, 16, 16, true},
        {"AEAD_AES_256_GCM", 32, 12, 16, 16, true},
    };
    return kInfos[static_cast<std::size_t>(suite)];
}

// Of the master key identifiers (MKI, RFC 3711 section 3.1): as RFC 4568 section 9.1 bounds them.
inline constexpr std::size_t kMaxMki = 128;

// The most that protecting adds: a GCM tag, for SRTCP the word with its index, and an MKI.
inline constexpr std::size_t kMaxTrailer = 16 + 4 + kMaxMki;

}  // namespace vmr::srtp
