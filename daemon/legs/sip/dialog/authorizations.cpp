#include "daemon/legs/sip/dialog/authorizations.hpp"

#include <algorithm>

namespace vmr::sip {
namespace {

constexpr int kMaxShown = 4;  // realms of proxies and of the far side, and nonces that had run out

// Of the value of a header, behind its scheme.
std::string auth_parameter(std::string_view value, std::string_view name) {
    value = trim(value);
    return parameter(digest_parameters(value.substr(std::min(value.find(' '), value.size()))), name);
}

// The realm's nonce had run out; what was shown was right.
bool is_stale(const Message& challenge, const std::string& realm) {
    const std::string_view name = challenge.status == 401 ? "www-authenticate" : "proxy-authenticate";
    return std::ranges::any_of(challenge.headers, [&](const Header& header) {
        return header.name == name && auth_parameter(header.value, "realm") == realm &&
               equal_nocase(auth_parameter(header.value, "stale"), "true");
    });
}

}  // namespace

bool Authorizations::answer(const Message& challenge, const DigestIdentity& identity, const std::string& uri,
                            const std::string& cnonce) {
    if (answers_ >= kMaxShown || (challenge.status != 401 && challenge.status != 407)) {
        return false;
    }
    const auto header = answer_challenge(challenge, identity, uri, cnonce);
    if (!header) {
        return false;
    }
    const std::string realm = auth_parameter(header->value, "realm");
    const auto shown = std::ranges::find_if(headers_, [&](const Header& known) {
        return known.name == header->name && auth_parameter(known.value, "realm") == realm;
    });
    if (shown != headers_.end() && !is_stale(challenge, realm)) {
        return false;
    }
    ++answers_;
    if (shown != headers_.end()) {
        *shown = *header;
    } else {
        headers_.push_back(*header);
    }
    return true;
}

}  // namespace vmr::sip
