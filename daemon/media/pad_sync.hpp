// Cuts a pad off while its pipeline plays.
#pragma once
#include <gst/gst.h>

namespace vmr::media {

// Unlinks the source pad from its peer at a moment when no buffer passes, and returns then. Not from a
// streaming thread of that pad.
void unlink_when_idle(GstPad* source);

}  // namespace vmr::media
