#include "daemon/room/core.hpp"

#include <algorithm>

namespace vmr::room {

Core::Core(RoomConfig room_config, std::shared_ptr<PinThrottle> throttle)
    : config(std::move(room_config)),
      throttle_(throttle ? std::move(throttle) : std::make_shared<PinThrottle>()) {
    reset_meeting();
    published_ = view();
}

Commands Core::handle(const Event& event, TimePoint now) {
    begin(now);
    std::visit([this](const auto& kind) { on(kind); }, event);
    return finish();
}

Commands Core::end(Cause cause, TimePoint now) {
    begin(now);
    end_meeting(cause);
    return finish();
}

void Core::begin(TimePoint now) {
    now_ = std::max(now_, now);
    out_.clear();
    expire();
    settle();
}

Commands Core::finish() {
    settle();
    expire();  // what has no time left at all (a grace of 0) ends now
    settle();
    publish();
    return std::move(out_);
}

// Brings the room to rest after whatever has happened.
void Core::settle() {
    while (settle_lobby()) {
    }
    watch_hosts();
    watch_encryption();
    watch_media_and_company();
}

// One pass over who waits; true if somebody moved, who may have changed it for others.
bool Core::settle_lobby() {
    bool moved = false;
    if (locked_ && count(State::in_room) == 0) {  // rule 14
        locked_ = false;
        audit("", "", "unlock", "", "room_empty");
        moved = true;
    }
    for (const Seat* waiting : by_arrival()) {
        Seat& seat = *find(waiting->p.id);
        if (!seat.in_lobby()) {
            continue;
        }
        const LobbyReason reason = wait_on(seat.p.lobby_reason, door_of(seat));
        if (reason == LobbyReason::none && seat.p.connected &&
            count(State::in_room) < config.max_participants) {
            enter(seat);
            moved = true;
        } else if (reason != LobbyReason::none && reason != seat.p.lobby_reason) {
            wait(seat, reason);
            moved = true;
        }
    }
    return moved;
}

// Rule 9. A host who comes back in time finds everything as it was.
void Core::watch_hosts() {
    const bool present = hosts_in_room() > 0;
    if (present) {
        host_absent_until_.reset();
    } else if (host_was_present_ && count(State::in_room) > 0 &&
               config.host_absence != HostAbsence::keep_going) {
        const bool at_once = config.host_absence == HostAbsence::rehold && host_left_on_purpose_;
        host_absent_until_ = at_once ? now_ : host_last_seen_ + config.host_grace;
    }
    if (count(State::in_room) == 0) {
        host_absent_until_.reset();
    }
    host_was_present_ = present;
}

void Core::watch_encryption() {
    const bool unencrypted = std::any_of(seats.begin(), seats.end(), [](const auto& entry) {
        return entry.second.in_room() && !entry.second.p.encrypted;
    });
    announce_encryption(unencrypted);
    was_unencrypted_ = unencrypted;
}

void Core::publish() {
    for (const Seat* seat : by_arrival()) {
        if (seat->changed) {
            emit(ParticipantChanged{seat->p});
            find(seat->p.id)->changed = false;
        }
    }
    RoomView now_seen = view();
    if (!published_ || !(*published_ == now_seen)) {
        emit(RoomChanged{now_seen});
        published_ = std::move(now_seen);
    }
}

void Core::reset_meeting() {
    locked_ = false;
    layout_ = config.layout;
    recording_ = false;
    muted_guests_ = false;
    mute_newcomers_ = config.mute_newcomers;
    chat_allowed_ = config.chat_allowed;
    said_ = {};
    started_at_.reset();
    minutes_said_.reset();
    spotlight_.clear();
    talking_.clear();
    host_was_present_ = false;
    host_absent_until_.reset();
    was_unencrypted_ = false;
    silent_since_.reset();
    lone_since_.reset();
    last_sound_.clear();
    meeting_over_ = false;
}

std::vector<const Seat*> Core::by_arrival() const {
    std::vector<const Seat*> all;
    all.reserve(seats.size());
    for (const auto& entry : seats) {
        all.push_back(&entry.second);
    }
    std::sort(all.begin(), all.end(), [](const Seat* a, const Seat* b) { return a->order < b->order; });
    return all;
}

Seat* Core::find(const ParticipantId& id) {
    const auto found = seats.find(id);
    return found == seats.end() ? nullptr : &found->second;
}

std::size_t Core::count(State state) const {
    return static_cast<std::size_t>(std::count_if(
        seats.begin(), seats.end(), [state](const auto& entry) { return entry.second.p.state == state; }));
}

std::size_t Core::hosts_in_room() const {
    return static_cast<std::size_t>(std::count_if(
        seats.begin(), seats.end(), [](const auto& entry) { return entry.second.host_in_room(); }));
}

bool Core::is_last_host(const Seat& seat) const {
    return seat.host_in_room() && hosts_in_room() == 1;
}

RoomView Core::view() const {
    RoomView seen;
    seen.id = config.id;
    seen.title = config.title;
    seen.aliases = config.aliases;
    seen.locked = locked_;
    seen.layout = layout_;
    seen.guests_allowed = config.guests_allowed;
    seen.has_host_pin = config.has_host_pin();
    seen.has_guest_pin = config.has_guest_pin();
    seen.host_present = hosts_in_room() > 0;
    seen.unencrypted = was_unencrypted_;
    seen.muted_guests = muted_guests_;
    seen.mute_newcomers = mute_newcomers_;
    seen.chat_allowed = chat_allowed_;
    seen.recording = recording_;
    seen.encryption = config.encryption;
    seen.host_absence = config.host_absence;
    seen.started_at = started_at_;
    seen.participant_count = static_cast<unsigned>(count(State::in_room));
    seen.waiting_count = static_cast<unsigned>(count(State::lobby));
    return seen;
}

void Core::on(const Talking& event) {
    std::set<ParticipantId> talking;
    for (const ParticipantId& id : event.ids) {
        const Seat* seat = find(id);
        if (seat != nullptr && seat->in_room() && seat->p.connected && seat->p.audible()) {
            talking.insert(id);
        }
    }
    if (talking == talking_) {
        return;
    }
    talking_ = std::move(talking);
    for (auto& [id, seat] : seats) {
        seat.p.talking = talking_.contains(id);
    }
    // Not a ParticipantChanged each: in a lively room that would be most of the traffic.
    emit(TalkingChanged{{talking_.begin(), talking_.end()}});
}

void Core::on(const MediaSeen& event) {
    if (Seat* seat = find(event.id); seat != nullptr && seat->p.state != State::connecting) {
        seat->media = true;
    }
}

void Core::on(const MediaSilent& event) {
    if (Seat* seat = find(event.id)) {
        seat->media = false;
    }
}

void Core::on(const Left& event) {
    if (Seat* seat = find(event.id)) {
        leave(*seat, event.cause, false);
    }
}

// --- Room: the public face ---

Room::Room(RoomConfig config, std::shared_ptr<PinThrottle> throttle)
    : core_(std::make_unique<Core>(std::move(config), std::move(throttle))) {}
Room::Room(Room&&) noexcept = default;
Room& Room::operator=(Room&&) noexcept = default;
Room::~Room() = default;

Commands Room::handle(const Event& event, TimePoint now) {
    return core_->handle(event, now);
}
Commands Room::end(Cause cause, TimePoint now) {
    return core_->end(cause, now);
}
std::optional<TimePoint> Room::next_deadline() const {
    return core_->next_deadline();
}
const RoomConfig& Room::config() const {
    return core_->config;
}
RoomView Room::view() const {
    return core_->view();
}
bool Room::idle() const {
    return core_->seats.empty();
}

std::vector<Participant> Room::roster() const {
    std::vector<Participant> all;
    for (const Seat* seat : core_->by_arrival()) {
        all.push_back(seat->p);
    }
    return all;
}

const Participant* Room::find(const ParticipantId& id) const {
    const auto found = core_->seats.find(id);
    return found == core_->seats.end() ? nullptr : &found->second.p;
}

}  // namespace vmr::room
