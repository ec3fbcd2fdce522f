// Into the room, to the lobby, out of it; and the record that each leg leaves.
#include <algorithm>

#include "daemon/room/core.hpp"

namespace vmr::room {
namespace {

constexpr std::size_t kMaxSpans = 64;

GateReason gate_reason(const Seat& seat) {
    if (seat.p.state == State::left) {
        return GateReason::left;
    }
    if (!seat.p.connected) {
        return GateReason::reconnecting;
    }
    switch (seat.p.state) {
        case State::pin:
            return GateReason::pin;
        case State::lobby:
            return seat.p.lobby_reason == LobbyReason::held     ? GateReason::held
                   : seat.p.lobby_reason == LobbyReason::locked ? GateReason::locked
                                                                : GateReason::awaiting_host;
        default:
            return GateReason::connecting;
    }
}

}  // namespace

Door Core::door_of(const Seat& seat) const {
    return {.role = seat.p.role,
            .passes_lock =
                seat.p.invited || (seat.p.role == Role::host && (seat.p.by_host_pin || seat.p.trusted_host)),
            .locked = locked_,
            .host_present = hosts_in_room() > 0};
}

// From the door, with the role settled: into the room or the lobby.
void Core::seat_in(Seat& seat) {
    const LobbyReason reason = wait_reason(door_of(seat));
    const bool full = reason == LobbyReason::none ? count(State::in_room) >= config.max_participants
                                                  : count(State::lobby) >= config.max_waiting;
    if (full) {
        leave(seat, Cause::room_full, true, Prompt::room_full);
    } else if (reason == LobbyReason::none) {
        enter(seat);
    } else {
        wait(seat, reason);
    }
}

void Core::enter(Seat& seat) {
    if (!seat.p.joined_at) {
        seat.p.joined_at = now_;
        if (seat.p.role == Role::guest && (mute_newcomers_ || muted_guests_)) {
            seat.p.muted = true;
        }
    }
    if (!started_at_) {
        started_at_ = now_;
    }
    seat.record.admitted = true;
    sync_mute(seat);  // before the gate opens: who enters muted is not heard for one sample
    advance(seat, State::in_room, LobbyReason::none);
    announce_coming(seat, Prompt::joined);
    if (seat.p.muted) {
        tell(seat, Prompt::you_are_muted, {{"by", "host"}});
    }
    if (recording_) {
        tell(seat, Prompt::being_recorded);
    }
    const auto waiting = std::count_if(seats.begin(), seats.end(), [](const auto& entry) {
        return entry.second.in_lobby() && entry.second.p.lobby_reason == LobbyReason::locked;
    });
    if (seat.p.role == Role::host && waiting > 0) {
        tell(seat, Prompt::waiting, {{"count", std::to_string(waiting)}});
    }
}

void Core::wait(Seat& seat, LobbyReason reason) {
    if (!seat.in_lobby()) {
        seat.waiting_since = now_;
        seat.p.talking = false;
        talking_.erase(seat.p.id);
        seat.p.hand = seat.p.sharing = seat.p.spotlight = false;
        seat.keys.reset();
    }
    const bool announced = seat.p.lobby_reason == LobbyReason::locked;
    advance(seat, State::lobby, reason);
    sync_spotlight();
    seat.next_prompt = now_ + kWaitPromptEvery;
    announce_wait_prompt(seat);
    if (reason == LobbyReason::locked && !announced) {
        announce_waiting(seat);
    }
}

void Core::advance(Seat& seat, State state, LobbyReason reason) {
    close_span(seat);
    seat.p.state = state;
    seat.p.lobby_reason = reason;
    if (seat.record.states.size() < kMaxSpans) {
        seat.record.states.push_back({state, reason, now_});
    }
    sync_gate(seat);
    touch(seat);
}

void Core::close_span(Seat& seat) {
    const Duration span = now_ - seat.span_start;
    if (seat.in_lobby()) {
        seat.record.lobby_time += span;
    } else if (seat.in_room()) {
        seat.record.room_time += span;
    }
    seat.span_start = now_;
}

void Core::sync_gate(Seat& seat) {
    const bool open = seat.in_room() && seat.p.connected;
    if (open) {
        if (!seat.gate_open) {
            seat.gate_open = true;
            seat.gate_reason.reset();
            emit(OpenGate{seat.p.id});
        }
        return;
    }
    const GateReason reason = gate_reason(seat);
    if (seat.gate_open || seat.gate_reason != reason) {
        seat.gate_open = false;
        seat.gate_reason = reason;
        emit(CloseGate{seat.p.id, reason});
    }
}

void Core::sync_mute(Seat& seat) {
    const bool muted = !seat.p.audible();
    if (muted != seat.mixer_muted.value_or(false)) {
        emit(SetMuted{seat.p.id, muted});
    }
    seat.mixer_muted = muted;
}

void Core::sync_spotlight() {
    const auto gone = [this](const ParticipantId& id) {
        const Seat* seat = find(id);
        return seat == nullptr || !seat->in_room() || !seat->p.spotlight;
    };
    std::vector<ParticipantId> kept = spotlight_;
    std::erase_if(kept, gone);
    for (const Seat* seat : by_arrival()) {
        if (seat->p.spotlight && seat->in_room() &&
            std::find(kept.begin(), kept.end(), seat->p.id) == kept.end()) {
            kept.push_back(seat->p.id);
        }
    }
    if (kept != spotlight_) {
        spotlight_ = std::move(kept);
        emit(Spotlight{spotlight_});
    }
}

// The leg's end, whoever wants it. The seat is gone afterwards.
void Core::leave(Seat& gone, Cause cause, bool release, std::optional<Prompt> prompt) {
    const ParticipantId id = gone.p.id;
    const bool was_in_room = gone.in_room();
    if (gone.host_in_room()) {
        host_left_on_purpose_ = cause == Cause::normal || cause == Cause::removed;
        host_last_seen_ = gone.p.connected ? now_ : gone.dropped_at;
    }
    gone.p.talking = gone.p.hand = gone.p.spotlight = gone.p.sharing = false;
    const bool talked = talking_.erase(id) > 0;
    advance(gone, State::left, LobbyReason::none);

    Seat seat = std::move(gone);
    seats.erase(id);
    RecordDraft& record = seat.record;
    record.name = seat.p.name;
    record.role = seat.p.role;
    record.joined_at = seat.p.joined_at;
    record.stop = now_;
    record.cause = cause;
    emit(WriteRecord{std::move(record)});
    if (release) {
        emit(Release{id, cause, prompt});
    }
    emit(ParticipantLeft{seat.p, cause});
    if (was_in_room) {
        announce_coming(seat, Prompt::left_room);
        sync_spotlight();
    }
    if (talked) {
        emit(TalkingChanged{{talking_.begin(), talking_.end()}});
    }
    if (seats.empty() && !meeting_over_) {
        end_meeting(Cause::empty);
    }
}

// Not even answered; it leaves a record all the same (rule 22).
void Core::refuse(const Arrived& arrived, Cause cause) {
    RecordDraft record;
    record.room = config.id;
    record.room_title = config.title;
    record.alias = arrived.alias;
    record.participant = arrived.id;
    record.name = arrived.name;
    record.leg = arrived.leg;
    record.address = arrived.address;
    record.trunk = arrived.trunk;
    record.user_agent = arrived.user_agent;
    record.crypto = arrived.receipt.value_or(CryptoReceipt{});
    record.start = record.stop = now_;
    record.states = {{State::connecting, LobbyReason::none, now_}, {State::left, LobbyReason::none, now_}};
    record.cause = cause;
    audit(arrived.id, PinThrottle::source_name(arrived.address, arrived.trunk), "arrive", config.id,
          to_string(cause));
    emit(WriteRecord{std::move(record)});
    emit(Refuse{arrived.id, cause});
}

void Core::end_meeting(Cause cause) {
    meeting_over_ = true;
    std::vector<ParticipantId> everyone;
    for (const Seat* seat : by_arrival()) {
        everyone.push_back(seat->p.id);
    }
    for (const ParticipantId& id : everyone) {
        leave(*find(id), cause, true, Prompt::meeting_ended);
    }
    if (recording_) {
        recording_ = false;
        emit(StopRecording{});
    }
    emit(RoomEnded{cause});
    reset_meeting();
}

}  // namespace vmr::room
