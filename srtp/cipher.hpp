// The cryptography of SRTP for one direction of RTP or of RTCP: session keys derived from a master key.
//
// Only the keys belong to a leg. The cipher contexts are each thread's: what 1000 legs keep of OpenSSL's own
// is spread over so much memory that fetching it costs several times what setting a key anew does.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.hpp"
#include "srtp/suite.hpp"

namespace vmr::srtp {

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

class Cipher {
public:
    static constexpr std::size_t kMaxTag = 20;  // an HMAC-SHA1 before it is cut

    // `master` is key‖salt and has the suite's length. Empty: it has not, or OpenSSL refused.
    static std::optional<Cipher> make(Suite suite, Bytes master, Protocol protocol);
    Cipher(Suite suite, const SessionKeys& keys) : suite_(suite), keys_(keys) {}

    bool gcm() const { return info_of(suite_).gcm; }

    // AES-CM: `index` is the packet's 48-bit index (RTP) or 31-bit index (RTCP). In place.
    bool crypt(std::uint32_t ssrc, std::uint64_t index, MutableBytes data) const;
    // HMAC-SHA1 over `packet` and the word (ROC, or E and SRTCP index) in network order.
    bool authenticate(Bytes packet, std::uint32_t word, std::span<std::uint8_t, kMaxTag> tag) const;
    // AES-GCM, in place. The additional data is `head` and then, if not empty, `tail`.
    bool seal(std::uint32_t ssrc, std::uint64_t index, Bytes head, Bytes tail, MutableBytes data,
              std::span<std::uint8_t, 16> tag) const;
    bool open(std::uint32_t ssrc, std::uint64_t index, Bytes head, Bytes tail, MutableBytes data,
              std::span<const std::uint8_t, 16> tag) const;

private:
    std::array<std::uint8_t, 12> gcm_iv(std::uint32_t ssrc, std::uint64_t index) const;

    Suite suite_;
    SessionKeys keys_;
};

}  // namespace vmr::srtp
