// What comes into a video or content sink pad.
#pragma once
#include <gst/gst.h>

#include "base/gst_ptr.hpp"
#include "pads.hpp"
#include "video_work.hpp"

namespace vmr::mixer {

// Chain function: keeps the newest picture or queues the frame, and never waits.
GstFlowReturn receive_picture(GstPad* pad, BufferPtr buffer);
bool receive_video_caps(GstPad* pad, GstCaps* caps, const std::shared_ptr<VideoWork>& work);
// Decoding begins or ends.
void enter_or_leave_stage(GstPad* pad, bool on_stage);
// Nothing is shown until the next picture.
void forget_picture(GstPad* pad);

}  // namespace vmr::mixer
