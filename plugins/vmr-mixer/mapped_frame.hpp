// A buffer's planes while it is mapped.
#pragma once
#include <gst/video/video.h>

#include "image.hpp"

namespace vmr::mixer {

class MappedFrame {
public:
    MappedFrame(GstBuffer* buffer, const GstVideoInfo& info, GstMapFlags flags)
        : mapped_(gst_video_frame_map(&frame_, &info, buffer, flags) != FALSE) {}
    ~MappedFrame() {
        if (mapped_) {
            gst_video_frame_unmap(&frame_);
        }
    }
    MappedFrame(const MappedFrame&) = delete;
    MappedFrame& operator=(const MappedFrame&) = delete;
    explicit operator bool() const { return mapped_; }
    Planes planes() {
        const auto plane = [this](guint i) {
            return static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, i));
        };
        return {plane(0),
                plane(1),
                plane(2),
                GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, 0),
                GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, 1),
                GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, 2),
                GST_VIDEO_FRAME_WIDTH(&frame_),
                GST_VIDEO_FRAME_HEIGHT(&frame_)};
    }

private:
    GstVideoFrame frame_{};
    bool mapped_;
};

}  // namespace vmr::mixer
