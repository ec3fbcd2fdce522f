// A picture in, the bytes of its frame out.
#pragma once
#include <gst/gst.h>

#include <memory>

#include "base/gst_ptr.hpp"
#include "base/result.hpp"
#include "inner_element.hpp"
#include "video_format.hpp"

namespace vmr::mixer {

// Of one thread at a time. Encodes without look-ahead, so each picture gives its frame at once.
class VideoEncoder {
public:
    static Result<std::unique_ptr<VideoEncoder>> create(const VideoFormat& format, int bitrate);

    void set_bitrate(int bitrate);  // bit/s
    // Null: the encoder failed and is of no more use.
    BufferPtr encode(const BufferPtr& picture, bool keyframe);

private:
    VideoEncoder(ElementPtr element, VideoCodec codec) : element_(std::move(element)), codec_(codec) {}
    void configure(const VideoFormat& format);
    bool open(const VideoFormat& format);

    InnerElement element_;
    const VideoCodec codec_;
    int bitrate_ = 0;
    unsigned keyframes_ = 0;
};

}  // namespace vmr::mixer
