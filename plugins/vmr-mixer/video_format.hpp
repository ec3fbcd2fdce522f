// What a viewer may ask for, and who shares a picture with whom.
#pragma once
#include <compare>
#include <cstdint>

namespace vmr::mixer {

enum class VideoCodec { raw, vp8, h264 };

struct VideoFormat {
    VideoCodec codec = VideoCodec::raw;
    int width = 1280;    // pixels, even
    int height = 720;    // pixels, even
    int framerate = 25;  // frames per second
    unsigned bitrate_class = 0;
    bool high_profile = false;  // H.264; else constrained baseline
    int max_nal_size = 0;       // H.264, bytes; 0: a slice is a picture
    auto operator<=>(const VideoFormat&) const = default;
};

// The participant that a picture leaves out, or nobody: the common view. Content has its own.
using ViewId = std::int64_t;
inline constexpr ViewId kCommonView = -1;
inline constexpr ViewId kContentView = -2;
inline constexpr ViewId kNoView = -3;

struct VideoStreamId {
    ViewId view = kNoView;
    VideoFormat format;
    auto operator<=>(const VideoStreamId&) const = default;
};

}  // namespace vmr::mixer
