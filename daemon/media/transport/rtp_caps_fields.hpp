// What is read from application/x-rtp caps of a definite format.
#pragma once
#include <gst/gst.h>

#include <cstdint>
#include <string>

namespace vmr::media {

inline std::string encoding_of(const GstCaps* caps) {
    const char* name = gst_structure_get_string(gst_caps_get_structure(caps, 0), "encoding-name");
    return name != nullptr ? name : "";
}

inline unsigned clock_rate_of(const GstCaps* caps) {
    int rate = 0;
    gst_structure_get_int(gst_caps_get_structure(caps, 0), "clock-rate", &rate);
    return rate > 0 ? static_cast<unsigned>(rate) : 8000;  // Hz; that of most telephony
}

inline uint8_t payload_of(const GstCaps* caps) {
    int payload_type = 0;
    gst_structure_get_int(gst_caps_get_structure(caps, 0), "payload", &payload_type);
    return static_cast<uint8_t>(payload_type & 0x7F);
}

}  // namespace vmr::media
