#include "daemon/sdp/text.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace vmr::sdp::text {

namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char lower_char(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char l = lower_char(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

bool parses_as(int family, std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> name{};
    std::array<unsigned char, sizeof(in6_addr)> address{};
    if (text.empty() || text.size() >= name.size()) {
        return false;
    }
    std::copy(text.begin(), text.end(), name.begin());
    return inet_pton(family, name.data(), address.data()) == 1;
}

}  // namespace

std::string_view take(std::string_view& rest, char separator) {
    const auto end = rest.find(separator);
    const auto part = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return part;
}

std::string_view take_word(std::string_view& rest) {
    const auto start = rest.find_first_not_of(' ');
    if (start == std::string_view::npos) {
        rest = {};
        return {};
    }
    rest.remove_prefix(start);
    return take(rest, ' ');
}

std::string_view trimmed(std::string_view text) {
    const auto start = text.find_first_not_of(" \t");
    if (start == std::string_view::npos) {
        return {};
    }
    return text.substr(start, text.find_last_not_of(" \t") - start + 1);
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), lower_char);
    return result;
}

bool equals_ignore_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower_char(x) == lower_char(y); });
}

std::optional<std::uint64_t> number(std::string_view text, std::uint64_t max) {
    if (text.empty()) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    for (const char c : text) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (c < '0' || c > '9' || value > max / 10 || value * 10 > max - std::min(digit, max)) {
            return std::nullopt;
        }
        value = value * 10 + digit;
    }
    return value > max ? std::nullopt : std::optional(value);
}

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c > 0x20 && c < 0x7f &&
               std::string_view("\"(),/:;<=>?@[\\]").find(c) == std::string_view::npos;
    });
}

bool is_ip4(std::string_view text) {
    return parses_as(AF_INET, text);
}

bool is_ip6(std::string_view text) {
    return parses_as(AF_INET6, text);
}

bool is_unicast(std::string_view address) {
    if (is_ip6(address)) {
        return !lower(address).starts_with("ff");
    }
    auto rest = address;
    const auto first = number(take(rest, '.'), 255);
    return is_ip4(address) && first && *first < 224;  // 224/4 multicast, 240/4 reserved, 255… broadcast
}

std::optional<std::vector<std::uint8_t>> base64_decode(std::string_view text) {
    while (!text.empty() && text.back() == '=') {
        text.remove_suffix(1);
    }
    if (text.size() % 4 == 1) {
        return std::nullopt;
    }
    std::vector<std::uint8_t> bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t buffer = 0;
    unsigned bits = 0;
    for (const char c : text) {
        const auto value = kBase64.find(c);
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        buffer = ((buffer << 6) | static_cast<std::uint32_t>(value)) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes.push_back(static_cast<std::uint8_t>(buffer >> bits));
        }
    }
    return bytes;
}

std::string base64_encode(const std::vector<std::uint8_t>& bytes) {
    std::string result;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            group = (group << 8) | (k < count ? bytes[i + k] : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            result += k <= count ? kBase64[(group >> (18 - 6 * k)) & 63] : '=';
        }
    }
    return result;
}

std::optional<std::vector<std::uint8_t>> hex_decode(std::string_view text, char separator) {
    std::vector<std::uint8_t> bytes;
    while (!text.empty()) {
        const auto pair = take(text, separator);
        if (pair.size() != 2 || hex_digit(pair[0]) < 0 || hex_digit(pair[1]) < 0) {
            return std::nullopt;
        }
        bytes.push_back(static_cast<std::uint8_t>(hex_digit(pair[0]) * 16 + hex_digit(pair[1])));
    }
    return bytes;
}

std::string hex_encode(const std::vector<std::uint8_t>& bytes, char separator) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    for (const auto byte : bytes) {
        if (!result.empty()) {
            result += separator;
        }
        result += digits[byte >> 4];
        result += digits[byte & 15];
    }
    return result;
}

}  // namespace vmr::sdp::text

namespace vmr::sdp {

bool is_unspecified(std::string_view address) {
    return address == "0.0.0.0" ||
           (text::is_ip6(address) && address.find_first_not_of("0:") == std::string_view::npos);
}

}  // namespace vmr::sdp
