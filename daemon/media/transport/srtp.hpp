// SRTP crypto suites as RFC 4568, 6188 and 7714 name them and as srtpenc and srtpdec
// want them.
#pragma once
#include <gst/gst.h>

#include <optional>
#include <string>

#include "base/gst_ptr.hpp"
#include "daemon/media/transport/types.hpp"

namespace vmr::media {

struct SrtpSuiteInfo {
    SrtpSuite suite;
    const char* name;
    const char* cipher;
    const char* rtp_auth;   // GCM must have "null": its own tag authenticates
    const char* rtcp_auth;  // 80 bits also for the _32 suites (RFC 4568 section 6.2)
    unsigned key_bytes;
    unsigned salt_bytes;
};

const SrtpSuiteInfo& suite_info(SrtpSuite suite);

// Keys of both directions, each key and salt in one.
struct SrtpKeys {
    SrtpSuite suite = SrtpSuite::aead_aes_256_gcm;
    std::string local;
    std::string remote;
};

CryptoReceipt receipt_of(CryptoReceipt::KeyExchange exchange, SrtpSuite suite);
// Caps with which srtpdec's `request-key` is answered.
CapsPtr decrypt_caps(const SrtpKeys& keys, uint32_t ssrc);
void set_encrypt_keys(GstElement* srtpenc, const SrtpKeys& keys);

}  // namespace vmr::media
