#include "daemon/bridge/bridge.hpp"

#include <algorithm>
#include <utility>

#include "base/guard.hpp"
#include "base/main_context.hpp"
#include "base/source_network.hpp"
#include "base/text.hpp"
#include "daemon/bridge/entrance.hpp"

namespace vmr::bridge {
namespace {

constexpr std::size_t kMaxDoor = 500;  // legs that have arrived and not been looked at

gboolean on_watch(gpointer data) {
    auto* check = static_cast<std::function<void()>*>(data);
    guard(nullptr, [&] { (*check)(); });
    return G_SOURCE_CONTINUE;
}

}  // namespace

Bridge::Bridge(Services& services, const media::MediaEnvironment& environment)
    : services_(services),
      environment_(environment),
      reception_(services, [this](const std::string& number, std::shared_ptr<Leg> leg,
                                  std::shared_ptr<media::Session> session, const Arrival& arrival) {
          return transfer(number, std::move(leg), std::move(session), arrival);
      }) {
    auto* check = new std::function<void()>([this] {
        for (auto& [id, room] : rooms_) {
            room->watch_media();
        }
        watch_spend();
        reception_.tick();
        drop_forgotten_rooms();
    });
    services_.spend.on_alarm([&events = services_.events](const Spend::Alarm& alarm) {
        g_warning("calls out%s%s: %s of %s are spent in 24 hours%s", alarm.room.empty() ? "" : " of room ",
                  alarm.room.c_str(), nlohmann::json(decimal(alarm.spent)).dump().c_str(),
                  nlohmann::json(decimal(alarm.limit)).dump().c_str(),
                  alarm.reached ? ", another minute does not fit" : "");
        nlohmann::json data{{"spent", decimal(alarm.spent)}, {"limit", decimal(alarm.limit)}};
        if (!alarm.room.empty()) {
            data["room"] = alarm.room;
        }
        (void)events.publish("", alarm.reached ? "vmr.spend.limit_reached" : "vmr.spend.near_limit", data);
    });
    watch_ = g_timeout_add_seconds_full(G_PRIORITY_DEFAULT, 1, on_watch, check, [](gpointer data) {
        delete static_cast<std::function<void()>*>(data);
    });
}

Bridge::~Bridge() {
    g_source_remove(watch_);
}

RoomHost* Bridge::host(const std::string& room) const {
    const auto found = rooms_.find(room);
    return found == rooms_.end() ? nullptr : found->second.get();
}

RoomHost* Bridge::host_of_alias(const std::string& alias) const {
    const auto found = aliases_.find(lower_case(alias));
    return found == aliases_.end() ? nullptr : host(found->second);
}

RoomHost* Bridge::host_of_leg(const std::string& leg) const {
    for (const auto& [id, room] : rooms_) {
        if (room->has_leg(leg)) {
            return room.get();
        }
    }
    return nullptr;
}

nlohmann::json Bridge::snapshot(const std::string& room) const {
    if (room.empty()) {
        return devices_ == nullptr ? nlohmann::json{{"devices", nlohmann::json::array()}}
                                   : devices_->snapshot();
    }
    const RoomHost* found = host(room);
    return found == nullptr ? nlohmann::json() : found->snapshot(false);
}

std::shared_ptr<media::Session> Bridge::new_session(const Arrival& arrival,
                                                    const room::RoomConfig* room) const {
    const std::string peer = without_port(arrival.remote_address);
    sdp::Policy policy = policy_for(arrival, services_.sip_media, room);
    auto session = std::make_shared<media::Session>(environment_, arrival.leg, std::move(policy), peer);
    session->set_marking(arrival.terms.audio_dscp, arrival.terms.video_dscp);
    session->set_signalling(arrival.signalling);
    return session;
}

RoomHost* Bridge::resumed_host(const Arrival& arrival, api::Caller& caller) const {
    if (arrival.resume.empty()) {
        return nullptr;
    }
    const auto found = services_.tokens.find(arrival.resume);
    if (!found || found->kind != api::Caller::Kind::participant) {
        return nullptr;
    }
    caller = *found;
    RoomHost* room = host(caller.room);
    return room != nullptr && room->core().find(caller.participant) != nullptr ? room : nullptr;
}

// Numbers of trunks say themselves where they lead.
bool Bridge::is_for_reception(const Arrival& arrival) const {
    if (arrival.kind != LegKind::sip || !arrival.trunk.empty() || reception_alias_.empty()) {
        return false;
    }
    const RoomHost* room = host_of_alias(arrival.alias);
    if (room == nullptr) {
        return unknown_to_reception_ || lower_case(arrival.alias) == reception_alias_;
    }
    // A refusal for want of encryption would say that the room exists.
    return unknown_to_reception_ && is_stranger(arrival) &&
           !offers_enough(arrival, services_.sip_media, room->core().config());
}

std::shared_ptr<MediaSession> Bridge::on_leg_arrived(std::shared_ptr<Leg> leg, const Arrival& arrived) {
    Arrival arrival = arrived;
    arrival.ask_meeting_number = arrival.ask_meeting_number || is_for_reception(arrival);
    arrival.offer.clear();
    const auto refuse = [&](EndCause cause) {
        record_refusal(arrival, cause);
        leg->refuse(cause);
        return nullptr;
    };
    if (draining_ || door_.size() >= kMaxDoor) {
        return refuse(draining_ ? EndCause::shutdown : EndCause::overload);
    }
    RoomHost* room = arrival.ask_meeting_number ? nullptr : host_of_alias(arrival.alias);
    if (!arrival.replaces.empty()) {
        room = host_of_leg(arrival.replaces);
        if (room == nullptr || !room->may_be_replaced(arrival.replaces)) {
            return refuse(EndCause::declined);
        }
        // RFC 3891 section 3: if it cannot be taken, the call that it would replace stays as it is.
        if (const auto cause = refusal_of_offer(arrived, services_.sip_media, room->core().config())) {
            return refuse(*cause);
        }
        arrival.ask_meeting_number = false;
    }
    if (room == nullptr && !arrival.ask_meeting_number) {
        return refuse(EndCause::not_found);
    }
    if (is_stranger(arrival) && arrival.replaces.empty() &&
        !services_.doorstep.enter(arrival.leg, source_network(without_port(arrival.remote_address)),
                                  lower_case(arrival.alias))) {
        return refuse(EndCause::busy);
    }
    auto session = new_session(arrival, room != nullptr ? &room->core().config() : nullptr);
    door_[arrival.leg] = Door{leg, session, arrival};
    // The leg is to have its session before it is told anything: the room looks at it from the main loop.
    call_on_main([this, alive = std::weak_ptr(alive_), id = arrival.leg] {
        if (!alive.expired()) {
            at_door(id);
        }
    });
    return session;
}

void Bridge::at_door(const std::string& leg) {
    const auto found = door_.find(leg);
    if (found == door_.end()) {
        return;  // it has gone meanwhile
    }
    const Door door = std::move(found->second);
    door_.erase(found);
    const auto refuse = [&](EndCause cause) {
        record_refusal(door.arrival, cause);
        door.leg->refuse(cause);
    };
    if (draining_) {
        return refuse(EndCause::shutdown);
    }
    if (door.arrival.ask_meeting_number) {
        reception_.arrive(door.leg, door.session, door.arrival);
        return;
    }
    if (!door.arrival.replaces.empty()) {
        RoomHost* room = host_of_leg(door.arrival.replaces);
        if (room != nullptr && room->may_be_replaced(door.arrival.replaces)) {
            room->replace(door.arrival.replaces, door.leg, door.session, door.arrival);
        } else {
            refuse(EndCause::declined);  // it has gone meanwhile
        }
        return;
    }
    api::Caller caller;
    RoomHost* before = resumed_host(door.arrival, caller);
    if (before != nullptr && before->resume(caller.participant, door.leg, door.session, door.arrival)) {
        return;
    }
    if (RoomHost* room = host_of_alias(door.arrival.alias)) {
        room->arrive(door.leg, door.session, door.arrival);
    } else {
        refuse(EndCause::not_found);
    }
}

// Rule 22: who never came as far as a room leaves a record too.
void Bridge::record_refusal(const Arrival& arrival, EndCause cause) {
    services_.records.refuse(refused_record(arrival, {}, cause, services_.server_version));
}

bool Bridge::transfer(const std::string& number, std::shared_ptr<Leg> leg,
                      std::shared_ptr<media::Session> session, Arrival arrival) {
    RoomHost* room = host_of_alias(number);
    if (room == nullptr) {
        return false;
    }
    arrival.alias = number;
    session->demand(policy_for(arrival, services_.sip_media, &room->core().config()));
    room->arrive(std::move(leg), std::move(session), arrival, true);
    return true;
}

std::shared_ptr<MediaSession> Bridge::on_leg_routed(const std::string& leg, const std::string& address,
                                                    const std::string& signalling) {
    RoomHost* room = host_of_leg(leg);
    const Arrival* placed = room != nullptr ? room->route(leg, address, signalling) : nullptr;
    if (placed == nullptr) {
        return nullptr;
    }
    auto session = new_session(*placed, &room->core().config());
    return room->take_session(leg, session) ? session : nullptr;
}

void Bridge::on_leg_progressed(const std::string& leg, LegProgress progress) {
    if (RoomHost* room = host_of_leg(leg)) {
        room->on_leg_progressed(leg, progress);
    }
}

void Bridge::on_leg_reached(const std::string& leg, const std::string& address,
                            const std::string& signalling) {
    if (RoomHost* room = host_of_leg(leg)) {
        (void)room->route(leg, address, signalling);
    }
}

void Bridge::on_leg_turned_down(const std::string& leg, const TurnDown& why) {
    if (RoomHost* room = host_of_leg(leg)) {
        room->on_leg_turned_down(leg, why);
    }
}

void Bridge::on_leg_answered(const std::string& leg) {
    if (RoomHost* room = host_of_leg(leg)) {
        room->on_leg_answered(leg);
    }
}

void Bridge::on_leg_key(const std::string& leg, char key) {
    if (RoomHost* room = host_of_leg(leg)) {
        room->on_key(room->participant_of(leg), key);
    } else {
        reception_.on_key(leg, key);
    }
}

void Bridge::on_leg_sharing(const std::string& leg, bool sharing) {
    if (RoomHost* room = host_of_leg(leg)) {
        const auto id = room->participant_of(leg);
        room->act(room::Actor::of(id), room::SetSharing{id, sharing}, [](api::Response) {});
    }
}

SayResult Bridge::on_leg_said(const std::string& leg, const std::string& text, bool is_protected) {
    RoomHost* room = host_of_leg(leg);
    return room != nullptr ? room->say(leg, text, is_protected) : SayResult::refused;
}

std::shared_ptr<const Conference> Bridge::conference_of(const std::string& leg) {
    RoomHost* room = host_of_leg(leg);
    return room != nullptr ? room->conference_of(leg) : nullptr;
}

void Bridge::on_leg_ended(const std::string& leg, EndCause cause, std::shared_ptr<void> receipt) {
    services_.doorstep.leave(leg);
    if (const auto found = door_.find(leg); found != door_.end()) {
        record_refusal(found->second.arrival, cause);
        door_.erase(found);
        return;
    }
    if (RoomHost* room = host_of_leg(leg)) {
        room->on_leg_ended(leg, cause, std::move(receipt));
    } else {
        reception_.on_leg_ended(leg, cause, std::move(receipt));
    }
}

void Bridge::drain() {
    draining_ = true;
    for (auto& [id, room] : rooms_) {
        room->end(room::Cause::shutdown);
    }
    reception_.end_all(EndCause::shutdown);
}

bool Bridge::is_idle() const {
    return reception_.is_empty() && door_.empty() &&
           std::ranges::all_of(rooms_, [](const auto& room) { return room.second->is_empty(); });
}

void Bridge::watch_spend() {
    const Spend::Turn turn = services_.spend.tick();
    for (const std::string& leg : turn.charged) {
        if (RoomHost* room = host_of_leg(leg)) {
            room->note_cost(leg);
        }
    }
    for (const std::string& leg : turn.over) {
        if (RoomHost* room = host_of_leg(leg)) {
            room->end_unpaid(leg);
        }
    }
}

std::string Bridge::metrics() const {
    std::size_t participants = 0;
    std::size_t meetings = 0;
    for (const auto& [id, room] : rooms_) {
        const std::size_t count = room->core().roster().size();
        participants += count;
        meetings += count > 0 ? 1 : 0;
    }
    const auto gauge = [](const std::string& name, const nlohmann::json& value) {
        return "# TYPE " + name + " gauge\n" + name + " " + value.dump() + "\n";
    };
    const auto limit = services_.spend.limits().all;
    return gauge("vmr_participants", participants) + gauge("vmr_meetings", meetings) +
           gauge("vmr_dial_out_spent", decimal(services_.spend.spent())) +
           (limit ? gauge("vmr_dial_out_spend_limit", decimal(*limit)) : "");
}

}  // namespace vmr::bridge
