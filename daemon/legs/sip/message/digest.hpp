// Digest access authentication for requests to us (RFC 3261 section 22, RFC 8760: MD5 and
// SHA-256). Pure: time is an argument. Nonces are not stored until used with right
// credentials, so a flood of unauthenticated requests costs no memory.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
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

    // Values of Proxy-Authenticate, most preferred first. The nonce is bound to the source.
    std::vector<std::string> challenge(DigestAlgorithms algorithms, const std::string& source, bool stale,
                                       std::int64_t now_ms);

    enum class Verdict { accepted, refused, stale };
    // The secret of a user who may answer by this algorithm (never `both`), or nothing.
    using SecretOf = std::function<std::optional<std::string>(const std::string& user, DigestAlgorithms)>;
    // `secret_of` is asked only for a good nonce.
    Verdict verify(std::string_view authorization, const std::string& method, const std::string& source,
                   const SecretOf& secret_of, std::int64_t now_ms);

private:
    std::string nonce(const std::string& source, std::int64_t now_ms);
    bool genuine(const std::string& nonce, const std::string& source, std::int64_t& issued_ms) const;
    std::string sign(std::string_view text) const;
    bool take_count(const std::string& nonce, std::uint32_t count, std::int64_t now_ms);

    std::string realm_, key_;
    std::uint64_t serial_ = 0;
    struct Used {
        std::uint32_t count;
        std::int64_t expires_ms;
    };
    std::map<std::string, Used> used_;
};

// Whom we are to a server that asks.
struct DigestIdentity {
    std::string user, secret;
    bool given() const { return !user.empty(); }
};

// Answers a challenge to a request of ours (RFC 8760: SHA-256 where offered, else MD5). The header, or
// nothing where no challenge can be met. `cnonce` is fresh.
std::optional<Header> answer_challenge(const Message& challenge, const DigestIdentity& identity,
                                       const std::string& uri, const std::string& cnonce);

// Parameters of (Proxy-)Authorization and (Proxy-)Authenticate, for parameter().
std::string digest_parameters(std::string_view text);

// Hex digest of `text`: "MD5" or "SHA-256".
std::string hash_hex(const char* algorithm, std::string_view text);

}  // namespace vmr::sip
