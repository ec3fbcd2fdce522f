// The running time of an element, for threads that are not the element's.
#pragma once
#include <gst/gst.h>

#include <mutex>
#include <optional>

#include "base/gst_ptr.hpp"

namespace vmr::rtp_io {

class RoomClock {
public:
    void start(GPtr<GstClock> clock, GstClockTime base_time) {
        const std::lock_guard held(lock_);
        clock_ = std::move(clock);
        base_time_ = base_time;
    }
    void stop() { start(nullptr, 0); }

    // Empty: not PLAYING.
    std::optional<GstClockTime> running_time() const {
        const std::lock_guard held(lock_);
        if (!clock_) {
            return std::nullopt;
        }
        const GstClockTime now = gst_clock_get_time(clock_.get());
        return now > base_time_ ? now - base_time_ : 0;
    }

private:
    mutable std::mutex lock_;  // a leaf: the clock's own lock apart
    GPtr<GstClock> clock_;
    GstClockTime base_time_ = 0;
};

}  // namespace vmr::rtp_io
