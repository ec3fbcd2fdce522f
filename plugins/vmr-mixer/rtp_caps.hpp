// application/x-rtp caps, as far as the mixer reads and writes RTP itself.
#pragma once
#include <gst/gst.h>

#include <optional>

#include "rtp_leg.hpp"

namespace vmr::mixer {

bool is_rtp(const GstCaps* caps);
// Nothing: a codec or clock rate that is not ours.
std::optional<RtpLeg::Format> rtp_leg_format(const GstCaps* caps);

}  // namespace vmr::mixer
