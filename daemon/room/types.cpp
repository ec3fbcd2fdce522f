#include "daemon/room/types.hpp"

#include <array>
#include <string_view>

#include "daemon/room/commands.hpp"

namespace vmr::room {
namespace {

template <typename E, std::size_t N>
const char* word(const std::array<const char*, N>& words, E value) {
    const auto index = static_cast<std::size_t>(value);
    return index < N ? words[index] : "unknown";
}

template <typename E, std::size_t N>
std::optional<E> parse(const std::array<const char*, N>& words, std::string_view text) {
    for (std::size_t index = 0; index < N; ++index) {
        if (text == words[index]) {
            return static_cast<E>(index);
        }
    }
    return std::nullopt;
}

// In the order of the enumerators.
constexpr std::array kRoles{"guest", "host"};
constexpr std::array kStates{"connecting", "pin", "lobby", "in_room", "left"};
constexpr std::array kReasons{"", "awaiting_host", "locked", "held"};
constexpr std::array kLegs{"webrtc", "sip", "phone", "h323"};
constexpr std::array kProgress{"", "dialling", "ringing", "early_media"};
constexpr std::array kMatches{"none", "guest", "host"};
constexpr std::array kLayouts{"speaker", "equal", "single", "content"};
constexpr std::array kEncryptions{"required", "best_effort", "off"};
constexpr std::array kAbsences{"end", "continue", "rehold"};
constexpr std::array kRights{"admit", "mute", "layout", "record"};
constexpr std::array kGateReasons{"connecting", "pin",          "awaiting_host", "locked",
                                  "held",       "reconnecting", "left"};
constexpr std::array kCauses{"normal",         "network",           "no_media",
                             "removed",        "refused",           "ended_by_host",
                             "ended_by_admin", "host_absent",       "max_duration",
                             "lobby_timeout",  "lone_timeout",      "pin_wrong",
                             "pin_timeout",    "throttled",         "encryption_required",
                             "room_full",      "reconnect_timeout", "error",
                             "not_answered",   "preempted",         "spend_limit",
                             "empty",          "shutdown"};
static_assert(kCauses.size() == static_cast<std::size_t>(Cause::shutdown) + 1);
constexpr std::array kOutcomes{"done", "not_allowed", "not_found", "conflict", "invalid", "too_many"};
constexpr std::array kPrompts{"joined",
                              "left_room",
                              "locked",
                              "unlocked",
                              "recording_started",
                              "recording_stopped",
                              "being_recorded",
                              "encrypted_again",
                              "unencrypted",
                              "waiting",
                              "waiting_item",
                              "nobody_waits",
                              "admitted",
                              "refused",
                              "room_item",
                              "person_item",
                              "hand_raised",
                              "you_are_muted",
                              "you_are_unmuted",
                              "please_unmute",
                              "hand_up",
                              "hand_down",
                              "guests_muted",
                              "guests_unmuted",
                              "newcomers_muted",
                              "newcomers_unmuted",
                              "layout_changed",
                              "keys_help",
                              "confirm_end",
                              "cancelled",
                              "not_allowed",
                              "done",
                              "you_are_host",
                              "you_are_guest",
                              "right_granted",
                              "right_revoked",
                              "minutes_left",
                              "awaiting_host",
                              "waiting_locked",
                              "waiting_held",
                              "slow_down",
                              "pin_wrong",
                              "pin_timeout",
                              "lobby_timeout",
                              "lone_timeout",
                              "removed",
                              "meeting_ended",
                              "room_full",
                              "encryption_required"};
static_assert(kPrompts.size() == static_cast<std::size_t>(Prompt::encryption_required) + 1);

}  // namespace

const char* to_string(Role value) {
    return word(kRoles, value);
}
const char* to_string(State value) {
    return word(kStates, value);
}
const char* to_string(LobbyReason value) {
    return word(kReasons, value);
}
const char* to_string(LegKind value) {
    return word(kLegs, value);
}
const char* to_string(CallProgress value) {
    return word(kProgress, value);
}
const char* to_string(PinMatch value) {
    return word(kMatches, value);
}
const char* to_string(Layout value) {
    return word(kLayouts, value);
}
const char* to_string(Encryption value) {
    return word(kEncryptions, value);
}
const char* to_string(HostAbsence value) {
    return word(kAbsences, value);
}
const char* to_string(Right value) {
    return word(kRights, value);
}
const char* to_string(GateReason value) {
    return word(kGateReasons, value);
}
const char* to_string(Cause value) {
    return word(kCauses, value);
}
const char* to_string(Outcome value) {
    return word(kOutcomes, value);
}
const char* to_string(Prompt value) {
    return word(kPrompts, value);
}

std::optional<Role> parse_role(std::string_view text) {
    return parse<Role>(kRoles, text);
}
std::optional<Layout> parse_layout(std::string_view text) {
    return parse<Layout>(kLayouts, text);
}
std::optional<Right> parse_right(std::string_view text) {
    return parse<Right>(kRights, text);
}
std::optional<Encryption> parse_encryption(std::string_view text) {
    return parse<Encryption>(kEncryptions, text);
}
std::optional<HostAbsence> parse_host_absence(std::string_view text) {
    return parse<HostAbsence>(kAbsences, text);
}

}  // namespace vmr::room
