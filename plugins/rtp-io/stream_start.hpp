// The events that a src pad owes before its first packet.
#pragma once
#include <gst/gst.h>

#include "base/gst_ptr.hpp"

namespace vmr::rtp_io {

extern const char* const kRtpCaps;
extern const char* const kRtcpCaps;

// Stream-start, caps and segment, where the pad has not sent them. `wanted` null: what downstream asks for.
void start_stream(GstPad* src_pad, GstCaps* wanted);

}  // namespace vmr::rtp_io
