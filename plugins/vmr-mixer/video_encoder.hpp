// One of GStreamer's encoders as a private child: a picture in, the bytes of one frame out.
#pragma once
#include <gst/gst.h>

#include <memory>
#include <vector>

#include "base/gst_ptr.hpp"
#include "base/result.hpp"
#include "video_format.hpp"

namespace vmr::mixer {

// Of one thread. Encodes without look-ahead, so each picture gives its frame at once.
class VideoEncoder {
public:
    static Result<std::unique_ptr<VideoEncoder>> create(const VideoFormat& format, int bitrate);
    ~VideoEncoder();
    VideoEncoder(const VideoEncoder&) = delete;
    VideoEncoder& operator=(const VideoEncoder&) = delete;

    void set_bitrate(int bitrate);  // bit/s
    // Null: the encoder failed and is of no more use.
    BufferPtr encode(const BufferPtr& picture, bool keyframe);

private:
    VideoEncoder() = default;
    void configure(const VideoFormat& format);
    bool open(const VideoFormat& format);
    static GstFlowReturn on_frame_encoded(GstPad* pad, GstObject* parent, GstBuffer* buffer);

    VideoCodec codec_ = VideoCodec::vp8;
    int bitrate_ = 0;
    unsigned keyframes_ = 0;
    ElementPtr encoder_;
    PadPtr in_;   // pushes into the encoder
    PadPtr out_;  // takes what it makes
    std::vector<BufferPtr> encoded_;
};

}  // namespace vmr::mixer
