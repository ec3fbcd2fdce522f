// What a room wants done, in order. The bridge carries each one out; none needs an answer but
// Answer (MediaUp or Left), VerifyPin (PinVerified) and Release/Refuse (a Left that is ignored).
#pragma once
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "daemon/room/events.hpp"
#include "daemon/room/types.hpp"

namespace vmr::room {

// Take the leg (SIP 200, WebSocket "joined"). Its gate is closed.
struct Answer {
    ParticipantId id;
};
// Not answered yet: refuse it. encryption_required = SIP 488, room_full = 486.
struct Refuse {
    ParticipantId id;
    Cause cause = Cause::error;
};

// pin-ivr starts to ask. With guest_entry_allowed an empty entry (`#`, "join as guest") is a guest.
// `max_length`: as many digits end an entry without `#`.
struct AskPin {
    ParticipantId id;
    bool guest_entry_allowed = false;
    unsigned max_length = 0;
    unsigned attempts_left = 0;
};
// Compare on a worker, constant time, with both hashes; reply PinVerified with this ticket. Never log digits.
struct VerifyPin {
    ParticipantId id;
    std::uint64_t ticket = 0;
    std::string digits;
};
// pin-ivr accepts: its screen and voice go away; from here keys are Key events.
struct AcceptPin {
    ParticipantId id;
    Role role = Role::guest;
};
// pin-ivr says "wrong PIN" and asks again. After the last attempt there is a Release with pin_wrong instead.
struct RejectPin {
    ParticipantId id;
    unsigned attempts_left = 0;
};

// lobby-gate. Sent on each change, and again for a resumed leg.
struct OpenGate {
    ParticipantId id;
};
struct CloseGate {
    ParticipantId id;
    GateReason reason = GateReason::connecting;
};
// The mixer's mute of this leg: muted || self_muted.
struct SetMuted {
    ParticipantId id;
    bool muted = false;
};
struct SetLayout {
    Layout layout = Layout::speaker;
};
// All spotlighted participants, in the order they were chosen; empty = none.
struct Spotlight {
    std::vector<ParticipantId> ids;
};

enum class Prompt {
    joined,     // name; tone or voice
    left_room,  // name
    locked,
    unlocked,
    recording_started,
    recording_stopped,
    being_recorded,   // to who enters meanwhile
    encrypted_again,  // padlock closed
    unencrypted,      // struck padlock
    waiting,          // to hosts: name waits (or count people), with a sound
    waiting_item,     // to one (*9): name waits; 1 admit, 2 refuse, 3 next
    nobody_waits,     // the *9 list's end
    admitted,         // name
    refused,          // name
    room_item,        // to one (**1): keys for the room
    person_item,      // to one (**1): name is in the room; keys for a person
    hand_raised,      // to hosts: name
    you_are_muted,    // "by": host|self
    you_are_unmuted,  // "by": host|self
    please_unmute,    // a host asks
    hand_up,
    hand_down,
    guests_muted,
    guests_unmuted,
    newcomers_muted,
    newcomers_unmuted,
    layout_changed,  // "layout"
    keys_help,       // "role"
    confirm_end,     // press # again to end for all
    cancelled,       // ... it was not pressed
    not_allowed,
    done,  // a key's command was carried out and has no prompt of its own
    you_are_host,
    you_are_guest,
    right_granted,  // "right"
    right_revoked,  // "right"
    minutes_left,   // "minutes": of the meeting's longest time
    awaiting_host,  // periodic, to who waits
    waiting_locked,
    waiting_held,
    slow_down,  // too many guesses from this source: the entry waits its turn
    pin_wrong,  // from here on with Release: these say why
    pin_timeout,
    lobby_timeout,
    lone_timeout,
    removed,
    meeting_ended,
    room_full,
    encryption_required,
};
const char* to_string(Prompt);

enum class Audience { one, everyone, hosts };  // everyone and hosts: those in the room
struct Announce {
    Audience audience = Audience::everyone;
    ParticipantId id;  // Audience::one: to whom
    Prompt prompt = Prompt::joined;
    std::map<std::string, std::string> params;  // "name", "participant", "by", ...
    bool sound = true;                          // false: on screen only (rate limit, rule 18)
};

// Play `prompt` (if any), then hang up. The room has forgotten this leg already.
struct Release {
    ParticipantId id;
    Cause cause = Cause::normal;
    std::optional<Prompt> prompt;
};

// Events for the API's subscribers. Whole objects; rights to see them are the API's business.
struct ParticipantJoined {
    Participant participant;
};
struct ParticipantChanged {
    Participant participant;
};
struct ParticipantLeft {
    Participant participant;
    Cause cause = Cause::normal;
};
struct RoomChanged {
    RoomView room;
};
struct TalkingChanged {
    std::vector<ParticipantId> ids;
};

// Somebody wrote to everybody in the room, now; nobody else learns of it, and nothing keeps it.
struct Said {
    ParticipantId by;  // empty: an administrator, who speaks as the room
    std::string name;
    std::string text;
};

// Audit log, rules 5 and 17. `what`: "pin", "lock", "grant", ...; never holds digits.
struct Audit {
    TimePoint at{};
    std::string actor;   // "admin", a participant's id, or "" for the room itself
    std::string source;  // address or caller number (and trunk)
    std::string what;
    std::string target;  // whom or what it is about; of a call that is placed, the address
    std::string result;  // "ok", "wrong", "throttled", "not_allowed", ...
};

// On disk (fsync) before the leg's end is acknowledged.
struct WriteRecord {
    RecordDraft record;
};

enum class Outcome { done, not_allowed, not_found, conflict, invalid, too_many };
const char* to_string(Outcome);
struct ActionDone {
    std::uint64_t request = 0;
    Outcome outcome = Outcome::done;
    std::string reason;  // for people: "the last host cannot be demoted"
};

// Permitted by the room; carried out elsewhere.
struct StartRecording {};
struct StopRecording {};
// The participant is in the roster already. Answered by Progressed, then MediaUp or Left.
struct PlaceCall {
    ParticipantId id;
    std::string address;
    ParticipantId by;
};
// All legs have been released; the room is as new and may be used again.
struct RoomEnded {
    Cause cause = Cause::empty;
};

using Command = std::variant<Answer, Refuse, AskPin, VerifyPin, AcceptPin, RejectPin, OpenGate, CloseGate,
                             SetMuted, SetLayout, Spotlight, Announce, Release, ParticipantJoined,
                             ParticipantChanged, ParticipantLeft, RoomChanged, TalkingChanged, Said, Audit,
                             WriteRecord, ActionDone, StartRecording, StopRecording, PlaceCall, RoomEnded>;
using Commands = std::vector<Command>;

}  // namespace vmr::room
