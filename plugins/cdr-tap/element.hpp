// cdr-tap: the GStreamer element.
#pragma once
#include <gst/gst.h>

namespace vmr::cdr_tap {
bool register_element(GstPlugin* plugin);
}
