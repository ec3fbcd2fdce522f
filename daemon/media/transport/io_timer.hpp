// One-shot timers of a media-io thread, in a queue of its own: GLib looks at each of its sources whenever the
// loop turns, and each leg has timers.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>

namespace vmr::media {

class IoTimer;
class MediaIo;

// Used on the media-io thread only.
class IoTimers {
public:
    // When the first is due, µs of the monotonic clock; empty: there is none.
    std::optional<int64_t> next() const;
    void fire_due();

private:
    friend class IoTimer;
    using Queue = std::multimap<int64_t, IoTimer*>;

    Queue queue_;
};

// Used on the thread that it was started on only.
class IoTimer {
public:
    IoTimer() = default;
    ~IoTimer() { cancel(); }
    IoTimer(const IoTimer&) = delete;
    IoTimer& operator=(const IoTimer&) = delete;

    void start(MediaIo& io, std::chrono::microseconds delay, std::function<void()> action);
    void cancel();
    bool running() const { return timers_ != nullptr; }

private:
    friend class IoTimers;
    void fire();

    IoTimers* timers_ = nullptr;
    IoTimers::Queue::iterator at_;
    std::function<void()> action_;
};

}  // namespace vmr::media
