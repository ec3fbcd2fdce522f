#include "ticker.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace vmr::mixer {

void name_this_thread(const char* name) {
    pthread_setname_np(pthread_self(), name);
}

void Ticker::start(GstClock* clock, GstClockTime base_time, const char* thread_name, Period period,
                   GstClockTime patience, Callback callback) {
    stop();
    clock_ = GPtr<GstClock>::ref(clock);
    base_time_ = base_time;
    period_ = std::move(period);
    patience_ = patience;
    callback_ = std::move(callback);
    stopping_ = false;
    hurried_ = false;
    thread_ = std::thread([this, thread_name] {
        name_this_thread(thread_name);
        run();
    });
}

void Ticker::stop() {
    if (!thread_.joinable()) {
        return;
    }
    {
        const std::lock_guard held(lock_);
        stopping_ = true;
        if (waiting_ != nullptr) {
            gst_clock_id_unschedule(waiting_);
        }
    }
    thread_.join();
    clock_.reset();
}

void Ticker::hurry() {
    const std::lock_guard held(lock_);
    hurried_ = true;
    if (waiting_ != nullptr) {
        gst_clock_id_unschedule(waiting_);
    }
}

bool Ticker::was_hurried() {
    const std::lock_guard held(lock_);
    return std::exchange(hurried_, false);
}

GstClockTime Ticker::running_time() const {
    const GstClockTime now = gst_clock_get_time(clock_.get());
    return now > base_time_ ? now - base_time_ : 0;
}

bool Ticker::wait_until(GstClockTime running_time) {
    GstClockID id = nullptr;
    {
        const std::lock_guard held(lock_);
        if (stopping_) {
            return false;
        }
        if (hurried_) {
            return true;
        }
        id = gst_clock_new_single_shot_id(clock_.get(), base_time_ + running_time);
        waiting_ = id;
    }
    gst_clock_id_wait(id, nullptr);
    const std::lock_guard held(lock_);
    waiting_ = nullptr;
    gst_clock_id_unref(id);
    return !stopping_;
}

void Ticker::run() {
    GstClockTime period = period_();
    GstClockTime next = (running_time() + period - 1) / period * period;
    while (wait_until(next)) {
        if (was_hurried()) {
            period = period_();
            next = std::min(next, (running_time() + period - 1) / period * period);
            continue;
        }
        callback_(next);
        period = period_();
        next = next / period * period + period;
        const GstClockTime now = running_time();
        if (now > next + patience_) {
            next = (now + period - 1) / period * period;
        }
    }
}

}  // namespace vmr::mixer
