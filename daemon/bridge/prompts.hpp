// What an announcement says: as text on screens, as a recording or spoken on phones.
#pragma once
#include <map>
#include <string>

#include "daemon/room/commands.hpp"

namespace vmr::bridge {

// English, for the page; parameters (a name) filled in.
std::string text_of(const room::Announce& announcement);

struct Spoken {
    std::string recording;   // of asterisk-core-sounds; empty: none says this
    std::string text;        // for where there is no such recording
    std::string language;    // of `text`
    bool until_key = false;  // a menu: the next key stops it
};
// In the locale's language, else English.
Spoken spoken(room::Prompt prompt, const std::map<std::string, std::string>& params,
              const std::string& locale);

// A name as it can be said, at most 40 letters of it: digits one by one, nothing but letters, digits, blanks,
// hyphens and apostrophes. Empty: nothing can be said.
std::string spoken_name(const std::string& name);

}  // namespace vmr::bridge
