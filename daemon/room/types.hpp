// The room core's vocabulary: plain values, no behaviour, no I/O. docs/room-states.md prints the rules.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vmr::room {

// Wall-clock with ms resolution, always an argument: call records need it and tests make it up.
using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;
using ParticipantId = std::string;

enum class Role { guest, host };
// States only advance, but for in_room <-> lobby.
enum class State { connecting, pin, lobby, in_room, left };
enum class LobbyReason { none, awaiting_host, locked, held };
enum class LegKind { webrtc, sip, phone, h323 };
// A call that the room places, until it is answered.
enum class CallProgress { none, dialling, ringing, early_media };
enum class PinMatch { none, guest, host };
enum class Layout { speaker, equal, single, content };
enum class Encryption { required, best_effort, off };
// What happens when the last host leaves (rule 9).
enum class HostAbsence { end, keep_going, rehold };  // printed "end", "continue", "rehold"
// Rights that a host may delegate to a guest (rule 17).
enum class Right { admit, mute, layout, record };
// Why a gate is closed; what the slate and the hold prompt say.
enum class GateReason { connecting, pin, awaiting_host, locked, held, reconnecting, left };

// Why a leg ended or was refused. to_string() gives the word for records, API and events.
enum class Cause {
    normal,          // the participant hung up
    network,         // the leg's transport died
    no_media,        // the leg sent nothing (reported by the leg), or nobody in the room did for 2 minutes
    removed,         // a host removed them
    refused,         // a host refused them in the lobby
    ended_by_host,   // a host ended the meeting for all
    ended_by_admin,  // an administrator did
    host_absent,     // host_absence=end and no host came back
    max_duration,    // the meeting's longest duration passed
    lobby_timeout,   // waited too long
    lone_timeout,    // alone too long
    pin_wrong,       // three wrong entries
    pin_timeout,     // 120 s without a full entry
    throttled,       // too many guesses from this source; waited too long for a slot
    encryption_required,  // policy `required` and the leg is unencrypted (SIP 488)
    room_full,            // no seat, or too many legs at the door
    reconnect_timeout,    // a dropped browser did not come back in time
    error,                // something of ours failed (the leg's pipeline, the PIN check)
    not_answered,  // a call that the room placed came to nothing: refused, cancelled, no answer, no way
    preempted,     // a call of higher precedence took the leg's place
    spend_limit,   // what calls out may cost in a day is spent
    empty,         // (room end only) everybody has left
    shutdown,      // the daemon drains
};

// Rule 21. Empty strings mean "none". `sdes` needs encrypted signalling to count.
struct CryptoReceipt {
    std::string signalling;    // "TLSv1.3 TLS_AES_256_GCM_SHA384", "" = plain
    std::string key_exchange;  // "DTLS-SRTP", "SDES", "H.235", "" = none
    std::string suite;         // "AEAD_AES_256_GCM", "" = none
    unsigned key_bits = 0;     // of the media cipher
    bool operator==(const CryptoReceipt&) const = default;
};

// Room settings. Hashes of PINs live elsewhere: the core only knows whether there is one, and its length.
struct RoomConfig {
    std::string id;
    std::string title;
    std::vector<std::string> aliases;
    std::string locale;  // empty: the server's
    bool guests_allowed = true;
    // Length in digits (4-20) of each PIN; 0 = there is none.
    unsigned host_pin_length = 0;
    unsigned guest_pin_length = 0;
    Layout layout = Layout::speaker;
    Encryption encryption = Encryption::best_effort;
    unsigned encryption_floor_bits = 0;  // below it a leg counts as unencrypted; 0 = no floor
    HostAbsence host_absence = HostAbsence::end;
    bool chat_allowed = true;  // for guests; hosts always may
    bool mute_newcomers = false;
    unsigned max_participants = 500;       // in the room
    unsigned max_waiting = 500;            // in the lobby
    unsigned max_at_door = 200;            // connecting or at the PIN, all sources
    unsigned max_at_door_per_source = 20;  // and from one source
    Duration host_grace = std::chrono::seconds(60);
    Duration lobby_timeout = std::chrono::seconds(900);
    Duration lone_timeout{0};                             // 0 = never
    Duration max_duration{0};                             // 0 = no limit
    Duration no_media_timeout = std::chrono::minutes(2);  // 0 = never
    Duration pin_timeout = std::chrono::seconds(120);
    Duration connect_timeout = std::chrono::seconds(60);  // Arrived without MediaUp
    Duration reconnect_grace = std::chrono::seconds(30);
    Duration dial_timeout = std::chrono::seconds(240);  // a placed call without an end or an answer
    unsigned pin_attempts = 3;
    // What the daemon around the room can do; asking for what it cannot is refused.
    bool can_record = false;
    bool can_dial_out = false;
    bool has_host_pin() const { return host_pin_length != 0; }
    bool has_guest_pin() const { return guest_pin_length != 0; }
};

// One person or device. The fields of the API's participant object, and what the record needs.
struct Participant {
    ParticipantId id;
    std::string name;
    Role role = Role::guest;
    State state = State::connecting;
    LobbyReason lobby_reason = LobbyReason::none;
    LegKind leg = LegKind::webrtc;
    bool muted = false;       // by a host
    bool self_muted = false;  // by oneself; a host may only ask
    bool talking = false;
    bool hand = false;
    bool spotlight = false;
    bool sharing = false;
    bool connected = true;  // false while a dropped browser may still come back
    bool trusted_host = false;
    bool by_host_pin = false;
    CallProgress call = CallProgress::none;
    std::optional<Role> invited;  // the room called them: enters as this, past PIN and lock
    std::string address;          // source address, or the caller's number
    std::string trunk;            // phone legs: over which trunk; else empty
    bool withheld = false;        // the address is shown to nobody
    std::string verification;  // of the caller's number by the network: "passed", "failed", "none", or empty
    std::string user_agent;
    std::string alias;  // the alias that was dialled
    CryptoReceipt crypto;
    bool encrypted = false;  // policy floor and rule 21 applied
    std::set<Right> grants;
    TimePoint arrived_at{};
    std::optional<TimePoint> joined_at;  // first time in the room
    unsigned pin_attempts = 0;
    bool audible() const { return !muted && !self_muted; }
};

// The API's room object, less what only the store knows.
struct RoomView {
    std::string id;
    std::string title;
    std::vector<std::string> aliases;
    bool locked = false;
    Layout layout = Layout::speaker;
    bool guests_allowed = false;
    bool has_host_pin = false;
    bool has_guest_pin = false;
    bool host_present = false;
    bool unencrypted = false;  // a leg in the room is unencrypted: struck padlock for all
    bool muted_guests = false;
    bool mute_newcomers = false;
    bool chat_allowed = true;  // for guests
    bool recording = false;
    Encryption encryption = Encryption::best_effort;
    HostAbsence host_absence = HostAbsence::end;
    std::optional<TimePoint> started_at;  // nullopt: no meeting is going on
    unsigned participant_count = 0;       // in the room
    unsigned waiting_count = 0;           // in the lobby
    bool operator==(const RoomView&) const = default;
};

// One step of a leg's life, for its record.
struct StateSpan {
    State state;
    LobbyReason reason;
    TimePoint since;
};

// Rule 22. What the room knows of one leg; the bridge adds codecs and packet counts from its cdr-taps.
struct RecordDraft {
    std::string room;
    std::string room_title;
    std::string alias;
    ParticipantId participant;
    std::string name;
    LegKind leg = LegKind::webrtc;
    Role role = Role::guest;
    std::string address;
    std::string trunk;
    std::string user_agent;
    CryptoReceipt crypto;    // the weakest that the leg had
    bool encrypted = false;  // ... and always was
    TimePoint start{};
    TimePoint stop{};
    std::optional<TimePoint> joined_at;  // nullopt: was never in the room
    Duration lobby_time{0};
    Duration room_time{0};
    unsigned pin_attempts = 0;  // entries, the accepted one included
    unsigned pin_wrong = 0;
    unsigned reconnects = 0;
    std::vector<StateSpan> states;  // at most 64, the first ones
    bool admitted = false;          // was in the room at least once
    Cause cause = Cause::normal;
};

const char* to_string(Role);
const char* to_string(State);
const char* to_string(LobbyReason);
const char* to_string(LegKind);
const char* to_string(CallProgress);
const char* to_string(PinMatch);
const char* to_string(Layout);
const char* to_string(Encryption);
const char* to_string(HostAbsence);
const char* to_string(Right);
const char* to_string(GateReason);
const char* to_string(Cause);

// The inverse of to_string, for API input.
std::optional<Role> parse_role(std::string_view);
std::optional<Layout> parse_layout(std::string_view);
std::optional<Right> parse_right(std::string_view);
std::optional<Encryption> parse_encryption(std::string_view);
std::optional<HostAbsence> parse_host_absence(std::string_view);

}  // namespace vmr::room
