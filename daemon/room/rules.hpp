// The rules that are plain tables, apart from the machine that applies them.
#pragma once
#include <set>
#include <string>

#include "daemon/room/events.hpp"
#include "daemon/room/types.hpp"

namespace vmr::room {

constexpr Duration kWaitPromptEvery = std::chrono::seconds(30);  // rule 9: who waits hears so again

// --- rules 1, 2, 6: what the door asks ---
struct Entry {
    bool ask_pin = false;
    bool guest_entry = false;  // an empty entry is a guest
    Role role = Role::guest;   // without a PIN
};
Entry entry_for(const RoomConfig& config, bool trusted_host);
// What a verified PIN is worth in this room: a guest PIN is worth nothing where guests are not allowed.
PinMatch worth(const RoomConfig& config, PinMatch match);
unsigned longest_pin(const RoomConfig& config);
// Could these digits be a PIN at all (rule 3: 4-20 digits)? What could not is wrong, unevaluated.
bool could_be_pin(const std::string& digits);

// --- rules 7, 8, 11: whether who stands before the room goes in ---
struct Door {
    Role role = Role::guest;
    bool passes_lock = false;  // a host PIN's holder, or an authenticated host
    bool locked = false;
    bool host_present = false;
};
LobbyReason wait_reason(const Door& door);  // none = enter
// For who waits already: may they go in now, by themselves? (`held` never.)
LobbyReason wait_on(LobbyReason reason, const Door& door);

// --- rules 11, 15, 17: who may do what ---
struct Standing {
    bool admin = false;
    State state = State::left;
    Role role = Role::guest;
    std::set<Right> grants;
    bool room_has_host_pin = false;
    bool self = false;            // acts on oneself
    bool chat_allowed = true;     // for guests
    bool target_is_guest = true;  // a delegated right never reaches a host
};
bool may(const Standing& standing, const ActionKind& action);
const char* action_name(const ActionKind& action);
// The participant an action is about; nullptr for the room's own.
const ParticipantId* target_of(const ActionKind& action);

}  // namespace vmr::room
