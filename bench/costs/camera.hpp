// A camera's pictures, made up: somebody before a wall, thirty frames a second.
#pragma once
#include <gst/gst.h>

#include <string>
#include <vector>

#include "base/gst_ptr.hpp"

namespace vmr::bench {

inline constexpr int kFramerate = 30;

struct Size {
    int width = 640, height = 360;
    std::size_t luma() const { return static_cast<std::size_t>(width) * static_cast<std::size_t>(height); }
};

using Clip = std::vector<BufferPtr>;

std::string raw_caps(Size size);
std::string coded_caps(Size size);
inline constexpr int kNoMoreKeyframes = 2000;
std::string h264_encoder(int kbits, int keyframe_distance = kNoMoreKeyframes);  // for gst-launch

// I420. Texture, a head that sways once in `period` frames, a little sensor noise.
BufferPtr raw_frame(Size size, unsigned who, int number, int period);
// The clip as H.264, each frame as one access unit; the first is a keyframe.
Clip encoded(const Clip& raw, Size size, int kbits, int keyframe_distance = kNoMoreKeyframes);

}  // namespace vmr::bench
