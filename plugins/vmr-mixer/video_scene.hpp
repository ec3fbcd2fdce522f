// What there is to see: who is present, who is on stage, what each view shows.
#pragma once
#include <gst/gst.h>

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "audio_engine.hpp"
#include "compositor.hpp"
#include "pad_lists.hpp"
#include "settings.hpp"
#include "stage.hpp"

namespace vmr::mixer {

// Of the vmr-video thread.
class VideoScene {
public:
    VideoScene(GstElement* element, const Settings& settings, const AudioEngine& audio)
        : element_(element), settings_(settings), audio_(audio) {}

    // Once a frame: looks at the pads, and posts vmr-stage when that changed.
    void update(const PadLists& lists, GstClockTime running_time);
    void clear();

    // The tiles belong to this and are good until the next update().
    Scene scene_of(ViewId view) const;
    std::map<unsigned, ViewId> views_for(std::span<const unsigned> viewers) const;
    // Whether somebody else than this participant shares a screen.
    bool shares_content_with(unsigned participant) const {
        return content_ && content_->participant != participant;
    }

private:
    void gather_sources(const PadLists& lists);
    void gather_content(const PadLists& lists);
    void update_stage();
    std::vector<const TileSource*> tiles_for(ViewId view, LayoutKind& layout) const;
    void post_stage(const std::vector<unsigned>& on_stage, std::optional<unsigned> speaker);

    GstElement* element_;
    const Settings& settings_;
    const AudioEngine& audio_;
    double now_ = 0.0;  // s of running time
    std::map<unsigned, TileSource> sources_;
    std::optional<TileSource> content_;
    ActiveSpeaker active_;
    Stage stage_;
    std::vector<unsigned> last_on_stage_;
    std::optional<unsigned> last_speaker_;
    LayoutKind layout_ = LayoutKind::speaker;  // this frame's
    std::size_t capacity_ = 0;                 // this frame's places for participants
};

}  // namespace vmr::mixer
