// Our answers to those who challenge us (RFC 3261 section 22.2, RFC 8760).
#include "daemon/legs/sip/message/digest.hpp"

namespace vmr::sip {
namespace {

struct Challenge {
    std::string params;
    bool sha256 = false;
    std::string get(const char* name) const { return parameter(params, name); }
};

// Nothing for what we cannot answer: another scheme or algorithm, or integrity of bodies alone.
std::optional<Challenge> read_challenge(std::string_view text) {
    text = trim(text);
    if (text.size() < 7 || !equal_nocase(text.substr(0, 7), "Digest ")) {
        return std::nullopt;
    }
    Challenge challenge{digest_parameters(text.substr(7))};
    const std::string algorithm = challenge.get("algorithm");
    challenge.sha256 = equal_nocase(algorithm, "SHA-256");
    if ((!challenge.sha256 && !algorithm.empty() && !equal_nocase(algorithm, "MD5")) ||
        challenge.get("nonce").empty()) {
        return std::nullopt;
    }
    return challenge;
}

bool offers_auth(const std::string& qop) {
    const std::string list = "," + lower(qop) + ",";
    std::string bare;
    for (const char c : list) {
        bare += c == ' ' || c == '\t' ? "" : std::string(1, c);
    }
    return bare.find(",auth,") != std::string::npos;
}

}  // namespace

std::optional<Header> answer_challenge(const Message& challenge, const DigestIdentity& identity,
                                       const std::string& uri, const std::string& cnonce) {
    const bool proxy = challenge.status == 407;
    std::optional<Challenge> chosen;
    for (const Header& header : challenge.headers) {
        if (header.name != (proxy ? "proxy-authenticate" : "www-authenticate")) {
            continue;
        }
        std::optional<Challenge> candidate = read_challenge(header.value);
        if (candidate && (!chosen || (candidate->sha256 && !chosen->sha256))) {
            chosen = std::move(candidate);
        }
    }
    if (!chosen || !identity.given()) {
        return std::nullopt;
    }
    const char* algorithm = chosen->sha256 ? "SHA-256" : "MD5";
    const std::string realm = chosen->get("realm");
    const std::string nonce = chosen->get("nonce");
    const std::string opaque = chosen->get("opaque");
    const std::string qop = chosen->get("qop");
    const std::string ha1 = hash_hex(algorithm, identity.user + ":" + realm + ":" + identity.secret);
    const std::string ha2 = hash_hex(algorithm, challenge.method + ":" + uri);
    std::string value = "Digest username=\"" + identity.user + "\", realm=\"" + realm + "\", nonce=\"" +
                        nonce + "\", uri=\"" + uri + "\", algorithm=" + algorithm;
    if (qop.empty()) {  // RFC 2069
        value += ", response=\"" + hash_hex(algorithm, ha1 + ":" + nonce + ":" + ha2) + "\"";
    } else if (offers_auth(qop)) {
        const std::string bytes = ha1 + ":" + nonce + ":00000001:" + cnonce + ":auth:" + ha2;
        value += ", qop=auth, nc=00000001, cnonce=\"" + cnonce + "\", response=\"" +
                 hash_hex(algorithm, bytes) + "\"";
    } else {
        return std::nullopt;
    }
    if (!opaque.empty()) {
        value += ", opaque=\"" + opaque + "\"";
    }
    return Header{proxy ? "Proxy-Authorization" : "Authorization", std::move(value)};
}

}  // namespace vmr::sip
