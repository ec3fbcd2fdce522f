// What people do, from the page, the API and phone keys alike.
#include "base/utf8.hpp"
#include "daemon/room/core.hpp"

namespace vmr::room {
namespace {

constexpr std::size_t kMaxName = 128;

const char* refusal_of(const Standing& standing, const ActionKind& kind) {
    if (!std::holds_alternative<Say>(kind)) {
        return "only a host may do this";
    }
    return standing.state == State::in_room ? "chat is off for guests" : "not in the room yet";
}

// Which actions change nothing that matters to an auditor.
bool is_small(const ActionKind& kind) {
    return std::holds_alternative<SetSelfMute>(kind) || std::holds_alternative<SetHand>(kind) ||
           std::holds_alternative<SetSharing>(kind) || std::holds_alternative<Say>(kind);
}

}  // namespace

void Core::on(const Action& action) {
    const Result result = act(action.actor, action.kind);
    if (action.request != 0) {
        emit(ActionDone{action.request, result.outcome, result.reason});
    }
}

Core::Result Core::act(const Actor& actor, const ActionKind& kind) {
    Standing standing;
    standing.admin = actor.admin;
    standing.room_has_host_pin = config.has_host_pin();
    standing.chat_allowed = chat_allowed_;
    std::string source = actor.source;
    if (!actor.admin) {
        const Seat* seat = find(actor.participant);
        if (seat == nullptr) {
            return {Outcome::not_found, "the one who acts is not in this room"};
        }
        standing.state = seat->p.state;
        standing.role = seat->p.role;
        standing.grants = seat->p.grants;
        source = PinThrottle::source_name(seat->p.address, seat->p.trunk);
    }
    const ParticipantId* target = target_of(kind);
    if (target != nullptr) {
        const Seat* seat = find(*target);
        standing.self = !actor.admin && *target == actor.participant;
        standing.target_is_guest = seat == nullptr || seat->p.role == Role::guest;
    }
    acting_ = actor.admin ? "admin" : actor.participant;
    end_cause_ = actor.admin ? Cause::ended_by_admin : Cause::ended_by_host;
    Result result;
    if (!may(standing, kind)) {
        result = {Outcome::not_allowed, refusal_of(standing, kind)};
    } else if (target != nullptr && find(*target) == nullptr) {
        result = {Outcome::not_found, "no such participant"};
    } else {
        result = std::visit([this](const auto& one) { return apply(one); }, kind);
    }
    if (!is_small(kind)) {
        std::string about = target != nullptr ? *target : std::string();
        if (const auto* grant = std::get_if<Grant>(&kind)) {
            about += std::string(" ") + to_string(grant->right);
        } else if (const auto* call = std::get_if<DialOut>(&kind)) {
            about = without_controls(cut_utf8(call->address, kMaxName));
        }
        audit(actor.name(), source, action_name(kind), about,
              result.outcome == Outcome::done ? "ok" : to_string(result.outcome));
    }
    return result;
}

Core::Result Core::apply(const SetLock& action) {
    if (action.locked && count(State::in_room) == 0) {
        return {Outcome::conflict, "an empty room cannot be locked"};
    }
    if (locked_ != action.locked) {
        locked_ = action.locked;
        say(Audience::everyone, {}, locked_ ? Prompt::locked : Prompt::unlocked);
    }
    return {};
}

Core::Result Core::apply(const SetRoomLayout& action) {
    if (layout_ != action.layout) {
        layout_ = action.layout;
        emit(SetLayout{layout_});
        say(Audience::everyone, {}, Prompt::layout_changed, {{"layout", to_string(layout_)}}, false);
    }
    return {};
}

void Core::set_host_mute(Seat& seat, bool muted) {
    if (seat.p.muted == muted) {
        return;
    }
    seat.p.muted = muted;
    touch(seat);
    sync_mute(seat);
    if (seat.in_room()) {
        tell(seat, muted ? Prompt::you_are_muted : Prompt::you_are_unmuted, {{"by", "host"}});
    }
}

Core::Result Core::apply(const MuteGuests& action) {
    for (auto& [id, seat] : seats) {
        if (seat.p.role == Role::guest && (seat.in_room() || seat.in_lobby())) {
            set_host_mute(seat, action.muted);
        }
    }
    if (muted_guests_ != action.muted) {
        muted_guests_ = action.muted;
        say(Audience::hosts, {}, muted_guests_ ? Prompt::guests_muted : Prompt::guests_unmuted);
    }
    return {};
}

Core::Result Core::apply(const MuteNewcomers& action) {
    if (mute_newcomers_ != action.muted) {
        mute_newcomers_ = action.muted;
        say(Audience::hosts, {}, mute_newcomers_ ? Prompt::newcomers_muted : Prompt::newcomers_unmuted);
    }
    return {};
}

Core::Result Core::apply(const SetMute& action) {
    Seat& seat = *find(action.target);
    if (!seat.in_room() && !seat.in_lobby()) {
        return {Outcome::conflict, "not in the room yet"};
    }
    set_host_mute(seat, action.muted);
    return {};
}

Core::Result Core::apply(const SetSelfMute& action) {
    Seat& seat = *find(action.target);
    if (acting_ != action.target) {  // rule 16: ask, no more
        if (seat.in_room() && seat.p.self_muted) {
            tell(seat, Prompt::please_unmute, {{"participant", acting_}});
        }
        return {};
    }
    if (seat.p.self_muted != action.muted) {
        seat.p.self_muted = action.muted;
        touch(seat);
        sync_mute(seat);
        tell(seat, action.muted ? Prompt::you_are_muted : Prompt::you_are_unmuted, {{"by", "self"}});
    }
    return {};
}

Core::Result Core::apply(const AdmitAll&) {
    for (const Seat* waiting : by_arrival()) {
        if (waiting->in_lobby() && waiting->p.lobby_reason != LobbyReason::held) {
            if (apply(Admit{waiting->p.id}).outcome != Outcome::done) {
                return {Outcome::conflict, "the room is full"};
            }
        }
    }
    return {};
}

Core::Result Core::apply(const Admit& action) {
    Seat& seat = *find(action.target);
    if (!seat.in_lobby()) {
        return {Outcome::conflict, "does not wait"};
    }
    if (count(State::in_room) >= config.max_participants) {
        return {Outcome::conflict, "the room is full"};
    }
    enter(seat);
    return {};
}

Core::Result Core::apply(const RefuseWaiting& action) {
    Seat& seat = *find(action.target);
    if (!seat.in_lobby()) {
        return {Outcome::conflict, "does not wait"};
    }
    leave(seat, Cause::refused, true, Prompt::refused);
    return {};
}

Core::Result Core::apply(const Hold& action) {
    Seat& seat = *find(action.target);
    if (!seat.in_room() && !seat.in_lobby()) {
        return {Outcome::conflict, "not in the room"};
    }
    if (is_last_host(seat)) {
        return {Outcome::conflict, "the last host cannot be moved to the lobby"};
    }
    if (seat.p.lobby_reason != LobbyReason::held) {
        wait(seat, LobbyReason::held);
    }
    return {};
}

Core::Result Core::apply(const Remove& action) {
    leave(*find(action.target), Cause::removed, true, Prompt::removed);
    return {};
}

Core::Result Core::apply(const SetRole& action) {
    Seat& seat = *find(action.target);
    if (!seat.in_room() && !seat.in_lobby()) {
        return {Outcome::conflict, "not in the room yet"};
    }
    if (seat.p.role == action.role) {
        return {};
    }
    if (action.role == Role::guest && is_last_host(seat)) {
        return {Outcome::conflict, "the last host cannot be demoted"};
    }
    seat.p.role = action.role;
    seat.p.grants.clear();  // a host has them all; who was one has none
    if (action.role == Role::guest) {
        seat.p.by_host_pin = seat.p.trusted_host = false;
    }
    touch(seat);
    tell(seat, action.role == Role::host ? Prompt::you_are_host : Prompt::you_are_guest);
    return {};
}

Core::Result Core::apply(const SetHand& action) {
    Seat& seat = *find(action.target);
    if (seat.p.hand != action.raised) {
        seat.p.hand = action.raised;
        touch(seat);
        tell(seat, action.raised ? Prompt::hand_up : Prompt::hand_down);
        if (action.raised) {
            say(Audience::hosts, {}, Prompt::hand_raised, {{"name", seat.p.name}, {"participant", seat.p.id}},
                sound_allowed(Prompt::hand_raised));
        }
    }
    return {};
}

Core::Result Core::apply(const SetSpotlight& action) {
    Seat& seat = *find(action.target);
    if (!seat.in_room()) {
        return {Outcome::conflict, "not in the room"};
    }
    if (seat.p.spotlight != action.on) {
        seat.p.spotlight = action.on;
        touch(seat);
        sync_spotlight();
    }
    return {};
}

Core::Result Core::apply(const SetSharing& action) {
    Seat& seat = *find(action.target);
    if (action.sharing) {  // one at a time: the latest takes over
        for (auto& [id, other] : seats) {
            if (other.p.sharing && id != action.target) {
                other.p.sharing = false;
                touch(other);
            }
        }
    }
    if (seat.p.sharing != action.sharing) {
        seat.p.sharing = action.sharing;
        touch(seat);
    }
    return {};
}

Core::Result Core::apply(const Rename& action) {
    if (action.name.empty() || action.name.size() > kMaxName ||
        without_controls(action.name) != action.name) {
        return {Outcome::invalid, "a name has 1 to 128 bytes and no control characters"};
    }
    Seat& seat = *find(action.target);
    seat.p.name = action.name;
    touch(seat);
    return {};
}

Core::Result Core::apply(const Grant& action) {
    Seat& seat = *find(action.target);
    if (!seat.in_room() || seat.p.role == Role::host) {
        return {Outcome::conflict, "rights are granted to guests in the room"};
    }
    const bool changed =
        action.granted ? seat.p.grants.insert(action.right).second : seat.p.grants.erase(action.right) > 0;
    if (changed) {
        touch(seat);
        tell(seat, action.granted ? Prompt::right_granted : Prompt::right_revoked,
             {{"right", to_string(action.right)}});
    }
    return {};
}

Core::Result Core::apply(const SetRecording& action) {
    if (!config.can_record) {
        return {Outcome::conflict, "recording is not available"};
    }
    if (action.recording == recording_) {
        return {};
    }
    if (action.recording && count(State::in_room) == 0) {
        return {Outcome::conflict, "the room is empty"};
    }
    recording_ = action.recording;
    if (recording_) {
        emit(StartRecording{});
    } else {
        emit(StopRecording{});
    }
    say(Audience::everyone, {}, recording_ ? Prompt::recording_started : Prompt::recording_stopped);
    return {};
}

Core::Result Core::apply(const EndRoom&) {
    end_meeting(end_cause_);
    return {};
}

}  // namespace vmr::room
