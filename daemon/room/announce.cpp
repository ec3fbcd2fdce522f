// What is said, to whom, and how often (rules 10, 12, 18, 21).
#include "daemon/room/core.hpp"

namespace vmr::room {
namespace {

constexpr Duration kSoundEvery = std::chrono::seconds(3);
constexpr std::size_t kQuietAbove = 20;  // participants: no join and leave sounds in larger rooms

}  // namespace

void Core::say(Audience audience, const ParticipantId& to, Prompt prompt,
               std::map<std::string, std::string> params, bool sound) {
    if (audience != Audience::one && count(State::in_room) == 0) {
        return;  // nobody there to hear it
    }
    emit(Announce{audience, to, prompt, std::move(params), sound});
}

void Core::tell(const Seat& to, Prompt prompt, std::map<std::string, std::string> params) {
    say(Audience::one, to.p.id, prompt, std::move(params));
}

// Whether this prompt may sound again yet. Joins and leaves share one limit.
bool Core::sound_allowed(Prompt prompt) {
    const Prompt key = prompt == Prompt::left_room ? Prompt::joined : prompt;
    const auto last = last_sound_.find(key);
    if (last != last_sound_.end() && now_ < last->second + kSoundEvery) {
        return false;
    }
    last_sound_[key] = now_;
    return true;
}

void Core::announce_coming(const Seat& seat, Prompt prompt) {
    const bool small = count(State::in_room) <= kQuietAbove;
    say(Audience::everyone, {}, prompt, {{"name", seat.p.name}, {"participant", seat.p.id}},
        small && sound_allowed(prompt));
}

// Rule 12: to hosts, and to whom a host has given the right to admit.
void Core::announce_waiting(const Seat& waiting) {
    const std::string who = waiting.p.name.empty() ? waiting.p.address : waiting.p.name;
    const std::map<std::string, std::string> params{{"name", who}, {"participant", waiting.p.id}};
    const bool sound = sound_allowed(Prompt::waiting);
    say(Audience::hosts, {}, Prompt::waiting, params, sound);
    for (const Seat* seat : by_arrival()) {
        if (seat->in_room() && seat->p.role == Role::guest && seat->p.grants.contains(Right::admit)) {
            say(Audience::one, seat->p.id, Prompt::waiting, params, sound);
        }
    }
}

void Core::announce_wait_prompt(Seat& seat) {
    const LobbyReason reason = seat.p.lobby_reason;
    tell(seat, reason == LobbyReason::locked ? Prompt::waiting_locked
               : reason == LobbyReason::held ? Prompt::waiting_held
                                             : Prompt::awaiting_host);
}

// Rule 21: everyone sees the struck padlock; each hears of it once, however often it comes and goes.
void Core::announce_encryption(bool unencrypted) {
    if (was_unencrypted_ && !unencrypted) {
        say(Audience::everyone, {}, Prompt::encrypted_again);
    }
    if (!unencrypted) {
        return;
    }
    const bool news = !was_unencrypted_;
    if (news) {
        say(Audience::everyone, {}, Prompt::unencrypted, {}, false);
    }
    for (auto& [id, seat] : seats) {
        if (seat.in_room() && !seat.heard_unencrypted) {
            seat.heard_unencrypted = true;
            tell(seat, Prompt::unencrypted);
        }
    }
}

void Core::audit(const std::string& actor, const std::string& source, const std::string& what,
                 const std::string& target, const std::string& result) {
    emit(Audit{now_, actor, source, what, target, result});
}

}  // namespace vmr::room
