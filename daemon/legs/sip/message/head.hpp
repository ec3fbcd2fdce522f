// The lexical parts of a message's head that parser, bounds and writer share: header lines with their folds,
// tokens, and lists cut outside of quotes and angle brackets. Pure.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

inline bool is_token(std::string_view text) noexcept {
    constexpr std::string_view kMarks = "-.!%*_+`'~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               kMarks.find(c) != std::string_view::npos;
    });
}

// False for a control character that is not part of a fold, unless it is quoted by a backslash
// (quoted-pair of RFC 3261 section 25.1 may be any ASCII but CR and LF, NUL too).
bool is_clean(std::string_view value) noexcept;

// On one line: each fold becomes one space (RFC 3261 section 7.3.1).
std::string unfold(std::string_view value);

// Calls `take(name, value)` for each header of `head`, the lines behind the start line, until it returns
// false. Returns false when a line is no header line or `take` stopped it.
template <typename Take>
bool each_header(std::string_view head, Take&& take) {
    while (!head.empty()) {
        std::size_t end = head.find("\r\n");
        while (end != std::string_view::npos && end + 2 < head.size() &&
               (head[end + 2] == ' ' || head[end + 2] == '\t')) {
            end = head.find("\r\n", end + 2);
        }
        const std::string_view line = head.substr(0, end);
        head = end == std::string_view::npos ? std::string_view() : head.substr(end + 2);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || line.front() == ' ' || line.front() == '\t' ||
            !take(trim(line.substr(0, colon)), trim(line.substr(colon + 1)))) {
            return false;
        }
    }
    return true;
}

// Cuts at `separator` outside quotes and angle brackets; calls `take` for each piece, trimmed.
template <typename Take>
void split(std::string_view text, char separator, Take&& take) {
    bool quoted = false;
    int angle = 0;
    std::size_t start = 0;
    for (std::size_t index = 0; index < text.size(); ++index) {
        const char c = text[index];
        if (quoted) {
            if (c == '\\') {
                ++index;
            } else if (c == '"') {
                quoted = false;
            }
        } else if (c == '"') {
            quoted = true;
        } else if (c == '<') {
            ++angle;
        } else if (c == '>') {
            --angle;
        } else if (c == separator && angle <= 0) {
            take(trim(text.substr(start, index - start)));
            start = index + 1;
        }
    }
    take(trim(text.substr(start)));
}

}  // namespace vmr::sip
