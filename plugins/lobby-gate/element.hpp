// lobby-gate: the GStreamer element.
#pragma once
#include <gst/gst.h>

namespace vmr::lobby_gate {
bool register_element(GstPlugin* plugin);
}
