// The room's pictures in GStreamer: composes each distinct view once a frame, encodes each
// distinct stream once, and hands the results to the src pads.
#pragma once
#include <gst/gst.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "audio_engine.hpp"
#include "compositor.hpp"
#include "pad_lists.hpp"
#include "push_pool.hpp"
#include "settings.hpp"
#include "stage.hpp"
#include "ticker.hpp"
#include "video_streams.hpp"

namespace vmr::mixer {

struct VideoCounters {
    std::uint64_t ticks = 0;
    std::uint64_t composites = 0;  // views drawn, wholly or in part
    std::uint64_t scales = 0;      // pictures scaled into tiles
    std::uint64_t encodes = 0;
};

class VideoEngine {
public:
    VideoEngine(GstElement* element, const PadBook& pads, const Settings& settings, const AudioEngine& audio)
        : element_(element), pads_(pads), settings_(settings), audio_(audio) {}

    void start(GstClock* clock, GstClockTime base_time);
    void stop();
    void forget(GstPad* src_pad) { pool_.forget(src_pad); }

    void show_banner(const char* text, unsigned milliseconds) { banners_.add(text, milliseconds / 1000.0); }

    VideoCounters counters() const;
    std::uint64_t dropped() const { return pool_.dropped(); }

private:
    struct Viewer {
        GstPad* pad;
        VideoFormat format;
    };

    void tick(GstClockTime running_time);
    void gather_sources(const PadLists& lists);
    void gather_content(const PadLists& lists);
    void update_stage(GstClockTime running_time);
    std::vector<Viewer> gather_viewers(const PadLists& lists, GstClockTime running_time);
    void assign_views(const std::vector<Viewer>& viewers);
    void follow(GstPad* pad, const VideoStreamId& id);
    void serve(const std::vector<Viewer>& viewers, GstClockTime running_time);
    BufferPtr picture_for(const VideoStreamId& id, GstClockTime running_time);
    Scene scene_of(ViewId view, GstClockTime running_time);
    std::vector<const TileSource*> tiles_for(ViewId view, LayoutKind& layout) const;
    void hand_out(const std::vector<Viewer>& viewers, const VideoStreamId& id, const BufferPtr& frame);
    void post_stage(const std::vector<unsigned>& on_stage, std::optional<unsigned> speaker);

    GstElement* element_;  // owns this
    const PadBook& pads_;
    const Settings& settings_;
    const AudioEngine& audio_;
    Ticker ticker_;
    PushPool pool_;
    Banners banners_;

    // Of the vmr-video thread:
    std::map<unsigned, TileSource> sources_;
    std::optional<TileSource> content_;
    ActiveSpeaker active_;
    Stage stage_;
    std::vector<unsigned> last_on_stage_;
    std::optional<unsigned> last_speaker_;
    LayoutKind layout_ = LayoutKind::speaker;  // this frame's
    std::size_t capacity_ = 0;                 // this frame's places for participants
    Compositor compositor_;
    std::map<ViewSize, BufferPtr> pictures_;
    std::map<VideoStreamId, std::unique_ptr<VideoStream>> streams_;
    std::vector<PushPool::Job> jobs_;
    VideoCounters work_;

    mutable std::mutex lock_;  // leaf; guards counters_
    VideoCounters counters_;
};

}  // namespace vmr::mixer
