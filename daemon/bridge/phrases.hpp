// The announcements' texts, a file for each language in phrases/. Parameters stand in braces.
#pragma once
#include <array>
#include <span>

#include "daemon/room/commands.hpp"

namespace vmr::bridge {

struct Phrase {
    room::Prompt prompt;
    // "": always; "host": by a host, or to one; "name", "count": where there is such a parameter; "one":
    // minute
    const char* variant;
    const char* text;
};

struct Language {
    const char* code;
    std::span<const Phrase> phrases;
    const char* somebody;                // who has no name that can be said
    std::array<const char*, 4> rights;   // as room::Right
    std::array<const char*, 4> layouts;  // as room::Layout
};

extern const Language kEnglish, kGerman, kSpanish, kFrench, kItalian, kRussian;
inline constexpr std::array kLanguages{&kEnglish, &kGerman, &kSpanish, &kFrench, &kItalian, &kRussian};

}  // namespace vmr::bridge
