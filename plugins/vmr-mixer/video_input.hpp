// What comes into a video or content sink pad.
#pragma once
#include <gst/gst.h>

#include "base/gst_ptr.hpp"
#include "pads.hpp"

namespace vmr::mixer {

// Chain function: keeps the newest picture, and never waits.
GstFlowReturn receive_picture(GstPad* pad, BufferPtr buffer);
bool receive_video_caps(GstPad* pad, GstCaps* caps);
// Nothing is shown until the next picture.
void forget_picture(GstPad* pad);

}  // namespace vmr::mixer
