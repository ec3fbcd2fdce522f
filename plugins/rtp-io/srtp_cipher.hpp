// The cryptography of SRTP for one direction of RTP or of RTCP: session keys derived from a master
// key, and cipher contexts that are kept, so that a packet costs no allocation and no key schedule.
#pragma once
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "srtp_suite.hpp"

namespace vmr::rtp_io {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

enum class Direction { protect, unprotect };
enum class Protocol { rtp, rtcp };

// RFC 3711 section 4.3.1: AES-CM as a pseudo-random function with a key derivation rate of 0.
// `salt` has 14 bytes, or 12 for GCM (RFC 7714 section 11). False: the cryptography failed.
bool derive_key(Bytes master_key, Bytes salt, std::uint8_t label, MutableBytes key);

struct SessionKeys {
    std::array<std::uint8_t, 32> key{};  // the suite says how many count
    std::array<std::uint8_t, 14> salt{};
    std::array<std::uint8_t, 20> auth{};
    ~SessionKeys();
};

class SrtpCipher {
public:
    static constexpr std::size_t kMaxTag = 20;  // an HMAC-SHA1 before it is cut

    // `master` is key‖salt and has the suite's length. Null: OpenSSL refused.
    static std::unique_ptr<SrtpCipher> make(SrtpSuite suite, Bytes master, Direction direction,
                                            Protocol protocol);
    static std::unique_ptr<SrtpCipher> with_session_keys(SrtpSuite suite, const SessionKeys& keys,
                                                         Direction direction);
    SrtpCipher(const SrtpCipher&) = delete;
    SrtpCipher& operator=(const SrtpCipher&) = delete;
    ~SrtpCipher();

    bool gcm() const { return gcm_; }

    // AES-CM: `index` is the packet's 48-bit index (RTP) or 31-bit index (RTCP). In place.
    bool crypt(std::uint32_t ssrc, std::uint64_t index, MutableBytes data);
    // HMAC-SHA1 over `packet` and the word (ROC, or E and SRTCP index) in network order.
    bool authenticate(Bytes packet, std::uint32_t word, std::span<std::uint8_t, kMaxTag> tag);
    // AES-GCM, in place. The additional data is `head` and then, if not empty, `tail`.
    bool seal(std::uint32_t ssrc, std::uint64_t index, Bytes head, Bytes tail, MutableBytes data,
              std::span<std::uint8_t, 16> tag);
    bool open(std::uint32_t ssrc, std::uint64_t index, Bytes head, Bytes tail, MutableBytes data,
              std::span<const std::uint8_t, 16> tag);

private:
    struct CipherFree {
        void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
    };
    struct MacFree {
        void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
    };

    SrtpCipher() = default;
    bool init_cipher(std::size_t key_bytes, Bytes key, Direction direction);
    bool init_mac(Bytes key);
    bool begin_gcm(std::uint32_t ssrc, std::uint64_t index, Bytes head, Bytes tail);

    bool gcm_ = false;
    std::array<std::uint8_t, 14> salt_{};
    std::unique_ptr<EVP_CIPHER_CTX, CipherFree> cipher_;
    std::unique_ptr<EVP_MAC_CTX, MacFree> mac_;
};

}  // namespace vmr::rtp_io
