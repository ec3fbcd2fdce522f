// One report of a tap, and its JSON line. No GStreamer.
#pragma once
#include <cstdint>
#include <string>

#include "plugins/cdr-tap/rtp_stats.hpp"

namespace vmr::cdr_tap {

struct Report {
    std::string tap;         // the element's name
    std::string media_type;  // name of the caps' first structure
    bool final = false;
    bool rtp = false;
    std::uint64_t time_us = 0;      // wall clock, Unix epoch
    std::uint64_t duration_ns = 0;  // first to last buffer
    std::uint64_t buffers = 0, bytes = 0, bitrate = 0, gaps = 0;
    TapSnapshot packets;  // RTP and RTCP
};

std::string json_escape(const std::string& text);
// One line, without the newline.
std::string to_json(const Report& report);

}  // namespace vmr::cdr_tap
