// What the room shows of one participant's video, as vmr-mixer tells it upstream (vmr-video-wanted, see
// docs/elements/vmr-mixer.md), and what follows for who receives it: a depayloader asks for keyframes after a
// loss, and holds back what cannot be decoded, only while somebody sees the picture.
#pragma once
#include <gst/gst.h>

#include <functional>
#include <memory>
#include <mutex>

#include "base/gst_ptr.hpp"

namespace vmr::media {

struct VideoWanted {
    bool on_stage = false;
    int width = 0, height = 0;  // pixels of the largest tile; 0: not known
    bool operator==(const VideoWanted&) const = default;
};

class WantedVideo : public std::enable_shared_from_this<WantedVideo> {
public:
    // Both are called on the control thread, and not after close(), which its owner calls there.
    // `on_keyframe_wanted`: the mixer or the depayloader asks its source for one.
    WantedVideo(std::function<void()> on_changed, std::function<void()> on_keyframe_wanted)
        : on_changed_(std::move(on_changed)), on_keyframe_wanted_(std::move(on_keyframe_wanted)) {}
    void close() { on_changed_ = on_keyframe_wanted_ = nullptr; }

    VideoWanted wanted() const;
    // Follows what passes upstream through a receive chain.
    void watch(GstElement* chain);

private:
    struct Watch {
        std::shared_ptr<WantedVideo> self;
        ElementPtr depayloader;
    };
    void take(const GstStructure* told, GstElement* depayloader);
    void ask_for_keyframe();
    static GstPadProbeReturn on_request_passed(GstPad* pad, GstPadProbeInfo* info, gpointer watch);
    static GstPadProbeReturn on_event_passed(GstPad* pad, GstPadProbeInfo* info, gpointer watch);

    std::function<void()> on_changed_, on_keyframe_wanted_;  // of the control thread
    mutable std::mutex mutex_;                               // leaf; guards wanted_
    VideoWanted wanted_;
};

}  // namespace vmr::media
