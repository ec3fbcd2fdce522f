#pragma once
#include <gst/gst.h>

namespace vmr::rtp_io {
bool register_element(GstPlugin* plugin);
}  // namespace vmr::rtp_io
