#include "daemon/legs/sip/message/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <charconv>

#include "daemon/legs/sip/message/uri.hpp"

namespace vmr::sip {
namespace {

constexpr std::int64_t kNonceLifetime = 120000;  // ms
constexpr std::size_t kMaxUsed = 65536;
constexpr std::size_t kStamp = 12;  // hex digits of the time in a nonce
constexpr std::size_t kSerial = 8;  // and of its serial
constexpr std::size_t kHead = kStamp + kSerial;

std::string hex(const unsigned char* bytes, std::size_t size) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t index = 0; index < size; ++index) {
        text += kDigits[bytes[index] >> 4U];
        text += kDigits[bytes[index] & 15U];
    }
    return text;
}

template <typename Number>
bool read_hex(std::string_view text, Number& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool same(std::string_view left, std::string_view right) {
    return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

// Parameters of an Authorization header, which are cut at commas.
struct Credentials {
    std::string user, realm, nonce, uri, response, algorithm, cnonce, nc, qop;
};

Credentials read(std::string_view text) {
    const std::string params = digest_parameters(text);
    return {parameter(params, "username"), parameter(params, "realm"),    parameter(params, "nonce"),
            parameter(params, "uri"),      parameter(params, "response"), parameter(params, "algorithm"),
            parameter(params, "cnonce"),   parameter(params, "nc"),       parameter(params, "qop")};
}

// The first of this realm: other realms' are for others on the way.
std::optional<Credentials> find(const Message& request, std::string_view header, const std::string& realm) {
    for (const Header& one : request.headers) {
        const std::string_view text = trim(one.value);
        if (one.name == header && equal_nocase(text.substr(0, 7), "Digest ")) {
            Credentials given = read(text.substr(7));
            if (given.realm == realm) {
                return given;
            }
        }
    }
    return std::nullopt;
}

// Whether credentials for `uri` are good for this request (RFC 7616 section 3.4.6): the same user at the same
// host, whatever a client leaves out (the user, too: some gateways and sipp). A proxy may have sent the
// request on to another URI (RFC 3261 section 22.4): behind one nothing is compared.
bool is_for(const std::string& uri, const Message& request) {
    if (request.values("via").size() > 1) {
        return true;
    }
    const std::optional<Uri> given = parse_uri(uri);
    return given && (given->user.empty() || given->user == request.uri.user) &&
           given->host == request.uri.host;
}

}  // namespace

std::string digest_parameters(std::string_view text) {
    std::string params;
    bool quoted = false;
    for (const char c : text) {
        quoted = quoted != (c == '"');
        params += c == ',' && !quoted ? ';' : c;
    }
    return params;
}

std::string digest_ha1(DigestAlgorithms algorithm, const std::string& user, const std::string& realm,
                       const std::string& secret) {
    return hash_hex(algorithm == DigestAlgorithms::md5 ? "MD5" : "SHA-256",
                    user + ":" + realm + ":" + secret);
}

std::string hash_hex(const char* algorithm, std::string_view text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    const EVP_MD* kind = std::string_view(algorithm) == "MD5" ? EVP_md5() : EVP_sha256();
    if (EVP_Digest(text.data(), text.size(), digest, &size, kind, nullptr) != 1) {
        return {};
    }
    return hex(digest, size);
}

std::string Digest::sign(std::string_view text) const {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    (void)HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
               reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
    return hex(digest, size / 2);
}

std::string Digest::nonce(const std::string& source, std::int64_t now_ms) {
    char stamp[40];
    const int length =
        std::snprintf(stamp, sizeof stamp, "%012llx%08llx", static_cast<unsigned long long>(now_ms),
                      static_cast<unsigned long long>(++serial_ & 0xffffffffU));
    const std::string head(stamp, static_cast<std::size_t>(length));
    return head + sign(head + source);
}

bool Digest::genuine(const std::string& nonce, const std::string& source, std::int64_t& issued_ms) const {
    return nonce.size() > kHead && same(nonce.substr(kHead), sign(nonce.substr(0, kHead) + source)) &&
           read_hex(std::string_view(nonce).substr(0, kStamp), issued_ms);
}

std::vector<std::string> Digest::challenge(DigestAlgorithms algorithms, const std::string& source, bool stale,
                                           std::int64_t now_ms) {
    std::vector<std::string> values;
    const std::string fresh = nonce(source, now_ms);
    for (const char* algorithm : {"SHA-256", "MD5"}) {
        const bool md5 = std::string_view(algorithm) == "MD5";
        if (algorithms == (md5 ? DigestAlgorithms::sha256 : DigestAlgorithms::md5)) {
            continue;
        }
        values.push_back("Digest realm=\"" + realm_ + "\", nonce=\"" + fresh + "\", algorithm=" + algorithm +
                         ", qop=\"auth\"" + (stale ? ", stale=true" : ""));
    }
    return values;
}

// Each (nonce, count) is good once, and counts only rise.
bool Digest::take_count(std::uint32_t serial, std::uint32_t count) {
    used_.resize(kMaxUsed);
    Used& used = used_[serial % kMaxUsed];
    const bool known = used.count > 0;
    // Serials wrap around.
    if (known && (static_cast<std::int32_t>(serial - used.serial) < 0 ||
                  (serial == used.serial && count <= used.count))) {
        return false;
    }
    used = {serial, count};
    return true;
}

Digest::Verdict Digest::verify(const Message& request, std::string_view header, const Ha1Of& ha1_of,
                               std::int64_t now_ms) {
    const std::optional<Credentials> found = find(request, header, realm_);
    if (!found) {
        return Verdict::none;
    }
    const Credentials& given = *found;
    const bool sha256 = equal_nocase(given.algorithm, "SHA-256");
    if (!(sha256 || given.algorithm.empty() || equal_nocase(given.algorithm, "MD5"))) {
        return Verdict::refused;
    }
    std::int64_t issued = 0;
    std::uint32_t count = 0;
    // qop is always offered; without it a response could be replayed.
    if (given.qop != "auth" || !read_hex(given.nc, count) || count == 0) {
        return Verdict::refused;
    }
    if (!genuine(given.nonce, request.flow.remote.ip, issued) || now_ms - issued > kNonceLifetime) {
        return Verdict::stale;
    }
    const char* algorithm = sha256 ? "SHA-256" : "MD5";
    const std::optional<std::string> ha1 =
        ha1_of(given.user, sha256 ? DigestAlgorithms::sha256 : DigestAlgorithms::md5);
    const std::string nobody(sha256 ? 64 : 32, '0');
    const std::string ha2 = hash_hex(algorithm, request.method + ":" + given.uri);
    const std::string expected = hash_hex(algorithm, ha1.value_or(nobody) + ":" + given.nonce + ":" +
                                                         given.nc + ":" + given.cnonce + ":auth:" + ha2);
    std::uint32_t serial = 0;
    if (!same(expected, lower(given.response)) || !ha1 || ha1->size() != nobody.size() ||
        !is_for(given.uri, request) ||
        !read_hex(std::string_view(given.nonce).substr(kStamp, kSerial), serial)) {
        return Verdict::refused;
    }
    return take_count(serial, count) ? Verdict::accepted : Verdict::stale;
}

}  // namespace vmr::sip
