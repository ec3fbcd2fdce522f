// A named thread that wakes at every multiple of a period on a pipeline's clock.
#pragma once
#include <gst/gst.h>

#include <functional>
#include <mutex>
#include <thread>

#include "base/gst_ptr.hpp"

namespace vmr::mixer {

class Ticker {
public:
    // Called with the tick's running time. It must not block on other elements.
    using Callback = std::function<void(GstClockTime running_time)>;
    // Asked before each tick, so that the period may change while running.
    using Period = std::function<GstClockTime()>;

    Ticker() = default;
    ~Ticker() { stop(); }
    Ticker(const Ticker&) = delete;
    Ticker& operator=(const Ticker&) = delete;

    // A tick that is late by more than `patience` is skipped; one within it is caught up.
    void start(GstClock* clock, GstClockTime base_time, const char* thread_name, Period period,
               GstClockTime patience, Callback callback);
    void stop();
    // The period has become shorter: the next tick is not waited for as long as it was.
    void hurry();
    bool running() const { return thread_.joinable(); }

private:
    void run();
    bool wait_until(GstClockTime running_time);
    bool was_hurried();
    GstClockTime running_time() const;

    GPtr<GstClock> clock_;
    GstClockTime base_time_ = 0;
    Period period_;
    GstClockTime patience_ = 0;
    Callback callback_;

    std::mutex lock_;  // guards the three below
    bool stopping_ = false;
    bool hurried_ = false;
    GstClockID waiting_ = nullptr;
    std::thread thread_;
};

// Linux keeps 15 characters of a thread's name.
void name_this_thread(const char* name);

}  // namespace vmr::mixer
