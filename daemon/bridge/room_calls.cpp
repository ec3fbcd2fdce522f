// Calls that the room places.
#include <algorithm>
#include <array>

#include "daemon/bridge/room_host.hpp"

namespace vmr::bridge {
namespace {

// Unguessable is not needed, unique is: the id is no secret.
room::ParticipantId new_participant() {
    const GCharPtr text(g_uuid_string_random());
    return "out-" + std::string(text.get()).substr(0, 18);
}

}  // namespace

void RoomHost::dial(const room::Actor& actor, Planned planned, const std::string& name,
                    std::optional<room::Role> role, api::Reply reply) {
    const room::ParticipantId id = new_participant();
    const room::DialOut action{id, planned.plan.address, name, room_kind(planned.plan.kind), role};
    planned_[id] = std::move(planned);
    act(actor, action, [this, alive = std::weak_ptr(alive_), id, reply](const api::Response& response) {
        if (!alive.expired()) {
            planned_.erase(id);
        }
        reply(response.status == 204 ? api::Response{201, {{"participant", id}}} : response);
    });
}

void RoomHost::carry_out(const room::PlaceCall& command) {
    auto planned = planned_.extract(command.id);
    auto owned = std::make_unique<Seat>();
    Seat& seat = *owned;
    seat.id = command.id;
    Planned call = planned ? std::move(planned.mapped()) : Planned();
    seat.dialled = std::move(call.plan);
    seat.on_status = std::move(call.on_status);
    seat.arrival.leg = command.id;
    seat.arrival.kind = seat.dialled->kind;
    seat.arrival.alias = command.address;
    seat.arrival.trunk = seat.dialled->trunk;
    seat.arrival.terms = seat.dialled->terms;
    const room::Participant* participant = room_.find(command.id);
    seat.arrival.display_name = participant != nullptr ? participant->name : command.address;
    seat.record = opened_record(seat.arrival, room_.config(), services_.server_version);
    seat.record.direction = "out";
    seat.record.from = room_.config().id;
    if (seat.record.trunk.empty() && seat.arrival.kind == LegKind::phone) {
        seat.record.trunk = seat.dialled->rule;  // straight to a gateway
    }
    participants_[command.id] = command.id;
    seats_[command.id] = std::move(owned);
    services_.records.begin(seat.record);
    seat.record_begun = true;
    const Placement placement{command.id, *seat.dialled, room_.config().title, room_.config().id,
                              std::move(call.replaces)};
    // Between the plan and here others may have been called.
    const bool paid = services_.spend.reserve(command.id, room_.config().id, seat.dialled->price);
    if (planned && paid && services_.dialler != nullptr) {
        seat.leg = services_.dialler->dial(placement);
    }
    if (!seat.leg) {
        on_leg_ended(command.id, paid ? EndCause::overload : EndCause::spend_limit, nullptr);
    }
}

// In the journal at once: what is spent survives a crash.
void RoomHost::note_cost(const std::string& leg) {
    Seat* charged = seat(participant_of(leg));
    const auto cost = services_.spend.cost(leg);
    if (charged != nullptr && cost && !charged->record_written) {
        charged->record.cost = *cost;
        services_.records.begin(charged->record);
    }
}

void RoomHost::end_unpaid(const std::string& leg) {
    const Seat* unpaid = seat(participant_of(leg));
    if (unpaid != nullptr && unpaid->leg) {
        audit(room::Actor::of(unpaid->id), "spend_limit", unpaid->arrival.alias, "ok");
        const auto held = unpaid->leg;
        held->end(EndCause::spend_limit);
    }
}

// The seat's leg goes: it costs no further.
void RoomHost::settle(Seat& seat) {
    if (const auto cost = services_.spend.end(seat.arrival.leg)) {
        seat.record.cost = *cost;
    }
}

const Arrival* RoomHost::route(const std::string& leg, const std::string& address,
                               const std::string& signalling) {
    Seat* routed = seat(participant_of(leg));
    if (routed == nullptr || room_.find(routed->id) == nullptr) {
        return nullptr;
    }
    routed->arrival.remote_address = routed->record.remote_address = address;
    routed->arrival.signalling = signalling;
    return &routed->arrival;
}

bool RoomHost::take_session(const std::string& leg, std::shared_ptr<media::Session> session) {
    Seat* routed = seat(participant_of(leg));
    if (routed == nullptr || routed->session) {
        return false;
    }
    routed->session = std::move(session);
    return seat_media(*routed);
}

void RoomHost::on_leg_progressed(const std::string& leg, LegProgress progress) {
    if (const Seat* called = seat(participant_of(leg)); called != nullptr && called->on_status) {
        called->on_status(progress == LegProgress::ringing ? 180 : 183, "");
    }
    handle(room::Progressed{participant_of(leg), progress == LegProgress::ringing
                                                     ? room::CallProgress::ringing
                                                     : room::CallProgress::early_media});
}

void RoomHost::on_leg_turned_down(const std::string& leg, const TurnDown& why) {
    if (Seat* turned = seat(participant_of(leg))) {
        turned->turned_down = why;
    }
}

std::size_t RoomHost::placed_calls() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(seats_, [](const auto& entry) { return entry.second->dialled.has_value(); }));
}

}  // namespace vmr::bridge
