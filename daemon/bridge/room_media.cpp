// Rooms' media: seats in the pipeline, what they are protected by, and whether anything still comes.
#include "base/main_context.hpp"
#include "daemon/bridge/room_host.hpp"
#include "daemon/bridge/room_json.hpp"

namespace vmr::bridge {
namespace {

bool is_over_time(const Seat& seat) {
    return seat.taken_at && seat.dialled->max_duration > std::chrono::seconds(0) &&
           std::chrono::steady_clock::now() - *seat.taken_at > seat.dialled->max_duration;
}

}  // namespace

bool RoomHost::seat_media(Seat& seat) {
    const auto make = [this] {
        auto pipeline = new_pipeline(services_, room_.config().id, *this);
        if (pipeline) {
            pipeline->set_layout(room::to_string(room_.view().layout));
            pipeline->set_room_encrypted(!room_.view().unencrypted);
        }
        return pipeline;
    };
    if (!pipeline_.ensure(seats_.size() > 1, make)) {
        return false;
    }
    media::Session& session = *seat.session;
    set_up_prompts(session.bin(), {services_.prompts.folder, locale()}, seat.arrival.kind);
    const std::string leg = seat.arrival.leg;
    pipeline_->attach(leg, session.bin(), seat.arrival.display_name);
    session.set_on_changed([this, leg, id = seat.id] {
        if (pipeline_) {
            pipeline_->refresh(leg);
        }
        follow_receipt(id);
        conference_changed_ = true;  // its video, perhaps
        tell_conference();
    });
    session.set_on_ready([this, id = seat.id] { on_media_ready(id); });
    session.set_on_congested([this, &seat] { follow_network(seat); });
    session.set_on_camera_steered(
        [this, id = seat.id](const std::vector<std::uint8_t>& message) { steer_camera(id, message); });
    session.set_floor_callbacks(
        {[this, id = seat.id] { return share(id, true); }, [this, id = seat.id] { share(id, false); }});
    return true;
}

void RoomHost::unseat_media(Seat& seat) {
    if (!seat.session) {
        return;
    }
    add_streams(seat.record, *seat.session);
    seat.session->set_on_changed(nullptr);
    seat.session->set_on_ready(nullptr);
    seat.session->set_on_congested(nullptr);
    seat.session->set_floor_callbacks({});
    seat.session->set_on_camera_steered(nullptr);
    cameras_.forget(seat.id);
    if (pipeline_) {
        pipeline_->detach(seat.arrival.leg);
    }
    // A callback of its own may be what brought this about: it goes when that is done.
    left_.push_back(std::move(seat.session));
    call_on_main([this, alive = std::weak_ptr(alive_)] {
        if (!alive.expired()) {
            left_.clear();
        }
    });
}

void RoomHost::on_media_ready(const room::ParticipantId& id) {
    Seat* ready = seat(id);
    if (ready == nullptr || ready->media_up || !ready->session || ready->rings()) {
        return;
    }
    ready->media_up = true;
    ready->liveness = Liveness(Liveness::Clock::now());
    const room::CryptoReceipt receipt = room_receipt(ready->session->crypto_receipt());
    if (std::exchange(ready->resuming, false)) {
        handle(room::Resumed{id, receipt});
    } else {
        handle(room::MediaUp{id, receipt});
    }
}

// Later: who falls below the room's policy is ended, and the leg is still in the middle of the exchange.
void RoomHost::follow_receipt(const room::ParticipantId& id) {
    call_on_main([this, id, alive = std::weak_ptr(alive_)] {
        Seat* followed = alive.expired() ? nullptr : seat(id);
        const room::Participant* participant = followed != nullptr ? room_.find(id) : nullptr;
        if (participant == nullptr || !followed->media_up || !followed->session) {
            return;
        }
        const room::CryptoReceipt receipt = room_receipt(followed->session->crypto_receipt());
        if (receipt != participant->crypto) {
            handle(room::ReceiptChanged{id, receipt});
        }
    });
}

// Whose network carries less gets a picture of fewer bits, then of more again; who loses sound gets it with
// FEC.
void RoomHost::follow_network(Seat& seat) {
    const media::Network network = seat.session->follow_network(services_.video.bitrate);
    if (pipeline_) {
        pipeline_->set_network(seat.arrival.leg, network);
    }
}

void RoomHost::watch_media() {
    pipeline_.tick(!seats_.empty());
    std::vector<std::shared_ptr<Leg>> dead, overdue;
    std::vector<room::Event> events;
    for (auto& [id, seat] : seats_) {
        if (!seat->session || !seat->media_up) {
            continue;
        }
        if (seat->leg && is_over_time(*seat)) {
            overdue.push_back(seat->leg);
        }
        follow_network(*seat);
        const media::Session& session = *seat->session;
        seat->liveness.follow({session.silence(), session.direction(), seat->on_hold},
                              Liveness::Clock::now());
        if (seat->liveness.dead() && seat->leg) {
            dead.push_back(seat->leg);
        }
        const bool seen = seat->liveness.seen();
        if (seen != std::exchange(seat->media_seen, seen)) {
            events.push_back(seen ? room::Event(room::MediaSeen{id}) : room::Event(room::MediaSilent{id}));
        }
    }
    for (const room::Event& event : events) {
        handle(event);
    }
    for (const auto& leg : dead) {
        leg->end(EndCause::media_timeout);
    }
    for (const auto& leg : overdue) {
        leg->end(EndCause::max_duration);
    }
}

}  // namespace vmr::bridge
