// The eight pads of a Door: templates and C callbacks.
#pragma once
#include <gst/gst.h>

namespace vmr::duplex {
// From the template of that name; its functions lead to the Door in the pad's element-private pointer.
GstPad* make_pad(GstElement* element, const char* name);
}  // namespace vmr::duplex
