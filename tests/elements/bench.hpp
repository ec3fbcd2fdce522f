// One element on a bench: pads of our own on whichever of its pads a test wants, a clock that moves when told
// to, and its messages. No test waits longer than a deadline, and none sleeps.
#pragma once
#include <gst/check/gsttestclock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/gst_ptr.hpp"

namespace vmr::test {

constexpr const char* kAudioCaps = "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=1";
constexpr const char* kVideoCaps = "video/x-raw,format=I420,width=160,height=96,framerate=15/1";
constexpr GstClockTime kTick = 20 * GST_MSECOND;
constexpr std::size_t kTickSamples = 960;

// What came out of a src pad.
struct Outlet {
    PadPtr pad;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<BufferPtr> buffers;
    std::vector<GstEventType> events;

    std::size_t count();
    std::vector<BufferPtr> take();
    std::vector<std::int16_t> take_samples();
    bool wait_for(std::size_t buffers);  // false after 10 s
    bool saw(GstEventType type);
};

class Bench {
public:
    explicit Bench(const char* factory);
    ~Bench();

    GstElement* element() const { return element_.get(); }
    Outlet& outlet(const char* src_pad);  // links a pad of ours to it, once
    GstPad* inlet(const char* sink_pad,
                  const char* caps);  // the same, with stream-start, caps and segment sent
    void play();

    GstFlowReturn push_audio(const char* sink_pad, const std::vector<std::int16_t>& samples,
                             GstClockTime pts);
    // Pushes `samples` in 20 ms buffers from `pts` on; returns the time after them.
    GstClockTime push_all(const char* sink_pad, const std::vector<std::int16_t>& samples, GstClockTime pts);
    BufferPtr video_frame(std::uint8_t luma, GstClockTime pts) const;
    GstFlowReturn push(const char* sink_pad, BufferPtr buffer);

    void set_time(GstClockTime time) { gst_test_clock_set_time(clock_.get(), time); }
    // Waits for the worker to wait, moves time to `time` at least, and lets it run.
    void crank(GstClockTime time);
    void wait_for_worker();  // until it waits for time to pass

    // The next message with that structure name, or null after 10 s; others are dropped.
    GPtr<GstMessage> message(const char* name);
    bool has_message(const char* name);  // at once

private:
    ElementPtr element_;
    GPtr<GstTestClock> clock_;
    GPtr<GstBus> bus_;
    std::map<std::string, std::unique_ptr<Outlet>> outlets_;
    std::map<std::string, PadPtr> inlets_;
};

}  // namespace vmr::test
