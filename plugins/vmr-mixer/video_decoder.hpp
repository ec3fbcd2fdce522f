// A frame of a camera in, its picture out.
#pragma once
#include <gst/gst.h>
#include <gst/video/video.h>

#include <memory>

#include "base/gst_ptr.hpp"
#include "base/result.hpp"
#include "inner_element.hpp"

namespace vmr::mixer {

// Of one thread at a time.
class VideoDecoder {
public:
    // Caps of VP8, or of H.264 in access units.
    static Result<std::unique_ptr<VideoDecoder>> create(GstCaps* caps);

    // False: it failed and is of no more use. Without a picture in `picture`: it needs more frames.
    bool decode(BufferPtr frame, BufferPtr& picture);
    const GstVideoInfo& format() const { return *element_.out_format(); }  // of the last picture

private:
    explicit VideoDecoder(ElementPtr element) : element_(std::move(element)) {}
    InnerElement element_;
};

}  // namespace vmr::mixer
