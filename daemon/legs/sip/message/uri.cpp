#include "daemon/legs/sip/message/uri.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace vmr::sip {
namespace {

constexpr std::size_t kMaxUri = 2048;
constexpr std::size_t kMaxDisplay = 256;

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const int low = std::tolower(static_cast<unsigned char>(c));
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

std::optional<std::string> unescape(std::string_view text) {
    std::string result;
    for (std::size_t index = 0; index < text.size(); ++index) {
        if (text[index] != '%') {
            result += text[index];
            continue;
        }
        if (index + 2 >= text.size()) {
            return std::nullopt;
        }
        const int high = hex_digit(text[index + 1]);
        const int low = hex_digit(text[index + 2]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        const int byte = high * 16 + low;
        if (byte < 0x20 || byte == 0x7f) {
            result += text.substr(index, 3);  // legal (RFC 4475 section 3.1.1.4), but never one of our names
        } else {
            result += static_cast<char>(byte);
        }
        index += 2;
    }
    return result;
}

bool read_port(std::string_view text, std::uint16_t& port) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size() && port != 0;
}

// RFC 3261's grammar leads some to write three colons before an IPv4 part; RFC 5118 section 4.10 wants both
// read.
bool is_ipv6(std::string_view text) {
    std::string address(text);
    const std::size_t colons = address.find(":::");
    if (colons != std::string::npos && address.find('.', colons) != std::string::npos) {
        address.erase(colons, 1);
    }
    in6_addr parsed{};
    return inet_pton(AF_INET6, address.c_str(), &parsed) == 1;
}

bool read_host(std::string_view text, Uri& uri) {
    std::string_view host = text;
    std::string_view port;
    if (!text.empty() && text.front() == '[') {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) {
            return false;
        }
        host = text.substr(1, close - 1);
        port = text.substr(close + 1);
        if (!is_ipv6(host) || (!port.empty() && port.front() != ':')) {
            return false;
        }
    } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
        host = text.substr(0, colon);
        port = text.substr(colon);
    }
    const auto allowed = [](unsigned char c) {
        return std::isalnum(c) != 0 ||
               std::string_view("-._:").find(static_cast<char>(c)) != std::string_view::npos;
    };
    if (host.empty() || !std::all_of(host.begin(), host.end(), allowed)) {
        return false;
    }
    if (host.size() > 1 && host.ends_with('.')) {
        host.remove_suffix(1);  // a name from the root is the same name
    }
    uri.host = lower(host);
    return port.empty() || read_port(port.substr(1), uri.port);
}

// Else what we append to the value would stand within its quotes.
bool closes_quotes(std::string_view text) {
    bool quoted = false;
    for (std::size_t index = 0; index < text.size(); ++index) {
        if (quoted && text[index] == '\\') {
            ++index;
        } else if (text[index] == '"') {
            quoted = !quoted;
        }
    }
    return !quoted;
}

bool is_scheme(std::string_view text) {
    return !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.';
           });
}

}  // namespace

bool is_host_port(std::string_view text) {
    Uri uri;
    return read_host(text, uri);
}

std::optional<Uri> parse_uri(std::string_view text) {
    const std::size_t colon = text.find(':');
    const bool graphic = std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return c > 0x20 && c != 0x7f && c != '<' && c != '>' && c != '"' && c != '\\';
    });
    if (colon == std::string_view::npos || text.size() > kMaxUri || !graphic ||
        !is_scheme(text.substr(0, colon))) {
        return std::nullopt;
    }
    Uri uri;
    uri.text = text;
    uri.scheme = lower(text.substr(0, colon));
    std::string_view rest = text.substr(colon + 1);
    if (uri.scheme != "sip" && uri.scheme != "sips") {
        // tel:+49…;phone-context=…: the subscriber part is the "user"; other schemes are kept as text.
        const std::size_t end = std::min(rest.find(';'), rest.size());
        uri.user = rest.substr(0, end);
        uri.params = rest.substr(end);
        return rest.empty() ? std::nullopt : std::optional(uri);
    }
    if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
        std::string_view userinfo = rest.substr(0, at);
        const std::optional<std::string> user = unescape(userinfo.substr(0, userinfo.find(':')));
        if (!user || userinfo.empty()) {
            return std::nullopt;
        }
        uri.user = *user;
        rest = rest.substr(at + 1);
    }
    const std::size_t query = std::min(rest.find('?'), rest.size());
    uri.headers = rest.substr(query);
    rest = rest.substr(0, query);
    const std::size_t end = std::min(rest.find(';'), rest.size());
    uri.params = rest.substr(end);
    if (!read_host(rest.substr(0, end), uri)) {
        return std::nullopt;
    }
    return uri;
}

std::optional<NameAddr> parse_name_addr(std::string_view text) {
    text = trim(text);
    NameAddr result;
    std::string_view rest = text;
    if (!text.empty() && text.front() == '"') {
        std::size_t index = 1;
        while (index < text.size() && text[index] != '"') {
            if (text[index] == '\\' && index + 1 < text.size()) {
                ++index;
            }
            result.display += text[index++];
        }
        if (index >= text.size()) {
            return std::nullopt;
        }
        rest = trim(text.substr(index + 1));
        if (rest.empty() || rest.front() != '<') {
            return std::nullopt;
        }
    }
    std::optional<Uri> uri;
    // Where no bracket comes first, there is none around the URI (section 20.10).
    const std::size_t mark = rest.find_first_of("<;\"");
    if (mark != std::string_view::npos && rest[mark] == '<') {
        const std::size_t close = rest.find('>', mark);
        if (close == std::string_view::npos || rest.substr(0, mark).find(',') != std::string_view::npos) {
            return std::nullopt;
        }
        if (result.display.empty()) {
            result.display = trim(rest.substr(0, mark));
        }
        uri = parse_uri(rest.substr(mark + 1, close - mark - 1));
        result.params = trim(rest.substr(close + 1));
    } else {
        const std::size_t semicolon = std::min(rest.find(';'), rest.size());
        uri = parse_uri(trim(rest.substr(0, semicolon)));
        result.params = rest.substr(semicolon);
        if (uri && !uri->headers.empty()) {
            return std::nullopt;  // needs the brackets (section 20)
        }
    }
    if (!uri || (!result.params.empty() && result.params.front() != ';') || !closes_quotes(result.params)) {
        return std::nullopt;
    }
    // Neither a route nor the target of a request has headers (section 19.1.1).
    uri->text.resize(uri->text.size() - uri->headers.size());
    result.display.resize(std::min(result.display.size(), kMaxDisplay));
    result.uri = std::move(*uri);
    bool tagged = false;
    result.tag = parameter(result.params, "tag", &tagged);
    if (tagged && result.tag.empty()) {
        return std::nullopt;
    }
    return result;
}

}  // namespace vmr::sip
