// What both engines do with a src pad.
#pragma once
#include <gst/gst.h>

#include <vector>

#include "push_pool.hpp"

namespace vmr::mixer {

// How the push pool reaches this element's src pads.
extern const PushPool::Handler kDownstream;
// The same from the caller's thread, for a pad whose peer only queues.
void push_now(GstPad* src_pad, BufferPtr buffer);

// Whether the pad is linked and has agreed on a format. When it has to be asked (new link,
// reconfigure event, an earlier failure) a negotiation is added to `jobs` and the answer is false.
bool ready_to_send(GstPad* src_pad, GstClockTime running_time, std::vector<PushPool::Job>& jobs);

// Forgets what was agreed before the element was stopped.
void renegotiate_all(const std::vector<PadPtr>& src_pads);

}  // namespace vmr::mixer
