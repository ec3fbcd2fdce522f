// The largest picture that fits what a peer's decoder takes. Pure.
#pragma once
#include <optional>

#include "daemon/sdp/negotiation.hpp"

namespace vmr::media {

struct PictureSize {
    int width = 0, height = 0;  // pixels
    int framerate = 0;          // pictures a second
    bool operator==(const PictureSize&) const = default;
};

// Empty: no limit.
std::optional<PictureSize> largest_picture(const sdp::PictureLimit& limit);

}  // namespace vmr::media
