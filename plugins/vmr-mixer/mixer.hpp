// One vmr-mixer: its pads, its settings, its two engines.
#pragma once
#include <gst/gst.h>

#include <string>

#include "audio_engine.hpp"
#include "pad_lists.hpp"
#include "settings.hpp"
#include "video_engine.hpp"

namespace vmr::mixer {

class Mixer {
public:
    explicit Mixer(GstElement* element);

    Settings& settings() { return settings_; }

    // The C vfuncs of the element, in C++.
    GstPad* request_pad(GstPadTemplate* templ, const char* name);
    void release_pad(GstPad* pad);
    void start();
    void stop();
    StructurePtr stats() const;
    void show_banner(const char* text, unsigned milliseconds) { video_.show_banner(text, milliseconds); }

    // Callbacks of the pads.
    GstFlowReturn on_audio_received(GstPad* pad, const BufferPtr& buffer);
    bool on_sink_event_received(GstPad* pad, GstEvent* event);
    bool on_src_event_received(GstPad* pad, GstEvent* event);
    bool on_src_query_received(GstPad* pad, GstQuery* query);

private:
    unsigned free_index(const char* templ_name) const;
    bool on_audio_caps_received(GstPad* pad, const GstCaps* caps);
    GstClockTime arrival_of(const GstBuffer* packet, const AudioInput& input) const;
    void attach_callbacks(GstPad* pad, Kind kind);

    GstElement* element_;  // owns this
    Settings settings_;
    PadBook pads_;
    AudioEngine audio_;
    VideoEngine video_;
};

}  // namespace vmr::mixer
