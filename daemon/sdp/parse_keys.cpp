// a=crypto (RFC 4568 section 9.1) and a=fingerprint (RFC 8122 section 5).
#include <limits>

#include "daemon/sdp/parse_media.hpp"
#include "daemon/sdp/text.hpp"

namespace vmr::sdp {

namespace {

// "2^31" or a count; RFC 3711 section 9.2 bounds it by 2^48.
bool read_lifetime(std::string_view text, std::uint64_t& lifetime) {
    constexpr std::uint64_t max = std::uint64_t{1} << 48;
    if (text.starts_with("2^")) {
        const auto exponent = text::number(text.substr(2), 48);
        lifetime = exponent ? std::uint64_t{1} << *exponent : 0;
    } else {
        lifetime = text::number(text, max).value_or(0);
    }
    return lifetime > 0;
}

// "value:length", the value a decimal number, in `length` bytes, big endian; numbers of more than 64 bits
// nobody writes.
bool read_mki(std::string_view text, std::vector<std::uint8_t>& mki) {
    const auto value = text::number(text::take(text, ':'), std::numeric_limits<std::uint64_t>::max());
    const auto length = text::number(text, kMaxMki);
    if (!value || !length || *length == 0) {
        return false;
    }
    mki.assign(*length, 0);
    auto rest = *value;
    for (auto byte = mki.rbegin(); byte != mki.rend() && rest != 0; ++byte, rest >>= 8) {
        *byte = static_cast<std::uint8_t>(rest & 0xff);
    }
    return rest == 0;
}

// inline:<key||salt>["|" lifetime]["|" MKI ":" length]; of several keys (";") the peer may use any at any
// time, which is more than we follow.
bool read_key(std::string_view text, CryptoSuite suite, CryptoKey& key) {
    constexpr std::string_view method = "inline:";
    if (text.size() < method.size() || !text::equals_ignore_case(text.substr(0, method.size()), method) ||
        text.find(';') != text.npos) {
        return false;
    }
    text.remove_prefix(method.size());
    auto bytes = text::base64_decode(text::take(text, '|'));
    if (!bytes || bytes->size() != info(suite).key_salt_size) {
        return false;
    }
    key.key = std::move(*bytes);
    if (!text.empty() && text.substr(0, text.find('|')).find(':') == text.npos) {
        if (!read_lifetime(text::take(text, '|'), key.lifetime)) {
            return false;
        }
    }
    return text.empty() || read_mki(text, key.mki);
}

// Optional ones begin with "-" (section 6.3.7); WSH is advice. Whatever else would change the packets
// (UNENCRYPTED_…, KDR, FEC_…) or is unknown makes the line unusable.
bool may_ignore(std::string_view session_params) {
    for (auto word = text::take_word(session_params); !word.empty(); word = text::take_word(session_params)) {
        if (!word.starts_with('-') && !word.starts_with("WSH=") && word != "KDR=0") {
            return false;
        }
    }
    return true;
}

}  // namespace

bool read_crypto(std::string_view value, Crypto& crypto) {
    const auto tag = text::number(text::take_word(value), 999999999);
    if (!tag) {
        return false;
    }
    crypto.tag = static_cast<unsigned>(*tag);
    crypto.suite_name = text::take_word(value);
    crypto.suite = suite_from_name(crypto.suite_name);
    const auto key = text::take_word(value);
    crypto.session_params = text::trimmed(value);
    crypto.usable = crypto.suite != CryptoSuite::none && read_key(key, crypto.suite, crypto.key) &&
                    may_ignore(crypto.session_params);
    return true;
}

bool read_fingerprint(std::string_view value, Fingerprint& fingerprint) {
    fingerprint.hash = text::lower(text::take_word(value));
    const std::size_t size = fingerprint.hash == "sha-256"   ? 32
                             : fingerprint.hash == "sha-384" ? 48
                             : fingerprint.hash == "sha-512" ? 64
                                                             : 0;
    auto digest = text::hex_decode(text::trimmed(value), ':');
    if (size == 0 || !digest || digest->size() != size) {
        return false;
    }
    fingerprint.digest = std::move(*digest);
    return true;
}

}  // namespace vmr::sdp
