#include "clean_text.hpp"

#include <glib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace vmr::mixer {
namespace {

constexpr int kMostMarks = 4;  // on one letter; Vietnamese needs two
constexpr gunichar kZeroWidthNonJoiner = 0x200C;
constexpr gunichar kZeroWidthJoiner = 0x200D;

bool drawable(gunichar character) {
    switch (g_unichar_type(character)) {
        case G_UNICODE_CONTROL:
        case G_UNICODE_SURROGATE:
        case G_UNICODE_UNASSIGNED:
            return false;
        case G_UNICODE_FORMAT:  // Persian words and emoji need these two
            return character == kZeroWidthNonJoiner || character == kZeroWidthJoiner;
        default:
            return true;
    }
}

void append(std::string& text, gunichar character) {
    std::array<char, 6> bytes{};
    text.append(bytes.data(), static_cast<std::size_t>(g_unichar_to_utf8(character, bytes.data())));
}

}  // namespace

std::string clean_text(const char* text, std::size_t limit) {
    if (text == nullptr) {
        return {};
    }
    // No more is looked at than could be kept, blanks and marks included.
    const std::size_t bytes = strnlen(text, limit * 16);
    const std::unique_ptr<char, decltype(&g_free)> valid(g_utf8_make_valid(text, static_cast<gssize>(bytes)),
                                                         g_free);
    std::string clean;
    std::size_t length = 0;
    int marks = 0;
    bool blank = false;
    for (const char* at = valid.get(); *at != '\0' && length < limit; at = g_utf8_next_char(at)) {
        const gunichar character = g_utf8_get_char(at);
        if (g_unichar_isspace(character) != FALSE) {
            blank = !clean.empty();
            continue;
        }
        if (!drawable(character)) {
            continue;
        }
        marks = g_unichar_ismark(character) != FALSE ? marks + 1 : 0;
        if (marks > kMostMarks) {
            continue;
        }
        if (blank) {
            clean += ' ';
            ++length;
            blank = false;
        }
        append(clean, character);
        ++length;
    }
    return clean;
}

}  // namespace vmr::mixer
