// What an announcement says: as text on screens, as a recorded prompt on phones.
#pragma once
#include <string>

#include "daemon/room/commands.hpp"

namespace vmr::bridge {

// English, for the page; parameters (a name) filled in.
std::string text_of(const room::Announce& announcement);
// Name of the recording (asterisk-core-sounds), or "tone"; empty: phones hear nothing.
const char* recording_of(room::Prompt prompt);

}  // namespace vmr::bridge
