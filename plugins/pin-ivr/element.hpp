// pin-ivr: the GStreamer element.
#pragma once
#include <gst/gst.h>

namespace vmr::pin_ivr {
bool register_element(GstPlugin* plugin);
}
