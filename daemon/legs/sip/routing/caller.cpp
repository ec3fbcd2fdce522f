#include "daemon/legs/sip/routing/caller.hpp"

#include <algorithm>
#include <optional>

#include "daemon/legs/sip/message/uri.hpp"

namespace vmr::sip {
namespace {

// As RFC 3966 and RFC 3398 have it: parameters of a number stand behind it, in the user part of a SIP URI
// too.
std::string_view number_text(const Uri& uri) {
    return std::string_view(uri.user).substr(0, uri.user.find(';'));
}

std::string number_parameter(const Uri& uri, std::string_view name) {
    const std::size_t semicolon = std::min(uri.user.find(';'), uri.user.size());
    const std::string value = parameter(std::string_view(uri.user).substr(semicolon), name);
    return value.empty() ? parameter(uri.params, name) : value;
}

// 3GPP TS 24.229 section 7.2A.20.
std::string verdict(const Uri& uri) {
    const std::string value = number_parameter(uri, "verstat");
    if (equal_nocase(value, "TN-Validation-Passed")) {
        return "passed";
    }
    if (equal_nocase(value, "TN-Validation-Failed")) {
        return "failed";
    }
    return equal_nocase(value, "No-TN-Validation") ? "none" : "";
}

// RFC 3323 section 4.2 and RFC 3325 section 9.3; "header" and "user" ask for no less than "id".
bool asks_for_privacy(const Message& invite) {
    for (const Header& header : invite.headers) {
        if (header.name != "privacy") {
            continue;
        }
        std::string_view rest = header.value;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find(';'), rest.size());
            const std::string_view word = trim(rest.substr(0, end));
            if (equal_nocase(word, "id") || equal_nocase(word, "user") || equal_nocase(word, "header")) {
                return true;
            }
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    return false;
}

std::string identities(const Message& invite) {
    std::string all;
    for (const Header& header : invite.headers) {
        if (header.name == "identity" && all.size() + header.value.size() < kMaxIdentity) {
            all += (all.empty() ? "" : ", ") + header.value;
        }
    }
    std::erase_if(all, [](unsigned char c) { return c < 0x20 || c > 0x7e; });
    return all;
}

}  // namespace

std::string normalise_number(std::string_view text) {
    std::string number;
    for (const char c : text) {
        if ((c >= '0' && c <= '9') || (c == '+' && number.empty())) {
            number += c;
        } else if (std::string_view(" -.()").find(c) == std::string_view::npos) {
            return {};
        }
    }
    return number == "+" || number.size() > 32 ? std::string() : number;
}

std::string to_e164(std::string_view text, const TrunkSettings& settings) {
    constexpr std::size_t kShortest = 7;  // below it a number without prefix is an extension or a service
    const std::string number = normalise_number(text);
    if (number.empty() || number.front() == '+') {
        return number;
    }
    const auto behind = [&number](const std::string& prefix) { return number.substr(prefix.size()); };
    if (settings.number_format == NumberFormat::digits) {
        return number.size() < kShortest ? number : "+" + number;
    }
    if (settings.country_code.empty()) {
        return number;
    }
    const std::string& abroad = settings.international_prefix;
    const std::string& inland = settings.national_prefix;
    if (!abroad.empty() && number.starts_with(abroad)) {
        return "+" + behind(abroad);
    }
    if (!inland.empty()) {
        return number.starts_with(inland) ? "+" + settings.country_code + behind(inland) : number;
    }
    return number.size() < kShortest ? number : "+" + settings.country_code + number;
}

std::string from_e164(const std::string& number, const TrunkSettings& settings) {
    if (!number.starts_with("+") || settings.number_format == NumberFormat::e164) {
        return number;
    }
    const std::string digits = number.substr(1);
    if (settings.number_format == NumberFormat::digits || settings.country_code.empty()) {
        return digits;
    }
    return digits.starts_with(settings.country_code)
               ? settings.national_prefix + digits.substr(settings.country_code.size())
               : settings.international_prefix + digits;
}

TrunkCaller trunk_caller(const Message& invite, const TrunkSettings& settings) {
    TrunkCaller caller{"anonymous", asks_for_privacy(invite), {}, {}};
    const auto take = [&](const Uri& uri) {
        const std::string number = to_e164(number_text(uri), settings);
        if (number.empty()) {
            return false;
        }
        caller.number = number;
        caller.verification = settings.caller_trusted ? verdict(uri) : "";
        return true;
    };
    caller.identity = identities(invite);
    if (settings.caller_trusted) {
        for (const std::string& value : invite.values("p-asserted-identity")) {
            const std::optional<NameAddr> asserted = parse_name_addr(value);
            if (asserted && take(asserted->uri)) {
                return caller;
            }
        }
    }
    (void)take(invite.from.uri);
    return caller;
}

}  // namespace vmr::sip
