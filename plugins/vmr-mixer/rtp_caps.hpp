// application/x-rtp caps, as far as the mixer reads and writes RTP itself.
#pragma once
#include <gst/gst.h>

#include <optional>

#include "rtp_leg.hpp"
#include "rtp_stream.hpp"

namespace vmr::mixer {

bool is_rtp(const GstCaps* caps);
// Nothing: a codec or clock rate that is not ours.
std::optional<RtpLeg::Format> rtp_leg_format(const GstCaps* caps);

extern const char* const kRtpSinkCaps;
extern const char* const kRtpSrcCaps;

// Makes a src pad's chosen caps definite; what downstream left open is taken from `identity`.
void fixate_rtp(GstStructure* structure, const RtpIdentity& identity);
// Of fixed caps.
std::optional<AudioFormat> rtp_audio_format(const GstCaps* caps);
RtpStream rtp_stream(const GstCaps* caps, const RtpIdentity& identity);

}  // namespace vmr::mixer
