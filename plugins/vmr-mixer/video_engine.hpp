// The room's pictures in GStreamer: composes each distinct view once a frame, has each distinct
// stream encoded once, for all of its viewers.
#pragma once
#include <gst/gst.h>

#include <map>
#include <memory>
#include <mutex>

#include "audio_engine.hpp"
#include "compositor.hpp"
#include "demand.hpp"
#include "pad_lists.hpp"
#include "push_pool.hpp"
#include "settings.hpp"
#include "ticker.hpp"
#include "video_scene.hpp"
#include "video_streams.hpp"

namespace vmr::mixer {

struct VideoCounters {
    std::uint64_t ticks = 0;
    std::uint64_t composites = 0;  // views drawn, wholly or in part
    std::uint64_t scales = 0;      // pictures scaled into tiles
};

class VideoEngine {
public:
    VideoEngine(GstElement* element, const PadBook& pads, const Settings& settings, const AudioEngine& audio)
        : element_(element), pads_(pads), settings_(settings), scene_(element, settings, audio) {}

    void start(GstClock* clock, GstClockTime base_time);
    void stop();
    void forget(GstPad* src_pad) { pool_.forget(src_pad); }
    // A pad has come, and with it perhaps the first picture or viewer.
    void on_pad_added() { ticker_.hurry(); }

    void show_banner(const char* text, unsigned milliseconds) { banners_.add(text, milliseconds / 1000.0); }

    // For decoders, which may outlast this.
    std::shared_ptr<VideoWork> work() const { return done_; }
    void add_stats(GstStructure* stats) const;

private:
    struct Viewer {
        GstPad* pad;
        VideoFormat format;
    };
    using Audiences = std::map<VideoStreamId, std::vector<GstPad*>>;

    void tick(GstClockTime running_time);
    std::vector<Viewer> gather_viewers(const PadLists& lists, GstClockTime running_time);
    void choose_class(Output& state, GstClockTime running_time) const;
    Audiences assign_views(const std::vector<Viewer>& viewers) const;
    void attend(const Audiences& audiences);
    void serve(const Audiences& audiences, GstClockTime running_time);
    int bitrate_for(const VideoFormat& format, const std::vector<GstPad*>& viewers) const;
    void plan_scenes(const Audiences& audiences, const PadLists& lists);
    const Compositor::Drawn& picture_for(const VideoStreamId& id, GstClockTime running_time);
    void publish();

    GstElement* element_;  // owns this
    const PadBook& pads_;
    const Settings& settings_;
    Ticker ticker_;
    PushPool pool_;
    Banners banners_;
    std::shared_ptr<WorkPool> workers_;  // while running
    const std::shared_ptr<VideoWork> done_ = std::make_shared<VideoWork>();

    // Of the vmr-video thread:
    VideoScene scene_;
    Compositor compositor_;
    std::map<ViewSize, Scene> scenes_;                // of this frame
    std::map<ViewSize, Compositor::Drawn> pictures_;  // of this frame
    Demand demand_;
    std::map<VideoStreamId, std::unique_ptr<VideoStream>> streams_;
    std::vector<PushPool::Job> jobs_;
    VideoCounters work_;

    mutable std::mutex lock_;  // leaf; guards counters_
    VideoCounters counters_;
};

}  // namespace vmr::mixer
