#include "daemon/media/transport/io_timer.hpp"

#include <utility>

#include "base/guard.hpp"
#include "daemon/media/transport/media_io.hpp"

namespace vmr::media {

namespace {

// A source that has nothing but a time.
GSourceFuncs timed_source = {
    nullptr, nullptr, [](GSource*, GSourceFunc callback, gpointer data) { return callback(data); },
    nullptr, nullptr, nullptr};

}  // namespace

IoTimers::IoTimers(GMainContext* context) : source_(g_source_new(&timed_source, sizeof(GSource))) {
    g_source_set_static_name(source_, "vmr timers");
    g_source_set_callback(source_, on_due, this, nullptr);
    g_source_attach(source_, context);
}

IoTimers::~IoTimers() {
    g_source_destroy(source_);
    g_source_unref(source_);
}

IoTimers::Queue::iterator IoTimers::add(IoTimer& timer, int64_t due) {
    const auto at = queue_.emplace(due, &timer);
    rearm();
    return at;
}

void IoTimers::remove(Queue::iterator at) {
    const bool first = at == queue_.begin();
    queue_.erase(at);
    if (first) {
        rearm();
    }
}

void IoTimers::rearm() {
    const gint64 due = queue_.empty() ? -1 : queue_.begin()->first;
    if (g_source_get_ready_time(source_) != due) {
        g_source_set_ready_time(source_, due);
    }
}

gboolean IoTimers::on_due(gpointer self) {
    auto* timers = static_cast<IoTimers*>(self);
    // Those that an action starts anew wait for the next turn, or the loop would not go on.
    const int64_t now = g_get_monotonic_time();
    while (!timers->queue_.empty() && timers->queue_.begin()->first <= now) {
        timers->queue_.begin()->second->fire();
    }
    timers->rearm();
    return G_SOURCE_CONTINUE;
}

void IoTimer::start(MediaIo& io, std::chrono::microseconds delay, std::function<void()> action) {
    cancel();
    action_ = std::move(action);
    // At least 1 µs from now: see on_due().
    const int64_t wait = delay.count() > 1 ? delay.count() : 1;
    timers_ = &io.timers();
    at_ = timers_->add(*this, g_get_monotonic_time() + wait);
}

void IoTimer::cancel() {
    if (timers_ != nullptr) {
        std::exchange(timers_, nullptr)->remove(at_);
    }
}

void IoTimer::fire() {
    cancel();  // the action may start it again
    const auto action = std::move(action_);
    guard(nullptr, action);
}

}  // namespace vmr::media
