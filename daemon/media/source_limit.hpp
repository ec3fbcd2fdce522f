// How many bits a second a camera or a shared screen needs for what the room shows of it. Pure.
//
// More is asked for at once; less only once less has been enough for a while, so that a layout that flickers
// asks for nothing.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "daemon/media/wanted_video.hpp"

namespace vmr::media {

// bit/s
uint32_t bitrate_for(const VideoWanted& wanted);

class SourceLimit {
public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds kLessAfter{2000};

    // What is to hold from now on, bit/s. To be asked whenever `wanted` changes, and each second.
    uint32_t update(const VideoWanted& wanted, Time now);

private:
    std::optional<uint32_t> current_;
    std::optional<Time> less_since_;
};

}  // namespace vmr::media
