#include "daemon/room/rules.hpp"

#include <algorithm>

#include "daemon/room/room.hpp"

namespace vmr::room {

Entry entry_for(const RoomConfig& config, bool trusted_host) {
    if (trusted_host) {
        return {.role = Role::host};
    }
    if (!config.has_host_pin() && !config.has_guest_pin()) {
        return {.role = config.guests_allowed ? Role::guest : Role::host};
    }
    return {.ask_pin = config.has_guest_pin() || config.has_host_pin(),
            .guest_entry = config.guests_allowed && !config.has_guest_pin()};
}

PinMatch worth(const RoomConfig& config, PinMatch match) {
    if (match == PinMatch::guest && !(config.guests_allowed && config.has_guest_pin())) {
        return PinMatch::none;
    }
    if (match == PinMatch::host && !config.has_host_pin()) {
        return PinMatch::none;
    }
    return match;
}

unsigned longest_pin(const RoomConfig& config) {
    return std::max(config.host_pin_length, config.guests_allowed ? config.guest_pin_length : 0U);
}

bool could_be_pin(const std::string& digits) {
    return digits.size() >= 4 && digits.size() <= 20 &&
           std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

LobbyReason wait_reason(const Door& door) {
    if (door.locked && !door.passes_lock) {
        return LobbyReason::locked;
    }
    if (door.role == Role::guest && !door.host_present) {
        return LobbyReason::awaiting_host;
    }
    return LobbyReason::none;
}

LobbyReason wait_on(LobbyReason reason, const Door& door) {
    const bool lacks_host = door.role == Role::guest && !door.host_present;
    switch (reason) {
        case LobbyReason::locked:
            if (door.locked) {
                return reason;
            }
            return lacks_host ? LobbyReason::awaiting_host : LobbyReason::none;
        case LobbyReason::awaiting_host:
            return lacks_host ? reason : LobbyReason::none;
        case LobbyReason::held:
        case LobbyReason::none:
            return reason;
    }
    return reason;
}

namespace {

struct Allowed {
    const Standing& who;

    bool host() const { return who.admin || (who.state == State::in_room && who.role == Role::host); }
    bool host_or(Right right) const {
        return host() || (who.state == State::in_room && who.grants.contains(right));
    }
    bool delegated_on_target(Right right) const {
        return host() || (host_or(right) && (who.target_is_guest || who.self));
    }
    bool in_room_self() const { return who.self && who.state == State::in_room; }

    bool operator()(const SetLock&) const {
        return host() || (who.state == State::in_room && !who.room_has_host_pin);
    }
    bool operator()(const SetRoomLayout&) const { return host_or(Right::layout); }
    bool operator()(const SetSpotlight&) const { return host_or(Right::layout); }
    bool operator()(const MuteGuests&) const { return host_or(Right::mute); }
    bool operator()(const MuteNewcomers&) const { return host_or(Right::mute); }
    bool operator()(const AllowChat&) const { return host(); }
    bool operator()(const Say&) const { return host() || (who.state == State::in_room && who.chat_allowed); }
    bool operator()(const SetMute&) const { return delegated_on_target(Right::mute); }
    bool operator()(const Admit&) const { return host_or(Right::admit); }
    bool operator()(const AdmitAll&) const { return host_or(Right::admit); }
    bool operator()(const RefuseWaiting&) const { return host_or(Right::admit); }
    bool operator()(const SetRecording&) const { return host_or(Right::record); }
    bool operator()(const EndRoom&) const { return host(); }
    bool operator()(const DialOut&) const { return host(); }
    bool operator()(const Hold&) const { return host(); }
    bool operator()(const Remove&) const { return host(); }
    bool operator()(const SetRole&) const { return host(); }
    bool operator()(const Rename&) const { return host(); }
    bool operator()(const Grant&) const { return host(); }
    // Rule 16: another's own mute cannot be set, only asked to be lifted.
    bool operator()(const SetSelfMute& action) const {
        if (who.self) {
            return who.state == State::in_room || who.state == State::lobby;
        }
        return !action.muted && delegated_on_target(Right::mute);
    }
    bool operator()(const SetHand& action) const { return in_room_self() || (!action.raised && host()); }
    bool operator()(const SetSharing& action) const { return in_room_self() || (!action.sharing && host()); }
};

struct Name {
    const char* operator()(const SetLock& a) const { return a.locked ? "lock" : "unlock"; }
    const char* operator()(const SetRoomLayout&) const { return "layout"; }
    const char* operator()(const MuteGuests& a) const { return a.muted ? "mute_guests" : "unmute_guests"; }
    const char* operator()(const MuteNewcomers&) const { return "mute_newcomers"; }
    const char* operator()(const AllowChat& a) const { return a.allowed ? "allow_chat" : "forbid_chat"; }
    const char* operator()(const Say&) const { return "say"; }
    const char* operator()(const AdmitAll&) const { return "admit_all"; }
    const char* operator()(const EndRoom&) const { return "end_room"; }
    const char* operator()(const SetRecording& a) const { return a.recording ? "record" : "stop_record"; }
    const char* operator()(const DialOut&) const { return "dial_out"; }
    const char* operator()(const Admit&) const { return "admit"; }
    const char* operator()(const RefuseWaiting&) const { return "refuse"; }
    const char* operator()(const Hold&) const { return "hold"; }
    const char* operator()(const Remove&) const { return "remove"; }
    const char* operator()(const SetMute& a) const { return a.muted ? "mute" : "unmute"; }
    const char* operator()(const SetSelfMute& a) const { return a.muted ? "self_mute" : "self_unmute"; }
    const char* operator()(const SetRole& a) const { return a.role == Role::host ? "promote" : "demote"; }
    const char* operator()(const SetHand& a) const { return a.raised ? "raise_hand" : "lower_hand"; }
    const char* operator()(const SetSpotlight&) const { return "spotlight"; }
    const char* operator()(const SetSharing& a) const { return a.sharing ? "share" : "stop_share"; }
    const char* operator()(const Rename&) const { return "rename"; }
    const char* operator()(const Grant& a) const { return a.granted ? "grant" : "revoke"; }
};

}  // namespace

bool may(const Standing& standing, const ActionKind& action) {
    return std::visit(Allowed{standing}, action);
}

const char* action_name(const ActionKind& action) {
    return std::visit(Name{}, action);
}

const ParticipantId* target_of(const ActionKind& action) {
    return std::visit(
        [](const auto& kind) -> const ParticipantId* {
            if constexpr (requires { kind.target; }) {
                return &kind.target;
            } else {
                return nullptr;
            }
        },
        action);
}

bool counts_as_encrypted(const CryptoReceipt& receipt, unsigned floor_bits) {
    if (receipt.key_exchange.empty() || receipt.suite.empty() || receipt.key_bits == 0) {
        return false;
    }
    if (receipt.key_exchange == "SDES" && receipt.signalling.empty()) {
        return false;  // rule 21: the keys were there for all to read
    }
    return receipt.key_bits >= floor_bits;
}

bool is_weaker(const CryptoReceipt& one, const CryptoReceipt& other) {
    const auto strength = [](const CryptoReceipt& receipt) {
        return std::pair(counts_as_encrypted(receipt, 0), receipt.key_bits);
    };
    return strength(one) < strength(other);
}

}  // namespace vmr::room
