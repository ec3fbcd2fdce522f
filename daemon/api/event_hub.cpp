#include "daemon/api/event_hub.hpp"

#include <algorithm>
#include <iterator>

#include "schemas/time_text.hpp"

namespace vmr::api {

using nlohmann::json;

EventHub::EventHub(SnapshotProvider snapshot, Clock clock)
    : EventHub(std::move(snapshot), std::move(clock), Limits()) {}

// Ids start at the time in microseconds: they grow from one run to the next, so that an id of
// an earlier run is always older than this run's, and stay below 2^53.
EventHub::EventHub(SnapshotProvider snapshot, Clock clock, Limits limits)
    : snapshot_(std::move(snapshot)), clock_(std::move(clock)), limits_(limits) {
    const auto since_epoch = clock_().time_since_epoch();
    first_id_ = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count());
    last_id_ = first_id_;
}

std::string EventHub::envelope(std::uint64_t id, const std::string& room, std::string_view type,
                               json data) const {
    const bool trunk = room.empty() && data.contains("trunk");
    const std::string other = room.empty() ? data.value(trunk ? "trunk" : "device", "") : std::string();
    const json event = {{"specversion", "1.0"},
                        {"id", std::to_string(id)},
                        {"source", trunk          ? "/trunks"
                                   : room.empty() ? "/devices"
                                                  : "/rooms/" + room},
                        {"type", type},
                        {"subject", room.empty() ? other : room},
                        {"time", schema::rfc3339(clock_())},
                        {"datacontenttype", "application/json"},
                        {"data", std::move(data)}};
    // A name may hold broken UTF-8 (SIP display names): replace it rather than throw.
    return event.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::uint64_t EventHub::publish(const std::string& room, std::string_view type, json data) {
    const std::uint64_t id = ++last_id_;
    std::string text = envelope(id, room, type, std::move(data));
    auto [found, is_new] = rooms_.try_emplace(room);
    RoomEvents& events = found->second;
    if (is_new) {
        events.forgotten = id - 1;  // of an earlier life of this room nothing is known
    }
    // A sink may unsubscribe others while it is told: work on a copy.
    const std::vector<std::shared_ptr<Sink>> sinks = events.sinks;
    events.bytes += text.size();
    events.ring.push_back({id, text});
    while (events.ring.size() > limits_.ring_events || events.bytes > limits_.ring_bytes) {
        events.forgotten = events.ring.front().id;
        events.bytes -= events.ring.front().text.size();
        events.ring.pop_front();
    }
    for (const auto& sink : sinks) {
        if (!sink->may_follow()) {
            drop(sink, Dropped::not_allowed);
        } else if (!sink->deliver(text)) {
            drop(sink, Dropped::too_slow);
        }
    }
    return id;
}

void EventHub::drop(const std::shared_ptr<Sink>& sink, Dropped reason) {
    unsubscribe(*sink);
    sink->on_dropped(reason);
}

void EventHub::drop_unallowed() {
    std::vector<std::shared_ptr<Sink>> unallowed;
    for (const auto& [room, events] : rooms_) {
        std::ranges::copy_if(events.sinks, std::back_inserter(unallowed),
                             [](const auto& sink) { return !sink->may_follow(); });
    }
    for (const auto& sink : unallowed) {
        drop(sink, Dropped::not_allowed);
    }
}

void EventHub::forget_room(const std::string& room) {
    const auto found = rooms_.find(room);
    if (found == rooms_.end()) {
        return;
    }
    const std::vector<std::shared_ptr<Sink>> sinks = std::move(found->second.sinks);
    rooms_.erase(found);
    for (const auto& sink : sinks) {
        sink->on_dropped(Dropped::room_gone);
    }
}

void EventHub::forget_events(const std::string& room) {
    const auto found = rooms_.find(room);
    if (found != rooms_.end()) {
        found->second.ring.clear();
        found->second.bytes = 0;
        found->second.forgotten = last_id_;
    }
}

EventHub::Subscribed EventHub::subscribe(const std::string& room, std::optional<std::uint64_t> since,
                                         std::shared_ptr<Sink> sink) {
    if (!sink->may_follow()) {
        return Subscribed::not_allowed;
    }
    json snapshot = snapshot_ ? snapshot_(room) : json();
    if (snapshot.is_null()) {
        return Subscribed::no_such_room;
    }
    auto [found, is_new] = rooms_.try_emplace(room);
    RoomEvents& events = found->second;
    if (is_new) {
        // Nothing was published for this room in this run (or it was forgotten): only a
        // snapshot is complete.
        events.forgotten = last_id_;
    }
    if (events.sinks.size() >= limits_.subscribers_per_room) {
        return Subscribed::full;
    }
    bool alive = true;
    const bool resumable = since && *since >= std::max(events.forgotten, sink->hidden_until()) &&
                           *since <= last_id_ && *since > first_id_;
    if (resumable) {
        for (const Kept& kept : events.ring) {
            alive = alive && (kept.id <= *since || sink->deliver(kept.text));
        }
    } else {
        alive = sink->deliver(envelope(last_id_, room, "vmr.snapshot", std::move(snapshot)));
    }
    if (!alive) {
        sink->on_dropped(Dropped::too_slow);
        return Subscribed::ok;
    }
    events.sinks.push_back(std::move(sink));
    return Subscribed::ok;
}

void EventHub::unsubscribe(const Sink& sink) {
    for (auto& [room, events] : rooms_) {
        std::erase_if(events.sinks, [&](const auto& other) { return other.get() == &sink; });
    }
}

std::size_t EventHub::subscriber_count() const {
    std::size_t count = 0;
    for (const auto& [room, events] : rooms_) {
        count += events.sinks.size();
    }
    return count;
}

}  // namespace vmr::api
