// Phone keys: the same actions as the page's, with the same rights.
#include "daemon/room/core.hpp"

namespace vmr::room {
namespace {

Layout next_layout(Layout layout) {
    switch (layout) {
        case Layout::speaker:
            return Layout::equal;
        case Layout::equal:
            return Layout::single;
        case Layout::single:
            return Layout::content;
        case Layout::content:
            return Layout::speaker;
    }
    return Layout::speaker;
}

std::string name_of(const Participant& p) {
    return p.name.empty() ? p.address : p.name;
}

}  // namespace

void Core::on(const Key& event) {
    Seat* seat = find(event.id);
    if (seat == nullptr || !(seat->in_room() || seat->in_lobby())) {
        return;
    }
    const auto press = seat->keys.press(event.key, now_);
    if (!press) {
        return;
    }
    const bool always = press->command == KeyCommand::self_mute || press->command == KeyCommand::help;
    if (seat->in_room() || always) {
        run_key(*seat, *press);
    } else {
        tell(*seat, Prompt::not_allowed);
    }
}

// Does what the key asks, and says so; `done` where the action itself says nothing to who pressed it.
void Core::act_by_key(Seat& seat, const ActionKind& action, std::optional<Prompt> done) {
    const ParticipantId id = seat.p.id;
    const Result result = act(Actor::of(id), action);
    Seat* still = find(id);
    if (still == nullptr) {
        return;
    }
    if (result.outcome != Outcome::done) {
        tell(*still, Prompt::not_allowed, {{"reason", result.reason}});
    } else if (done) {
        tell(*still, *done);
    }
}

void Core::run_key(Seat& seat, const KeyPress& press) {
    const bool host = seat.p.role == Role::host;
    switch (press.command) {
        case KeyCommand::hand:
            act_by_key(seat, SetHand{seat.p.id, !seat.p.hand});
            break;
        case KeyCommand::mute_guests:
            act_by_key(seat, MuteGuests{!muted_guests_},
                       host ? std::nullopt
                            : std::optional(muted_guests_ ? Prompt::guests_unmuted : Prompt::guests_muted));
            break;
        case KeyCommand::self_mute:
            act_by_key(seat, SetSelfMute{seat.p.id, !seat.p.self_muted});
            break;
        case KeyCommand::lock:
            act_by_key(seat, SetLock{!locked_});
            break;
        case KeyCommand::layout:
            act_by_key(seat, SetRoomLayout{next_layout(layout_)}, Prompt::done);
            break;
        case KeyCommand::help:
            tell(seat, Prompt::keys_help, {{"role", to_string(seat.p.role)}});
            break;
        case KeyCommand::who_waits:
            if (!host && !seat.p.grants.contains(Right::admit)) {
                tell(seat, Prompt::not_allowed);
                break;
            }
            seat.listed.clear();
            list_waiting(seat);
            break;
        case KeyCommand::who_is_here:
            if (!host) {
                tell(seat, Prompt::not_allowed);
                break;
            }
            seat.listed.clear();
            seat.keys.open(KeyPad::List::people, now_);
            tell(seat, Prompt::room_item);
            break;
        case KeyCommand::ask_end:
            if (host) {
                tell(seat, Prompt::confirm_end);
            } else {
                seat.keys.reset();
                tell(seat, Prompt::not_allowed);
            }
            break;
        case KeyCommand::end:
            act_by_key(seat, EndRoom{});
            break;
        case KeyCommand::cancel_end:
            tell(seat, Prompt::cancelled);
            break;
        case KeyCommand::list_admit:
        case KeyCommand::list_refuse:
        case KeyCommand::list_next:
            run_list_key(seat, press);
            break;
        case KeyCommand::word:
            run_word(seat, press.digit);
            break;
    }
}

// The next one in the lobby after the current item, in the order of arrival.
void Core::list_waiting(Seat& seat) {
    const Seat* current = find(seat.listed);
    const std::uint64_t after = current != nullptr ? current->order : 0;
    for (const Seat* other : by_arrival()) {
        if (other->in_lobby() && other->order > after) {
            seat.listed = other->p.id;
            seat.keys.open(KeyPad::List::waiting, now_);
            tell(seat, Prompt::waiting_item,
                 {{"name", name_of(other->p)},
                  {"participant", other->p.id},
                  {"reason", to_string(other->p.lobby_reason)}});
            return;
        }
    }
    seat.listed.clear();
    seat.keys.open(KeyPad::List::none, now_);
    tell(seat, Prompt::nobody_waits);
}

void Core::list_people(Seat& seat) {
    const Seat* current = find(seat.listed);
    const std::uint64_t after = current != nullptr ? current->order : 0;
    seat.keys.open(KeyPad::List::people, now_);
    for (const Seat* other : by_arrival()) {
        if (other->in_room() && other->order > after && other->p.id != seat.p.id) {
            seat.listed = other->p.id;
            tell(seat, Prompt::person_item,
                 {{"name", name_of(other->p)},
                  {"participant", other->p.id},
                  {"role", to_string(other->p.role)}});
            return;
        }
    }
    seat.listed.clear();
    tell(seat, Prompt::room_item);
}

void Core::run_list_key(Seat& seat, const KeyPress& press) {
    if (seat.keys.list(now_) == KeyPad::List::people) {
        list_people(seat);
        return;
    }
    const ParticipantId id = seat.p.id;
    const ParticipantId target = seat.listed;
    if (press.command != KeyCommand::list_next && !target.empty()) {
        // The next one is sought before this one's seat may be gone.
        const Seat* current = find(target);
        const std::uint64_t order = current != nullptr ? current->order : 0;
        if (press.command == KeyCommand::list_admit) {
            act_by_key(seat, Admit{target}, Prompt::admitted);
        } else {
            act_by_key(seat, RefuseWaiting{target}, Prompt::refused);
        }
        seat.listed.clear();
        for (const Seat* other : by_arrival()) {
            if (other->order < order) {
                seat.listed = other->p.id;  // go on after whoever stood before
            }
        }
    }
    list_waiting(*find(id));
}

// The keys of **1. The room: 1 and 4 record, 5 mute newcomers, 6 admit all.
// A person: 1 and 4 mute, 5 to the lobby, 6 remove, 7 host or guest, 8 spotlight, 9 lower the hand, 0 ask to
// unmute.
void Core::run_word(Seat& seat, char digit) {
    if (seat.listed.empty()) {
        switch (digit) {
            case '4':
                act_by_key(seat, SetRecording{!recording_});
                return;
            case '5':
                act_by_key(seat, MuteNewcomers{!mute_newcomers_});
                return;
            case '6':
                act_by_key(seat, AdmitAll{}, Prompt::done);
                return;
            default:
                tell(seat, Prompt::room_item);
                return;
        }
    }
    const Seat* person = find(seat.listed);
    if (person == nullptr || !person->in_room()) {
        list_people(seat);  // gone meanwhile: never the next one instead
        return;
    }
    const ParticipantId target = seat.listed;
    switch (digit) {
        case '4':
            act_by_key(seat, SetMute{target, !person->p.muted}, Prompt::done);
            return;
        case '5':
            act_by_key(seat, Hold{target}, Prompt::done);
            return;
        case '6':
            act_by_key(seat, Remove{target}, Prompt::done);
            return;
        case '7':
            act_by_key(seat, SetRole{target, person->p.role == Role::host ? Role::guest : Role::host},
                       Prompt::done);
            return;
        case '8':
            act_by_key(seat, SetSpotlight{target, !person->p.spotlight}, Prompt::done);
            return;
        case '9':
            act_by_key(seat, SetHand{target, false}, Prompt::done);
            return;
        case '0':
            act_by_key(seat, SetSelfMute{target, false}, Prompt::done);
            return;
        default:
            return;
    }
}

}  // namespace vmr::room
