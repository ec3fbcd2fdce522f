// Participants who are moved, call others in, or whose place another call takes.
#include <utility>

#include "base/guard.hpp"
#include "base/utf8.hpp"
#include "daemon/bridge/bridge.hpp"
#include "daemon/room/pin_throttle.hpp"

namespace vmr::bridge {
namespace {

constexpr std::size_t kMaxAudited = 512;  // bytes of what an audit line is about
constexpr unsigned kMovedMs = 3000;       // for the peer to hang up by itself, once it was told how it went

struct Moved {
    std::shared_ptr<Leg> leg;
};

gboolean on_moved(gpointer data) {
    guard(nullptr, [&] { static_cast<Moved*>(data)->leg->end(EndCause::transferred); });
    return G_SOURCE_REMOVE;
}

// As the room core says it.
const char* audit_result(int status) {
    return room::to_string(status == 403   ? room::Outcome::not_allowed
                           : status == 404 ? room::Outcome::not_found
                                           : room::Outcome::conflict);
}

}  // namespace

// True: nobody is called, and why.
bool Bridge::refuses_call(const RoomHost& room, const std::string& address, DialPlan& plan,
                          api::Response& refusal, const std::optional<DialPlan>& given) const {
    if (services_.dialler == nullptr || draining_) {
        refusal = api::problem(503, "no calls are placed now");
        return true;
    }
    Result<DialPlan> planned = given ? Result<DialPlan>(*given) : services_.dialler->plan(address);
    if (!planned) {
        refusal = api::problem(403, planned.error());
        return true;
    }
    std::size_t all = 0;
    for (const auto& [id, one] : rooms_) {
        all += one->placed_calls();
    }
    if (all >= dial_limits_.max_calls || room.placed_calls() >= dial_limits_.max_calls_per_room) {
        refusal = api::problem(409, "too many calls are placed already");
        return true;
    }
    if (!services_.spend.admits(room.core().config().id, planned->price)) {
        refusal = api::problem(409, "what calls out may cost in 24 hours is spent");
        return true;
    }
    plan = std::move(*planned);
    return false;
}

bool Bridge::on_leg_referred(const std::string& leg, Referral referral) {
    RoomHost* room = host_of_leg(leg);
    if (room == nullptr) {
        return false;
    }
    DialPlan plan;
    api::Response refusal;
    if (refuses_call(*room, referral.address, plan, refusal, referral.plan)) {
        room->audit(room::Actor::of(room->participant_of(leg)), "dial_out", referral.address,
                    audit_result(refusal.status));
        return false;
    }
    return room->refer(leg, std::move(plan), std::move(referral), dial_limits_.guests_refer);
}

// Hosts alone, and they alone are told what is allowed.
bool Bridge::may_place_calls(const RoomHost& room, const room::Actor& actor) {
    const room::Participant* self = room.core().find(actor.participant);
    return actor.admin || (self != nullptr && self->role == room::Role::host);
}

void Bridge::dial_out(RoomHost& room, const api::Caller& caller, const nlohmann::json& params,
                      api::Reply reply) {
    const room::Actor actor = actor_of(caller);
    const std::string address = params.at("address");
    DialPlan plan;
    api::Response refusal = api::problem(403, "only a host may do this");
    if (!may_place_calls(room, actor) || refuses_call(room, address, plan, refusal)) {
        room.audit(actor, "dial_out", address, audit_result(refusal.status));
        return reply(refusal);
    }
    room.dial(actor, {std::move(plan)}, params.value("name", ""), room::parse_role(params.value("role", "")),
              std::move(reply));
}

void Bridge::transfer_participant(RoomHost& room, const api::Caller& caller, const nlohmann::json& params,
                                  const api::Reply& reply) {
    const room::Actor actor = actor_of(caller);
    const std::string id = params.at("participant");
    const std::string address = params.at("address");
    const bool may = may_place_calls(room, actor);
    // What a transferred trunk call costs is ours: the same rules as for calls of our own.
    Result<DialPlan> plan = !may ? Result<DialPlan>(Error{"only a host may do this"})
                            : services_.dialler != nullptr ? services_.dialler->plan(address)
                                                           : Error{"no calls are placed now"};
    if (plan && plan->price > 0 && services_.spend.is_limited()) {
        // We are not in that call: nobody would count it, or end it.
        plan = Error{"calls that cost are not transferred where there is a spend limit"};
    }
    if (!plan) {
        room.audit(actor, "transfer", id + " " + address, audit_result(403));
        return reply(api::problem(403, plan.error()));
    }
    room.transfer(actor, id, *plan, reply);
}

// What the room core does not decide.
void RoomHost::audit(const room::Actor& actor, const char* what, const std::string& about,
                     const char* result) {
    const room::Participant* participant = room_.find(actor.participant);
    const std::string source = participant != nullptr
                                   ? room::PinThrottle::source_name(participant->address, participant->trunk)
                                   : actor.source;
    carry_out(room::Audit{now(), actor.name(), source, what, without_controls(cut_utf8(about, kMaxAudited)),
                          result});
}

bool RoomHost::refer(const std::string& leg, DialPlan plan, Referral referral, bool guests_may) {
    const room::ParticipantId by = participant_of(leg);
    const room::Participant* asking = room_.find(by);
    const Seat* from = seat(by);
    const bool trunk = asking != nullptr && from != nullptr &&
                       (!asking->trunk.empty() || (from->dialled && !from->dialled->trunk.empty()));
    const bool host = asking != nullptr && asking->role == room::Role::host;
    const bool in_room = asking != nullptr && asking->state == room::State::in_room;
    // No trunk pays for another's calls: over one, SIP addresses are called alone, and its own.
    const bool at_others_cost = trunk && !referral.plan && (plan.kind != LegKind::sip || !plan.trunk.empty());
    if (!in_room || at_others_cost || (!host && !guests_may)) {
        audit(room::Actor::of(by), "dial_out", referral.address, audit_result(403));
        return false;
    }
    Planned planned{std::move(plan), std::move(referral.replaces), std::move(referral.on_status)};
    if (!host) {
        // A guest brings in one other: once they are there, the guest goes.
        planned.on_status = [this, alive = std::weak_ptr(alive_), leg, told = std::move(planned.on_status)](
                                int status, const std::string& reason) {
            told(status, reason);
            if (status >= 200 && status < 300 && !alive.expired()) {
                end_moved(leg);
            }
        };
    }
    const auto called = std::make_shared<bool>(false);
    const std::string source = room::PinThrottle::source_name(asking->address, asking->trunk);
    dial(host && !trunk ? room::Actor::of(by) : room::Actor::on_behalf_of(by, source), std::move(planned), "",
         host ? std::optional<room::Role>() : room::Role::guest,
         [called](const api::Response& response) { *called = response.status == 201; });
    return *called;
}

// The gate alone keeps everything from who is held, at once. An exchange behind a trunk is told besides, as
// its profile says, so that it shows the hold, or plays music of its own; a device goes on as it is (rule
// 13).
void RoomHost::set_hold(Seat& seat, bool on_hold) {
    if (seat.arrival.trunk.empty() || !seat.leg || !seat.session || on_hold == seat.on_hold) {
        return;
    }
    seat.on_hold = on_hold;
    const auto direction =
        seat.arrival.terms.hold_inactive ? sdp::Direction::inactive : sdp::Direction::sendonly;
    seat.session->set_hold(on_hold ? std::optional(direction) : std::nullopt);
    seat.leg->renegotiate();
}

void RoomHost::end_moved(const std::string& leg) {
    const Seat* moved = seat(participant_of(leg));
    if (moved != nullptr && moved->leg) {
        g_timeout_add_full(G_PRIORITY_DEFAULT, kMovedMs, on_moved, new Moved{moved->leg},
                           [](gpointer data) { delete static_cast<Moved*>(data); });
    }
}

void RoomHost::transfer(const room::Actor& actor, const room::ParticipantId& id, const DialPlan& plan,
                        const api::Reply& reply) {
    const Seat* moved = seat(id);
    const room::Participant* participant = room_.find(id);
    const auto answer = [&](const api::Response& response) {
        audit(actor, "transfer", id + " " + plan.address,
              response.status < 300 ? "ok" : audit_result(response.status));
        reply(response);
    };
    if (moved == nullptr || participant == nullptr) {
        return answer(api::problem(404, "no such participant"));
    }
    if (!moved->leg || !moved->media_up) {
        return answer(api::problem(409, "the participant is not connected"));
    }
    const auto on_status = [this, alive = std::weak_ptr(alive_), id](int status, const std::string& reason) {
        if (!alive.expired()) {
            tell_transfer(id, status, reason);
        }
    };
    const std::shared_ptr<Leg> leg = moved->leg;
    const Status sent = leg->transfer(plan.uri, on_status);
    answer(sent ? api::Response{202, nullptr} : api::problem(409, sent.error()));
}

void RoomHost::tell_transfer(const room::ParticipantId& id, int status, const std::string& reason) {
    services_.events.publish(
        room_.config().id, "vmr.participant.transfer",
        {{"participant", id}, {"status", status}, {"text", reason}, {"done", status >= 200}});
    // 202: the peer does not tell; it hangs up when it is there.
    if (status >= 200 && status < 300 && status != 202) {
        if (const Seat* moved = seat(id); moved != nullptr && moved->leg) {
            end_moved(moved->leg->id());
        }
    }
}

bool RoomHost::may_be_replaced(const std::string& leg) const {
    const room::Participant* participant = room_.find(participant_of(leg));
    const auto held = seats_.find(participant_of(leg));
    return participant != nullptr && held != seats_.end() && held->second->leg &&
           (participant->state == room::State::in_room || participant->state == room::State::lobby ||
            held->second->rings());
}

// The seat stays: role, place, lobby, mute; who sits there is another, on another leg.
void RoomHost::replace(const std::string& leg, std::shared_ptr<Leg> by,
                       std::shared_ptr<media::Session> session, const Arrival& arrival) {
    const room::ParticipantId id = participant_of(leg);
    Seat& held = *seats_.at(id);
    const std::string name = shown_name(arrival);
    held.arrival.kind = arrival.kind;
    held.arrival.signalling = arrival.signalling;
    held.arrival.caller = arrival.caller;
    held.arrival.withheld = arrival.withheld;
    held.arrival.user_agent = arrival.user_agent;
    held.arrival.display_name = name;
    held.on_hold = false;
    if (held.rings()) {
        // Who was called takes the call elsewhere, before it is answered.
        settle(held);
        participants_.erase(leg);
        const auto old = std::exchange(held.leg, nullptr);
        unseat_media(held);
        held.leg = std::move(by);
        held.session = std::move(session);
        held.arrival.leg = arrival.leg;
        participants_[arrival.leg] = id;
        old->end(EndCause::replaced);
        if (!seat_media(held)) {
            held.leg->refuse(EndCause::internal_error);
            return;
        }
        held.leg->accept();
    } else if (!resume(id, by, std::move(session), arrival)) {
        by->refuse(EndCause::internal_error);
        return;
    }
    if (!name.empty()) {
        const std::string source = room::PinThrottle::source_name(
            arrival.kind == LegKind::phone ? arrival.caller : without_port(arrival.remote_address),
            arrival.trunk);
        act(room::Actor::on_behalf_of(id, source), room::Rename{id, name}, [](const api::Response&) {});
    }
}

}  // namespace vmr::bridge
