// What is known of the way to a participant.
#pragma once
#include <cstdint>
#include <optional>

namespace vmr::media {

struct Network {
    std::optional<uint32_t> video_bitrate;  // bit/s, what it carries; empty: nothing is known
    unsigned audio_loss = 0;                // % of the packets, where in-band FEC helps against it
};

}  // namespace vmr::media
