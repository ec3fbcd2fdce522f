// The still picture that stands in for video: a slate, or the PIN screen.
#pragma once
#include <gst/video/video.h>

#include <string>

#include "base/gst_ptr.hpp"

namespace vmr::duplex {

struct Card {
    std::string title;   // UTF-8, one or two lines
    std::string detail;  // smaller, below
    int entered = -1;    // masked digits shown as dots; negative: no entry field
    int places = 0;      // empty places shown beside them, at most

    bool operator==(const Card&) const = default;
};

// Draws with Pango and Cairo (tens of milliseconds: not on a streaming thread that others wait for).
// The result has the caps' default layout and no time stamps. Null if `info` is not I420.
BufferPtr draw_card(const Card& card, const GstVideoInfo& info);
BufferPtr black_frame(const GstVideoInfo& info);

}  // namespace vmr::duplex
