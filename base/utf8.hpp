// UTF-8 (RFC 3629), for text of others. Pure.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace vmr {

// Bytes of the character that begins `text`; 0: it is none (too short, overlong, a surrogate, beyond
// U+10FFFF).
inline std::size_t utf8_length(std::string_view text) noexcept {
    const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    if (text.empty() || byte(0) < 0x80) {
        return text.empty() ? 0 : 1;
    }
    const std::size_t length = byte(0) >= 0xc2 && byte(0) <= 0xdf   ? 2
                               : byte(0) >= 0xe0 && byte(0) <= 0xef ? 3
                               : byte(0) >= 0xf0 && byte(0) <= 0xf4 ? 4
                                                                    : 0;
    if (length == 0 || text.size() < length) {
        return 0;
    }
    // The second byte's range is narrower behind these (section 4).
    const unsigned char least = byte(0) == 0xe0 ? 0xa0 : byte(0) == 0xf0 ? 0x90 : 0x80;
    const unsigned char most = byte(0) == 0xed ? 0x9f : byte(0) == 0xf4 ? 0x8f : 0xbf;
    if (byte(1) < least || byte(1) > most) {
        return 0;
    }
    for (std::size_t at = 2; at < length; ++at) {
        if ((byte(at) & 0xc0U) != 0x80) {
            return 0;
        }
    }
    return length;
}

inline bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

// Whether a character is no text but an order to who shows it: C0, DEL and C1 (U+009B begins a terminal's
// escape sequences), separators of lines, and what turns the direction of writing, so that a name looks like
// another.
inline bool is_control(std::string_view character) noexcept {
    const auto byte = [character](std::size_t at) { return static_cast<unsigned char>(character[at]); };
    switch (character.size()) {
        case 1:
            return byte(0) < 0x20 || byte(0) == 0x7f;
        case 2:
            return byte(0) == 0xc2 && byte(1) < 0xa0;  // U+0080-U+009F
        case 3:
            return byte(0) == 0xe2 &&
                   ((byte(1) == 0x80 && byte(2) >= 0xa8 && byte(2) <= 0xae) ||  // U+2028-202E
                    (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9));   // U+2066-2069
        default:
            return false;
    }
}

// Each control character becomes `instead`, as does each byte that belongs to no character.
inline std::string without_controls(std::string_view text, std::string_view instead = {}) {
    std::string plain;
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const std::string_view character = text.substr(0, length);
        plain += length == 0 || is_control(character) ? instead : character;
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return plain;
}

// Each byte that belongs to no character becomes U+FFFD.
inline std::string made_utf8(std::string_view text) {
    std::string made;
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        made += length == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return made;
}

// At most `bytes` of valid UTF-8, whole characters; what is cut ends with an ellipsis (which has 3 bytes).
inline std::string cut_utf8(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) {
        return std::string(text);
    }
    if (bytes < 3) {
        return {};
    }
    std::size_t end = bytes - 3;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) {
        --end;
    }
    return std::string(text.substr(0, end)) + "\u2026";
}

}  // namespace vmr
