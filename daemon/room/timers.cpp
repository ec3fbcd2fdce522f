// Everything that happens by itself.
#include <algorithm>

#include "daemon/room/core.hpp"

namespace vmr::room {
namespace {

void earliest(std::optional<TimePoint>& best, TimePoint candidate) {
    if (!best || candidate < *best) {
        best = candidate;
    }
}

}  // namespace

std::optional<TimePoint> Core::next_deadline() const {
    std::optional<TimePoint> best;
    for (const auto& [id, seat] : seats) {
        if (const auto at = seat_deadline(seat)) {
            earliest(best, *at);
        }
    }
    if (const auto room = room_deadline()) {
        earliest(best, room->first);
    }
    if (const auto warning = next_warning()) {
        earliest(best, warning->first);
    }
    return best;
}

std::optional<TimePoint> Core::seat_deadline(const Seat& seat) const {
    if (!seat.p.connected) {
        return seat.dropped_at + config.reconnect_grace;
    }
    switch (seat.p.state) {
        case State::connecting:
            return seat.deadline;
        case State::pin:
            return seat.pin.step == PinCheck::Step::idle ? std::min(seat.deadline, seat.give_up)
                                                         : std::min(seat.pin.at, seat.give_up);
        case State::lobby:
            return std::min(seat.next_prompt, seat.waiting_since + config.lobby_timeout);
        default:
            return std::nullopt;
    }
}

// The first of what ends the meeting, or moves the guests to the lobby (host_absent).
std::optional<std::pair<TimePoint, Cause>> Core::room_deadline() const {
    std::optional<std::pair<TimePoint, Cause>> best;
    const auto consider = [&best](std::optional<TimePoint> from, Duration after, Cause cause) {
        if (from && (!best || *from + after < best->first)) {
            best = {*from + after, cause};
        }
    };
    consider(host_absent_until_, Duration{0}, Cause::host_absent);
    if (config.no_media_timeout > Duration{0}) {
        consider(silent_since_, config.no_media_timeout, Cause::no_media);
    }
    if (config.max_duration > Duration{0}) {
        consider(started_at_, config.max_duration, Cause::max_duration);
    }
    if (config.lone_timeout > Duration{0}) {
        consider(lone_since_, config.lone_timeout, Cause::lone_timeout);
    }
    return best;
}

// When to say how many minutes are left of the longest time a meeting may take, and how many.
std::optional<std::pair<TimePoint, unsigned>> Core::next_warning() const {
    if (!started_at_ || config.max_duration <= Duration{0}) {
        return std::nullopt;
    }
    for (const unsigned minutes : {5U, 1U}) {
        const Duration left = std::chrono::minutes(minutes);
        if (config.max_duration > 2 * left && (!minutes_said_ || minutes < *minutes_said_)) {
            return std::pair(*started_at_ + config.max_duration - left, minutes);
        }
    }
    return std::nullopt;
}

bool Core::warn() {
    const auto due = next_warning();
    if (!due || due->first > now_) {
        return false;
    }
    minutes_said_ = due->second;
    say(Audience::everyone, {}, Prompt::minutes_left, {{"minutes", std::to_string(due->second)}});
    return true;
}

void Core::expire() {
    while (expire_seats() || expire_room() || warn()) {
        settle();
    }
}

bool Core::expire_seats() {
    bool any = false;
    std::vector<ParticipantId> due;
    for (const Seat* seat : by_arrival()) {
        const auto at = seat_deadline(*seat);
        if (at && *at <= now_) {
            due.push_back(seat->p.id);
        }
    }
    for (const ParticipantId& id : due) {
        if (Seat* seat = find(id)) {
            any = expire_seat(*seat) || any;
        }
    }
    return any;
}

bool Core::expire_seat(Seat& seat) {
    if (!seat.p.connected) {
        leave(seat, Cause::reconnect_timeout, true);
        return true;
    }
    if (seat.p.state == State::connecting) {
        leave(seat, seat.p.invited ? Cause::not_answered : Cause::network, true);
        return true;
    }
    if (seat.in_lobby()) {
        if (seat.waiting_since + config.lobby_timeout <= now_) {
            leave(seat, Cause::lobby_timeout, true, Prompt::lobby_timeout);
        } else {
            seat.next_prompt = now_ + kWaitPromptEvery;
            announce_wait_prompt(seat);
        }
        return true;
    }
    const bool gave_up = seat.give_up <= now_;
    switch (seat.pin.step) {
        case PinCheck::Step::idle:
            audit_pin(seat, "timeout");
            leave(seat, Cause::pin_timeout, true, Prompt::pin_timeout);
            break;
        case PinCheck::Step::queued:
            if (gave_up) {
                leave(seat, Cause::throttled, true, Prompt::pin_timeout);
            } else {
                try_to_verify(seat);
            }
            break;
        case PinCheck::Step::verifying:  // the worker never answered: fail closed
            audit_pin(seat, "error");
            leave(seat, Cause::error, true);
            break;
        case PinCheck::Step::delayed:
            answer_entry(seat);
            break;
    }
    return true;
}

bool Core::expire_room() {
    const auto due = room_deadline();
    if (!due || due->first > now_) {
        return false;
    }
    if (due->second == Cause::host_absent && config.host_absence == HostAbsence::rehold) {
        host_absent_until_.reset();
        for (const Seat* seat : by_arrival()) {
            if (seat->in_room()) {
                wait(*find(seat->p.id), LobbyReason::awaiting_host);
            }
        }
        return true;
    }
    if (due->second == Cause::lone_timeout) {
        for (const Seat* seat : by_arrival()) {
            if (seat->in_room()) {
                lone_since_.reset();
                leave(*find(seat->p.id), Cause::lone_timeout, true, Prompt::lone_timeout);
                return true;
            }
        }
    }
    end_meeting(due->second);
    return true;
}

// Since when nobody sends media, and since when somebody is alone.
void Core::watch_media_and_company() {
    bool anyone = false;
    bool media = false;
    for (const auto& [id, seat] : seats) {
        if (seat.p.state != State::connecting) {
            anyone = true;
            media = media || seat.media;
        }
    }
    if (!anyone || media) {
        silent_since_.reset();
    } else if (!silent_since_) {
        silent_since_ = now_;
    }
    const bool lone = count(State::in_room) == 1 && count(State::lobby) == 0;
    if (!lone) {
        lone_since_.reset();
    } else if (!lone_since_) {
        lone_since_ = now_;
    }
}

}  // namespace vmr::room
