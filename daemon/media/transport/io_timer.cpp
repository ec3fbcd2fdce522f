#include "daemon/media/transport/io_timer.hpp"

#include <glib.h>

#include <utility>

#include "base/guard.hpp"
#include "daemon/media/transport/media_io.hpp"

namespace vmr::media {

std::optional<int64_t> IoTimers::next() const {
    return queue_.empty() ? std::nullopt : std::optional(queue_.begin()->first);
}

void IoTimers::fire_due() {
    if (queue_.empty()) {
        return;
    }
    // Those that an action starts anew wait for the next turn, or the loop would not go on.
    const int64_t now = g_get_monotonic_time();
    while (!queue_.empty() && queue_.begin()->first <= now) {
        queue_.begin()->second->fire();
    }
}

void IoTimer::start(MediaIo& io, std::chrono::microseconds delay, std::function<void()> action) {
    cancel();
    action_ = std::move(action);
    // At least 1 µs from now: see fire_due().
    const int64_t wait = delay.count() > 1 ? delay.count() : 1;
    timers_ = &io.timers();
    at_ = timers_->queue_.emplace(g_get_monotonic_time() + wait, this);
}

void IoTimer::cancel() {
    if (timers_ != nullptr) {
        std::exchange(timers_, nullptr)->queue_.erase(at_);
    }
}

void IoTimer::fire() {
    cancel();  // the action may start it again
    const auto action = std::move(action_);
    guard(nullptr, action);
}

}  // namespace vmr::media
