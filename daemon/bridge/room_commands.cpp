// What the room core decides, carried out on legs, media, API and records.
#include <algorithm>
#include <utility>

#include "base/guard.hpp"
#include "base/main_context.hpp"
#include "daemon/bridge/prompts.hpp"
#include "daemon/bridge/room_host.hpp"
#include "daemon/bridge/room_json.hpp"

namespace vmr::bridge {
namespace {

constexpr std::chrono::hours kBearerLifetime{24};
constexpr unsigned kFarewellMs = 3000;  // for the prompt that says why

struct Farewell {
    std::shared_ptr<Leg> leg;
    EndCause cause;
};

gboolean on_farewell_said(gpointer data) {
    auto* farewell = static_cast<Farewell*>(data);
    guard(nullptr, [&] { farewell->leg->end(farewell->cause); });
    return G_SOURCE_REMOVE;
}

const char* gate_reason(room::GateReason reason) {
    switch (reason) {
        case room::GateReason::awaiting_host:
            return "awaiting-host";
        case room::GateReason::locked:
            return "locked";
        case room::GateReason::held:
            return "held";
        default:
            return "connecting";
    }
}

}  // namespace

void RoomHost::tell(Seat& seat, const char* state, nlohmann::json details) {
    if (seat.leg) {
        seat.leg->notify_state(state, details.dump());
    }
}

void RoomHost::play(Seat& seat, room::Prompt prompt, const std::map<std::string, std::string>& params) {
    if (pipeline_) {
        const Spoken said = spoken(prompt, params, locale());
        pipeline_->say(seat.arrival.leg, {said.recording, said.text, said.language, said.until_key});
    }
}

const std::string& RoomHost::locale() const {
    const std::string& own = room_.config().locale;
    return own.empty() ? services_.prompts.language : own;
}

void RoomHost::pass_pin(Seat& seat) {
    services_.doorstep.leave(seat.arrival.leg);
    if (seat.session && !std::exchange(seat.pin_passed, true)) {
        g_signal_emit_by_name(seat.session->bin().ivr(), "accept");
    }
}

void RoomHost::carry_out(const room::Answer& command) {
    Seat* answered = seat(command.id);
    if (answered == nullptr || !answered->leg) {
        return;
    }
    services_.records.begin(answered->record);
    answered->record_begun = true;
    if (answered->arrival.kind == LegKind::webrtc) {
        const auto bearer = services_.tokens.issue(
            {api::Caller::Kind::participant, room_.config().id, command.id, ""}, kBearerLifetime);
        if (!bearer) {
            answered->leg->refuse(EndCause::overload);
            return;
        }
        tell(*answered, "joined",
             {{"participant", command.id},
              {"room", room_.config().id},
              {"token", bearer->token},
              {"ice_servers", services_.ice_servers(command.id)},
              {"resumed", false}});
    }
    if (answered->answered) {
        call_on_main([this, alive = std::weak_ptr(alive_), id = command.id] {
            if (!alive.expired()) {
                on_media_ready(id);
            }
        });
    } else {
        answered->leg->accept();
    }
}

void RoomHost::carry_out(const room::Refuse& command) {
    if (Seat* refused = seat(command.id); refused != nullptr && refused->leg) {
        const auto leg = refused->leg;
        tell(*refused, "left", {{"cause", room::to_string(command.cause)}});
        leg->refuse(leg_cause(command.cause));
    }
}

void RoomHost::carry_out(const room::AskPin& command) {
    Seat* asked = seat(command.id);
    if (asked == nullptr || !asked->session) {
        return;
    }
    GstElement* ivr = asked->session->bin().ivr();
    g_object_set(ivr, "max-digits", command.max_length, nullptr);
    g_signal_emit_by_name(ivr, "ask", "pin");
    tell(*asked, "pin", {{"attempts_left", command.attempts_left}});
}

void RoomHost::carry_out(const room::VerifyPin& command) {
    const auto on_verified = [this, alive = std::weak_ptr(alive_), id = command.id,
                              ticket = command.ticket](int index) {
        if (!alive.expired()) {
            const auto match = index == 0   ? room::PinMatch::host
                               : index == 1 ? room::PinMatch::guest
                                            : room::PinMatch::none;
            handle(room::PinVerified{id, ticket, match});
        }
    };
    if (!services_.hasher.verify_later(command.digits, {hashes_.host, hashes_.guest}, on_verified)) {
        handle(room::PinVerified{command.id, command.ticket, room::PinMatch::none});
    }
}

void RoomHost::carry_out(const room::AcceptPin& command) {
    if (Seat* accepted = seat(command.id)) {
        pass_pin(*accepted);
    }
}

void RoomHost::carry_out(const room::RejectPin& command) {
    Seat* rejected = seat(command.id);
    if (rejected == nullptr || !rejected->session) {
        return;
    }
    g_signal_emit_by_name(rejected->session->bin().ivr(), "reject", command.attempts_left);
    tell(*rejected, "pin", {{"attempts_left", command.attempts_left}, {"reason", "wrong_pin"}});
}

void RoomHost::carry_out(const room::OpenGate& command) {
    Seat* admitted = seat(command.id);
    if (admitted == nullptr || !admitted->session) {
        return;
    }
    pass_pin(*admitted);
    set_hold(*admitted, false);
    pipeline_->admit(admitted->arrival.leg);
    const room::Participant* participant = room_.find(command.id);
    tell(*admitted, "in_room",
         {{"role", participant != nullptr ? room::to_string(participant->role) : "guest"}});
}

void RoomHost::carry_out(const room::CloseGate& command) {
    Seat* closed = seat(command.id);
    if (closed == nullptr || !closed->session) {
        return;
    }
    pipeline_->dismiss(closed->arrival.leg, gate_reason(command.reason));
    const room::Participant* participant = room_.find(command.id);
    if (participant != nullptr && participant->state == room::State::lobby) {
        pass_pin(*closed);
        set_hold(*closed, participant->lobby_reason == room::LobbyReason::held);
        tell(*closed, "lobby",
             {{"reason", room::to_string(participant->lobby_reason)},
              {"role", room::to_string(participant->role)}});
    }
}

void RoomHost::carry_out(const room::SetMuted& command) {
    if (Seat* muted = seat(command.id); muted != nullptr && pipeline_) {
        pipeline_->set_muted(muted->arrival.leg, command.muted);
    }
}

void RoomHost::carry_out(const room::SetLayout& command) {
    if (pipeline_) {
        pipeline_->set_layout(room::to_string(command.layout));
    }
}

void RoomHost::carry_out(const room::Spotlight& command) {
    if (pipeline_) {
        const Seat* first = command.ids.empty() ? nullptr : seat(command.ids.front());
        pipeline_->set_spotlight(first != nullptr ? first->arrival.leg : "");
    }
}

void RoomHost::carry_out(const room::Announce& command) {
    nlohmann::json data = to_json(command);
    data["to"] = command.audience == room::Audience::one     ? command.id
                 : command.audience == room::Audience::hosts ? "hosts"
                                                             : "everyone";
    services_.events.publish(room_.config().id, "vmr.announcement", std::move(data));
    // Room systems have no page: they read it on the picture.
    const bool room_systems = std::ranges::any_of(
        seats_, [](const auto& entry) { return entry.second->arrival.kind == LegKind::sip; });
    if (command.audience == room::Audience::everyone && room_systems && pipeline_) {
        pipeline_->show_banner(text_of(command));
    }
    if (!command.sound) {
        return;
    }
    for (auto& [id, seat] : seats_) {
        const room::Participant* participant = room_.find(id);
        const bool addressed =
            command.audience == room::Audience::one
                ? id == command.id
                : participant != nullptr && participant->state == room::State::in_room &&
                      (command.audience == room::Audience::everyone || participant->role == room::Role::host);
        // Browsers show the event; who has no page hears it.
        if (addressed && seat->arrival.kind != LegKind::webrtc) {
            play(*seat, command.prompt, command.params);
        }
    }
}

void RoomHost::carry_out(const room::Release& command) {
    Seat* released = seat(command.id);
    if (released == nullptr) {
        return;
    }
    if (!released->leg) {
        unseat_media(*released);
        seats_.erase(command.id);
        return;
    }
    if (pipeline_) {
        pipeline_->dismiss(released->arrival.leg, "connecting");
    }
    if (command.prompt && released->arrival.kind != LegKind::webrtc && !released->rings()) {
        play(*released, *command.prompt, {});
        g_timeout_add_full(G_PRIORITY_DEFAULT, kFarewellMs, on_farewell_said,
                           new Farewell{released->leg, leg_cause(command.cause)},
                           [](gpointer data) { delete static_cast<Farewell*>(data); });
    } else {
        const auto leg = released->leg;
        tell(*released, "left", {{"cause", room::to_string(command.cause)}});
        leg->end(leg_cause(command.cause));
    }
}

// Floor control's request; the core answers before act() returns.
bool RoomHost::share(const room::ParticipantId& id, bool sharing) {
    const auto done = std::make_shared<bool>(false);
    act(room::Actor::of(id), room::SetSharing{id, sharing},
        [done](const api::Response& response) { *done = response.status == 204; });
    return *done;
}

void RoomHost::follow_sharing(const room::Participant& participant) {
    const room::ParticipantId before = sharer_;
    const bool shares = participant.sharing && participant.state == room::State::in_room;
    if (shares || sharer_ == participant.id) {
        sharer_ = shares ? participant.id : "";
    }
    for (const auto& [id, seat] : seats_) {
        if (sharer_ != before || id == participant.id) {
            show_floor(*seat);
        }
    }
}

// Who waits in the lobby is not told what happens in the room.
void RoomHost::show_floor(const Seat& seat) {
    if (!seat.session) {
        return;
    }
    const room::Participant* participant = room_.find(seat.id);
    const bool inside = participant != nullptr && participant->state == room::State::in_room;
    seat.session->set_floor_holder(!inside || sharer_.empty() ? media::FloorHolder::nobody
                                   : sharer_ == seat.id       ? media::FloorHolder::participant
                                                              : media::FloorHolder::other);
}

void RoomHost::carry_out(const room::ParticipantJoined& command) {
    follow_sharing(command.participant);
    conference_changed_ = true;
    services_.events.publish(room_.config().id, "vmr.participant.joined",
                             to_json(command.participant, false));
}

void RoomHost::carry_out(const room::ParticipantChanged& command) {
    conference_changed_ = true;
    note_presence(command.participant);
    if (Seat* changed = seat(command.participant.id); changed != nullptr && pipeline_) {
        pipeline_->set_display_name(changed->arrival.leg, command.participant.name);
        pipeline_->set_encrypted(changed->arrival.leg, command.participant.encrypted);
    }
    follow_sharing(command.participant);
    services_.events.publish(room_.config().id, "vmr.participant.updated",
                             to_json(command.participant, false));
}

void RoomHost::carry_out(const room::ParticipantLeft& command) {
    services_.tokens.revoke_participant(room_.config().id, command.participant.id);
    follow_sharing(command.participant);
    conference_changed_ = true;
    nlohmann::json left = to_json(command.participant, false);
    left["ended"] = {{"cause", room::to_string(command.cause)}};
    if (const Seat* gone = seat(command.participant.id); gone != nullptr && gone->failed) {
        left["ended"] = {{"cause", vmr::to_string(*gone->failed)},
                         {"text", gone->turned_down.text},
                         {"sip_status", gone->turned_down.status},
                         {"q850", gone->turned_down.q850}};
    }
    services_.events.publish(room_.config().id, "vmr.participant.left", std::move(left));
}

void RoomHost::carry_out(const room::RoomChanged& command) {
    conference_changed_ = true;
    if (pipeline_) {
        pipeline_->set_room_encrypted(!command.room.unencrypted);
    }
    services_.events.publish(room_.config().id, "vmr.room.updated", to_json(command.room));
}

void RoomHost::carry_out(const room::TalkingChanged& command) {
    services_.events.publish(room_.config().id, "vmr.talking", {{"participants", command.ids}});
}

void RoomHost::carry_out(const room::Audit& command) {
    g_log_structured("vmr-audit", G_LOG_LEVEL_MESSAGE, "VMR_ROOM", room_.config().id.c_str(), "VMR_ACTOR",
                     command.actor.c_str(), "VMR_SOURCE", command.source.c_str(), "VMR_TARGET",
                     command.target.c_str(), "VMR_RESULT", command.result.c_str(), "MESSAGE", "audit: %s",
                     command.what.c_str());
}

void RoomHost::carry_out(const room::WriteRecord& command) {
    Seat* written = seat(command.record.participant);
    if (written == nullptr) {
        return;
    }
    complete_record(written->record, command.record);
    if (written->failed) {
        written->record.end_cause = vmr::to_string(*written->failed);
        written->record.end_text = written->turned_down.text;
    }
    if (written->transferred) {
        written->record.end_cause = vmr::to_string(EndCause::transferred);
    }
    if (const auto cost = services_.spend.cost(written->arrival.leg)) {
        written->record.cost = *cost;
    }
    written->record_written = true;
    if (!written->record_begun) {
        return services_.records.refuse(written->record);
    }
    if (written->session) {
        add_streams(written->record, *written->session);
    }
    // The copy of the receipt lives until the record is on disk: only then is the hang-up acknowledged.
    services_.records.finish(
        written->record, [receipt = written->receipt, id = written->record.id](Status stored) {
            if (!stored) {
                g_critical("call record %s is lost: %s", id.c_str(), stored.error().c_str());
            }
        });
}

void RoomHost::carry_out(const room::ActionDone& command) {
    const auto found = replies_.find(command.request);
    if (found == replies_.end()) {
        return;
    }
    const api::Reply reply = std::move(found->second);
    replies_.erase(found);
    switch (command.outcome) {
        case room::Outcome::done:
            return reply({204, nullptr});
        case room::Outcome::not_allowed:
            return reply(api::problem(403, command.reason));
        case room::Outcome::not_found:
            return reply(api::problem(404, command.reason));
        case room::Outcome::conflict:
            return reply(api::problem(409, command.reason));
        case room::Outcome::invalid:
            return reply(api::problem(422, command.reason));
        case room::Outcome::too_many:
            return reply(api::problem(429, command.reason));
    }
}

void RoomHost::carry_out(const room::RoomEnded& command) {
    services_.events.forget_events(room_.config().id);  // what people wrote, above all
    services_.events.publish(room_.config().id, "vmr.room.ended",
                             {{"cause", room::to_string(command.cause)}});
}

}  // namespace vmr::bridge
