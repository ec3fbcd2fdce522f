// What pin-ivr and lobby-gate say and write by themselves, in each language. A language more is a table more.
#pragma once
#include <string>

namespace vmr::duplex {

struct SlatePhrases {
    const char *title, *detail;
};

struct Phrases {
    const char* language;

    // said where there is no recording
    const char *ask_pin, *ask_number, *wrong_pin, *wrong_number, *goodbye;

    // the PIN screen
    const char *pin_title, *number_title, *press_hash;
    const char *wrong, *one_attempt, *attempts;  // "{n}": how many are left
    const char *no_attempts, *time_is_up, *not_let_in;

    // the lobby's slates
    SlatePhrases awaiting_host, locked, held, connecting;
};

// Of the locale's language ("fr_CA": French), else English.
const Phrases& phrases_of(const std::string& locale);

}  // namespace vmr::duplex
