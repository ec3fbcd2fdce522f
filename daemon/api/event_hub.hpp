// Events of rooms as CloudEvents 1.0: numbered, kept in a bounded ring per room so that
// a subscriber may resume, and handed to bounded subscribers. Pure: the WebSocket end is
// a Sink that the server gives. Main context only.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmr::api {

class EventHub {
public:
    // {room: Room, participants: [Participant]}; null when there is no such room. Of the room without a name,
    // which stands for the devices that register: {devices: [Device]}.
    using SnapshotProvider = std::function<nlohmann::json(const std::string& room)>;
    using Clock = std::function<std::chrono::system_clock::time_point()>;

    enum class Dropped {
        too_slow,
        not_allowed,  // may_follow() is false
        room_gone,
    };

    class Sink {
    public:
        virtual ~Sink() = default;
        // Whether the subscriber may learn of the room now: asked before anything is delivered.
        virtual bool may_follow() const = 0;
        // The newest event that happened before they might; none up to it is delivered when they resume.
        virtual std::uint64_t hidden_until() const = 0;
        // False when the subscriber is too slow to take more: it is dropped.
        virtual bool deliver(const std::string& text) = 0;
        // Nothing is delivered any more.
        virtual void on_dropped(Dropped reason) = 0;
    };

    struct Limits {
        std::size_t ring_events = 512;        // per room
        std::size_t ring_bytes = 512 * 1024;  // per room
        std::size_t subscribers_per_room = 2000;
    };

    explicit EventHub(SnapshotProvider snapshot = {}, Clock clock = std::chrono::system_clock::now);
    EventHub(SnapshotProvider snapshot, Clock clock, Limits limits);

    void set_snapshot_provider(SnapshotProvider snapshot) { snapshot_ = std::move(snapshot); }

    // `type` without the "vmr." prefix is a bug; see Event in the OpenAPI document.
    // Returns the event's id.
    std::uint64_t publish(const std::string& room, std::string_view type, nlohmann::json data);
    // Forgets the room's ring and drops its subscribers (after vmr.room.ended of a deleted room).
    void forget_room(const std::string& room);

    // Of a meeting that is over nothing is kept: who resumes gets a snapshot.
    void forget_events(const std::string& room);

    bool room_exists(const std::string& room) const { return snapshot_ && !snapshot_(room).is_null(); }

    enum class Subscribed { ok, no_such_room, full, not_allowed };
    // Delivers the snapshot, or the events after `since` where the ring still has them all and none is
    // hidden.
    Subscribed subscribe(const std::string& room, std::optional<std::uint64_t> since,
                         std::shared_ptr<Sink> sink);
    void unsubscribe(const Sink& sink);
    // Drops subscribers that may not follow any more; publish() does so with those of its room.
    void drop_unallowed();

    std::uint64_t last_id() const { return last_id_; }
    std::size_t subscriber_count() const;

private:
    struct Kept {
        std::uint64_t id;
        std::string text;
    };
    struct RoomEvents {
        std::deque<Kept> ring;
        std::size_t bytes = 0;
        std::uint64_t forgotten = 0;  // the newest id that is no longer in the ring
        std::vector<std::shared_ptr<Sink>> sinks;
    };
    void drop(const std::shared_ptr<Sink>& sink, Dropped reason);
    std::string envelope(std::uint64_t id, const std::string& room, std::string_view type,
                         nlohmann::json data) const;

    SnapshotProvider snapshot_;
    Clock clock_;
    Limits limits_;
    std::uint64_t first_id_;  // ids before this run's are never resumed
    std::uint64_t last_id_;
    std::map<std::string, RoomEvents> rooms_;
};

}  // namespace vmr::api
