// One-shot timers of a media-io thread. All of them are one source of its loop: GLib looks at each source
// whenever the loop turns, and each leg has timers.
#pragma once
#include <glib.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>

namespace vmr::media {

class IoTimer;
class MediaIo;

// Used on the thread of its context only.
class IoTimers {
public:
    explicit IoTimers(GMainContext* context);
    ~IoTimers();  // no timer may be left
    IoTimers(const IoTimers&) = delete;
    IoTimers& operator=(const IoTimers&) = delete;

private:
    friend class IoTimer;
    using Queue = std::multimap<int64_t, IoTimer*>;  // by µs of the monotonic clock

    Queue::iterator add(IoTimer& timer, int64_t due);
    void remove(Queue::iterator at);
    void rearm();
    static gboolean on_due(gpointer self);

    Queue queue_;
    GSource* source_;
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
