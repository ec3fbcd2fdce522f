// Digest access authentication for requests to us (RFC 3261 section 22, RFC 8760: MD5 and
// SHA-256). Pure: time is an argument. Memory is constant: a nonce is not stored until it was used with right
// credentials, and then takes the place of a far older one.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

enum class DigestAlgorithms { both, md5, sha256 };

class Digest {
public:
    // `key`: secret bytes that sign nonces.
    Digest(std::string realm, std::string key) : realm_(std::move(realm)), key_(std::move(key)) {}

    // Values of Proxy-Authenticate or WWW-Authenticate, most preferred first. The nonce is bound to the
    // source.
    std::vector<std::string> challenge(DigestAlgorithms algorithms, const std::string& source, bool stale,
                                       std::int64_t now_ms);

    enum class Verdict { none, accepted, refused, stale };
    // digest_ha1() of a user who may answer by this algorithm (never `both`), or nothing.
    using Ha1Of = std::function<std::optional<std::string>(const std::string& user, DigestAlgorithms)>;
    // The first of the request's headers of this name that holds credentials of our realm, and no other: a
    // request is one guess. `ha1_of` is asked only for a good nonce. An unknown user takes as long as a wrong
    // secret.
    Verdict verify(const Message& request, std::string_view header, const Ha1Of& ha1_of, std::int64_t now_ms);
    const std::string& realm() const { return realm_; }

private:
    std::string nonce(const std::string& source, std::int64_t now_ms);
    bool genuine(const std::string& nonce, const std::string& source, std::int64_t& issued_ms) const;
    std::string sign(std::string_view text) const;
    bool take_count(std::uint32_t serial, std::uint32_t count);

    std::string realm_, key_;
    std::uint64_t serial_ = 0;
    // Of the nonces that were used, by serial: a later one takes the place of an earlier one, which is stale
    // from then on. At 5000 authenticated requests a second a nonce is good for 13 s.
    struct Used {
        std::uint32_t serial = 0;
        std::uint32_t count = 0;  // 0: none yet
    };
    std::vector<Used> used_;
};

// Whom we are to a server that asks.
struct DigestIdentity {
    std::string user, secret;
    bool given() const { return !user.empty(); }
    bool operator==(const DigestIdentity&) const = default;
};

// Answers a challenge to a request of ours (RFC 8760: SHA-256 where offered, else MD5). The header, or
// nothing where no challenge can be met. `cnonce` is fresh.
std::optional<Header> answer_challenge(const Message& challenge, const DigestIdentity& identity,
                                       const std::string& uri, const std::string& cnonce);

// Parameters of (Proxy-)Authorization and (Proxy-)Authenticate, for parameter().
std::string digest_parameters(std::string_view text);

// H(user:realm:secret), lower case hex: all that is needed of a secret to verify who has it.
std::string digest_ha1(DigestAlgorithms algorithm, const std::string& user, const std::string& realm,
                       const std::string& secret);

// Hex digest of `text`: "MD5" or "SHA-256".
std::string hash_hex(const char* algorithm, std::string_view text);

}  // namespace vmr::sip
