#include "daemon/legs/sip/subscriptions/refer.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "daemon/legs/sip/dialog/replaces.hpp"
#include "daemon/legs/sip/message/head.hpp"
#include "daemon/legs/sip/message/uri.hpp"

namespace vmr::sip {
namespace {

constexpr std::size_t kMaxReason = 80;

int hex(char c) {
    const auto at = std::string_view("0123456789abcdef").find(static_cast<char>(c | 0x20));
    return c >= '0' && (c <= '9' || (c | 0x20) >= 'a') && at != std::string_view::npos ? static_cast<int>(at)
                                                                                       : -1;
}

std::optional<std::string> unescaped(std::string_view text) {
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            result += text[at];
            continue;
        }
        const int high = at + 2 < text.size() ? hex(text[at + 1]) : -1;
        const int low = high >= 0 ? hex(text[at + 2]) : -1;
        if (low < 0) {
            return std::nullopt;
        }
        result += static_cast<char>(high * 16 + low);
        at += 2;
    }
    return result;
}

// The Replaces among a URI's headers ("?Replaces=…&…"); others are not ours to copy. False: unusable.
bool take_replaces(std::string_view headers, std::string& replaces) {
    while (headers.size() > 1) {
        headers.remove_prefix(1);
        const std::string_view piece = headers.substr(0, headers.find('&'));
        headers.remove_prefix(piece.size());
        const std::size_t equals = piece.find('=');
        if (equals == std::string_view::npos || !equal_nocase(piece.substr(0, equals), "Replaces")) {
            continue;
        }
        const std::optional<std::string> value = unescaped(piece.substr(equals + 1));
        const std::optional<Replaces> parsed = value ? parse_replaces(*value) : std::nullopt;
        if (!parsed || !replaces.empty()) {
            return false;
        }
        replaces = parsed->text();
    }
    return true;
}

// parse_name_addr() leaves headers out of the text, not out of the URI.
std::optional<NameAddr> one_target(const Message& request) {
    const auto count = std::ranges::count(request.headers, "refer-to", &Header::name);
    return count == 1 ? parse_name_addr(*request.header("refer-to")) : std::nullopt;
}

std::string without_method(const Uri& uri) {
    std::string text = uri.text.substr(0, uri.text.size() - uri.params.size());
    split(uri.params, ';', [&text](std::string_view piece) {
        if (!piece.empty() && !equal_nocase(piece.substr(0, piece.find('=')), "method")) {
            text += ";" + std::string(piece);
        }
    });
    return text;
}

}  // namespace

std::optional<Reply> read_refer(const Message& request, ReferRequest& refer) {
    std::string unsupported;
    for (const std::string& option : request.values("require")) {
        if (!equal_nocase(option, "norefersub") && !equal_nocase(option, "tdialog")) {
            unsupported += (unsupported.empty() ? "" : ", ") + option;
        }
    }
    if (!unsupported.empty()) {
        return Reply{.status = 420, .headers = {{"Unsupported", unsupported}}};
    }
    const std::optional<NameAddr> target = one_target(request);
    if (!target) {
        return Reply{.status = 400, .reason = "One Refer-To"};  // RFC 3515 section 2.4.2
    }
    const Uri& uri = target->uri;
    if (uri.scheme != "sip" && uri.scheme != "sips" && uri.scheme != "tel") {
        return Reply{.status = 416};
    }
    const std::string method = parameter(uri.params, "method");
    if (!method.empty() && !equal_nocase(method, "INVITE")) {
        return Reply{.status = 603};
    }
    if (!take_replaces(uri.headers, refer.replaces)) {
        return Reply{.status = 400, .reason = "Bad Replaces"};
    }
    refer.address = without_method(uri);
    const std::string* by = request.header("referred-by");
    refer.referred_by = by == nullptr ? std::string() : *by;
    const std::string* subscribes = request.header("refer-sub");
    refer.subscribes =
        subscribes == nullptr || lower(trim(subscribes->substr(0, subscribes->find(';')))) != "false";
    return std::nullopt;
}

std::optional<Fragment> read_fragment(const std::string& body) {
    const std::string_view line = std::string_view(body).substr(0, body.find_first_of("\r\n"));
    if (!line.starts_with("SIP/2.0 ") || line.size() < 11) {
        return std::nullopt;
    }
    Fragment fragment;
    const auto [end, error] = std::from_chars(line.data() + 8, line.data() + 11, fragment.status);
    if (error != std::errc() || end != line.data() + 11 || fragment.status < 100 || fragment.status > 699) {
        return std::nullopt;
    }
    fragment.reason = trim(line.substr(11).substr(0, kMaxReason));
    std::erase_if(fragment.reason, [](unsigned char c) { return c < 0x20 || c > 0x7e; });
    return fragment;
}

void ReferTopic::set(int status, const std::string& reason) {
    line_ = "SIP/2.0 " + std::to_string(status) + " " + (reason.empty() ? reason_phrase(status) : reason) +
            "\r\n";
    told_ = false;
}

std::optional<Topic::Notice> ReferTopic::write(bool full) {
    if (std::exchange(told_, true) && !full) {
        return std::nullopt;
    }
    return Notice{false, line_};
}

}  // namespace vmr::sip
