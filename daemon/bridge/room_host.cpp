#include "daemon/bridge/room_host.hpp"

#include <algorithm>
#include <utility>

#include "base/guard.hpp"
#include "daemon/bridge/room_json.hpp"

namespace vmr::bridge {
namespace {

bool is_of_media(EndCause cause) {
    return cause == EndCause::malformed || cause == EndCause::not_acceptable ||
           cause == EndCause::encryption_required;
}

}  // namespace

room::TimePoint now() {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

RoomHost::RoomHost(Services& services, room::RoomConfig config, PinHashes hashes)
    : services_(services),
      room_(std::move(config), services.throttle),
      hashes_(std::move(hashes)),
      conference_([this](const room::ParticipantId& id) {
          const Seat* shown = seat(id);
          return shown != nullptr && shown->session && shown->session->bin().to_room(media::Slot::video);
      }) {}

RoomHost::~RoomHost() {
    if (timer_ != 0) {
        g_source_remove(timer_);
    }
    for (auto& [id, seat] : seats_) {
        unseat_media(*seat);
    }
}

Seat* RoomHost::seat(const room::ParticipantId& id) {
    const auto found = seats_.find(id);
    return found == seats_.end() ? nullptr : found->second.get();
}

room::ParticipantId RoomHost::participant_of(const std::string& leg) const {
    const auto found = participants_.find(leg);
    return found == participants_.end() ? room::ParticipantId() : found->second;
}

void RoomHost::arrive(std::shared_ptr<Leg> leg, std::shared_ptr<media::Session> session,
                      const Arrival& arrival, bool answered) {
    const room::ParticipantId id = arrival.leg;
    auto seat = std::make_unique<Seat>();
    seat->id = id;
    seat->arrival = arrival;
    seat->leg = std::move(leg);
    seat->session = std::move(session);
    seat->answered = answered;
    seat->record = opened_record(arrival, room_.config(), services_.server_version);
    participants_[arrival.leg] = id;
    if (!seat_media(*seats_.emplace(id, std::move(seat)).first->second)) {
        seats_.at(id)->leg->refuse(EndCause::internal_error);
        return;
    }
    room::Arrived event;
    event.id = id;
    event.name = shown_name(arrival);
    event.leg = room_kind(arrival.kind);
    event.address = arrival.kind == LegKind::phone ? arrival.caller : without_port(arrival.remote_address);
    event.trunk = arrival.trunk;
    event.withheld = arrival.withheld;
    event.verification = arrival.verification;
    event.user_agent = arrival.user_agent;
    event.alias = arrival.alias;
    handle(event);
}

bool RoomHost::resume(const room::ParticipantId& id, std::shared_ptr<Leg> leg,
                      std::shared_ptr<media::Session> session, const Arrival& arrival) {
    Seat* held = seat(id);
    if (held == nullptr || room_.find(id) == nullptr) {
        return false;
    }
    if (held->leg) {
        // It came back before the old connection was noticed to be dead.
        participants_.erase(held->leg->id());
        settle(*held);
        const auto old = std::exchange(held->leg, nullptr);
        unseat_media(*held);
        handle(room::Reconnecting{id});
        old->end(EndCause::replaced);
        held = seat(id);
        if (held == nullptr) {
            return false;  // whoever was not in yet has lost the seat with the connection
        }
    }
    held->leg = std::move(leg);
    held->session = std::move(session);
    held->arrival.leg = arrival.leg;
    held->arrival.remote_address = arrival.remote_address;
    held->resuming = true;
    held->media_up = false;
    held->pin_passed = false;
    participants_[arrival.leg] = id;
    if (!seat_media(*held)) {
        return false;
    }
    tell(*held, "joined",
         {{"participant", id},
          {"room", room_.config().id},
          {"token", arrival.resume},
          {"ice_servers", services_.ice_servers(id)},
          {"resumed", true}});
    held->leg->accept();
    return true;
}

void RoomHost::in_turn(std::function<void()> step) {
    waiting_.push_back(std::move(step));
    if (busy_) {
        return;
    }
    busy_ = true;
    while (!waiting_.empty()) {
        const auto next = std::move(waiting_.front());
        waiting_.pop_front();
        guard(nullptr, next);  // a step that fails must not leave the room busy for ever
    }
    busy_ = false;
}

void RoomHost::on_leg_answered(const std::string& leg) {
    Seat* answered = seat(participant_of(leg));
    if (answered != nullptr && answered->rings()) {
        answered->taken_at = std::chrono::steady_clock::now();
        services_.spend.answer(leg);
        note_cost(leg);
        if (const OnCallStatus on_status = std::exchange(answered->on_status, nullptr)) {
            on_status(200, "");
            answered = seat(participant_of(leg));  // who is told may end it
        }
    }
    // SIP: with plain RTP or SDES the path is ready as soon as the answer is; browsers still have DTLS to do.
    if (answered != nullptr && answered->session && answered->session->ready()) {
        on_media_ready(answered->id);
    }
}

void RoomHost::on_leg_ended(const std::string& leg, EndCause cause, std::shared_ptr<void> receipt) {
    in_turn([this, leg, cause, receipt = std::move(receipt)] { leg_ended(leg, cause, receipt); });
}

void RoomHost::leg_ended(const std::string& leg, EndCause cause, std::shared_ptr<void> receipt) {
    const room::ParticipantId id = participant_of(leg);
    participants_.erase(leg);
    Seat* ended = seat(id);
    if (ended == nullptr) {
        return;
    }
    if (ended->rings() && ended->turned_down.status == 0 && is_of_media(cause)) {
        services_.spend.answer(leg);  // it was we who could not take the answer: that minute is charged
    }
    settle(*ended);
    ended->receipt = std::move(receipt);
    const bool may_return = ended->arrival.kind == LegKind::webrtc &&
                            (cause == EndCause::signalling_lost || cause == EndCause::media_failed ||
                             cause == EndCause::media_timeout);
    ended->leg.reset();
    if (may_return && room_.find(id) != nullptr) {
        unseat_media(*ended);
        execute(room_.handle(room::Reconnecting{id}, now()));
        return;
    }
    const bool failed = ended->rings() && cause != EndCause::shutdown;
    if (failed) {
        ended->failed = cause;
    }
    ended->transferred = ended->transferred || cause == EndCause::transferred;
    if (const OnCallStatus on_status = std::exchange(ended->on_status, nullptr)) {
        const int status = ended->turned_down.status;
        on_status(status >= 300 ? status : sip_cause(cause).status, "");
    }
    if (room_.find(id) != nullptr) {
        execute(room_.handle(room::Left{id, failed ? room::Cause::not_answered : room_cause(cause)}, now()));
    }
    if (Seat* gone = seat(id)) {
        if (!gone->record_written) {  // the room never knew of it
            services_.records.refuse(
                refused_record(gone->arrival, room_.config(), cause, services_.server_version));
        }
        unseat_media(*gone);
        seats_.erase(id);
    }
}

void RoomHost::handle(const room::Event& event) {
    in_turn([this, event] { execute(room_.handle(event, now())); });
}

void RoomHost::end(room::Cause cause) {
    in_turn([this, cause] { execute(room_.end(cause, now())); });
}

void RoomHost::execute(const room::Commands& commands) {
    for (const room::Command& command : commands) {
        std::visit([this](const auto& kind) { carry_out(kind); }, command);
    }
    tell_conference();
    arm_timer();
}

// Who follows the conference looks at it, all changes of this step together.
void RoomHost::tell_conference() {
    if (!std::exchange(conference_changed_, false)) {
        return;
    }
    conference_.invalidate();
    for (const auto& [id, seat] : seats_) {
        if (seat->leg) {
            seat->leg->on_conference_changed();
        }
    }
}

std::shared_ptr<const Conference> RoomHost::conference_of(const std::string& leg) {
    return conference_.seen_by(participant_of(leg), room_);
}

void RoomHost::arm_timer() {
    if (timer_ != 0) {
        g_source_remove(std::exchange(timer_, 0));
    }
    if (const auto deadline = room_.next_deadline()) {
        const auto wait = std::max<room::Duration>(*deadline - now(), room::Duration(1));
        timer_ = g_timeout_add(static_cast<guint>(std::min<std::int64_t>(wait.count(), 3600'000)),
                               on_deadline, this);
    }
}

gboolean RoomHost::on_deadline(gpointer data) {
    auto* self = static_cast<RoomHost*>(data);
    self->timer_ = 0;
    guard(nullptr, [&] { self->handle(room::Tick{}); });
    return G_SOURCE_REMOVE;
}

void RoomHost::act(const room::Actor& actor, room::ActionKind kind, api::Reply reply) {
    const std::uint64_t request = ++last_request_;
    replies_[request] = std::move(reply);
    handle(room::Action{actor, std::move(kind), request});
}

void RoomHost::set_pins(room::RoomConfig config, PinHashes hashes) {
    hashes_ = std::move(hashes);
    handle(room::ConfigChanged{std::move(config)});
}

nlohmann::json RoomHost::snapshot(bool with_addresses) const {
    nlohmann::json participants = nlohmann::json::array();
    for (const room::Participant& participant : room_.roster()) {
        participants.push_back(to_json(participant, with_addresses));
    }
    return {{"room", to_json(room_.view())}, {"participants", participants}};
}

void RoomHost::on_key(const room::ParticipantId& participant, char key) {
    Seat* pressing = seat(participant);
    if (pressing != nullptr && pressing->session) {
        // pin-ivr collects or passes on, as it does for keys that came as RTP.
        const char text[] = {key, '\0'};
        g_signal_emit_by_name(pressing->session->bin().ivr(), "digit", text);
    }
}

void RoomHost::on_talking_changed(const std::vector<std::string>& legs) {
    room::Talking event;
    for (const std::string& leg : legs) {
        event.ids.push_back(participant_of(leg));
    }
    handle(event);
}

void RoomHost::on_digits_entered(const std::string& leg, const std::string& digits) {
    handle(room::Digits{participant_of(leg), digits});
}

void RoomHost::on_key_pressed(const std::string& leg, char key) {
    handle(room::Key{participant_of(leg), key});
}

void RoomHost::on_pin_timed_out(const std::string& leg) {
    handle(room::PinTimedOut{participant_of(leg)});
}

void RoomHost::on_leg_failed(const std::string& leg, const std::string& text) {
    g_warning("leg %s of room %s: %s", leg.c_str(), room_.config().id.c_str(), text.c_str());
    Seat* failed = seat(participant_of(leg));
    if (failed != nullptr && failed->leg) {
        const auto held = failed->leg;
        held->end(EndCause::media_failed);
    }
}

void RoomHost::on_room_failed(const std::string& text) {
    g_critical("room %s: %s", room_.config().id.c_str(), text.c_str());
    pipeline_.give_up();
    end(room::Cause::error);
}

}  // namespace vmr::bridge
