// Scanning of untrusted text: no allocation beyond its result, no locale, no exceptions.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmr::sdp::text {

// The part before `separator`, which is taken off `rest` together with it; all of it when there is none.
std::string_view take(std::string_view& rest, char separator);
// The next word; any run of spaces separates.
std::string_view take_word(std::string_view& rest);
std::string_view trimmed(std::string_view text);
std::string lower(std::string_view text);
bool equals_ignore_case(std::string_view a, std::string_view b);
// Decimal digits only: no sign, no space, nothing after them.
std::optional<std::uint64_t> number(std::string_view text, std::uint64_t max);
bool is_token(std::string_view text);  // RFC 8866 token, not empty
bool is_ip4(std::string_view text);
bool is_ip6(std::string_view text);
bool is_unicast(std::string_view address);  // an IP address, not of a group; 0.0.0.0 and :: pass

std::optional<std::vector<std::uint8_t>> base64_decode(std::string_view text);
std::string base64_encode(const std::vector<std::uint8_t>& bytes);
std::optional<std::vector<std::uint8_t>> hex_decode(std::string_view text, char separator);
std::string hex_encode(const std::vector<std::uint8_t>& bytes, char separator);

}  // namespace vmr::sdp::text
