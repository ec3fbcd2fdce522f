#pragma once
#include <gst/gst.h>

namespace vmr::media {

// Before rtph264depay: packets of NAL unit types that it does not take (RFC 6184 section 5.2: MTAP,
// undefined) go no further. For each of them it would post an error, which ends who sent it.
void drop_unknown_nal_units(GstPad* sink);

}  // namespace vmr::media
