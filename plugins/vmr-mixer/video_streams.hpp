// The distinct video streams of a room: one encoder and one pace each.
#pragma once
#include <gst/gst.h>

#include <map>
#include <memory>

#include "video_encoder.hpp"
#include "video_format.hpp"

namespace vmr::mixer {

// Of one thread.
class VideoStream {
public:
    explicit VideoStream(const VideoFormat& format) : format_(format) {}

    // Whether a picture is due: a stream may be slower than the room.
    bool due(GstClockTime now, int room_framerate);
    // Requests within 500 ms of the last keyframe wait, so that many viewers cost one.
    void request_keyframe() { keyframe_wanted_ = true; }
    // The picture itself, or its encoded frame; null on failure, with `problem` set once.
    BufferPtr produce(const BufferPtr& picture, GstClockTime now, int bitrate, std::string& problem);
    GstClockTime last_used() const { return last_used_; }

private:
    VideoFormat format_;
    std::unique_ptr<VideoEncoder> encoder_;
    bool keyframe_wanted_ = false;
    bool failed_ = false;
    GstClockTime last_keyframe_ = GST_CLOCK_TIME_NONE;
    GstClockTime next_due_ = 0;
    GstClockTime last_used_ = 0;
};

bool is_keyframe(const BufferPtr& frame);

}  // namespace vmr::mixer
