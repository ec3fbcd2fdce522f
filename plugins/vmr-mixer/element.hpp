// vmr-mixer: the GStreamer element.
#pragma once
#include <gst/gst.h>

namespace vmr::mixer {
bool register_element(GstPlugin* plugin);
}
