#include "daemon/media/picture_size.hpp"

#include <algorithm>
#include <array>

namespace vmr::media {
namespace {

// As large as rooms may be, each 16:9 with even sides.
constexpr std::array kSizes = std::to_array<PictureSize>({
    {3840, 2160, 60},
    {1920, 1080, 60},
    {1280, 720, 60},
    {960, 540, 60},
    {768, 432, 60},
    {640, 360, 60},
    {512, 288, 60},
    {480, 270, 60},
    {320, 180, 60},
    {256, 144, 60},
    {176, 98, 60},
});
constexpr int kSmooth = 15;  // below so many pictures a second a smaller one is better

int macroblocks(const PictureSize& size) {
    return (size.width + 15) / 16 * ((size.height + 15) / 16);
}

// H.264 A.3.1: neither side is longer than the square root of eight times the frame size.
bool fits(const PictureSize& size, const sdp::PictureLimit& limit) {
    if (limit.frame_size == 0) {
        return true;
    }
    const auto side = static_cast<std::int64_t>((size.width + 15) / 16);
    return macroblocks(size) <= static_cast<std::int64_t>(limit.frame_size) &&
           side * side <= 8 * static_cast<std::int64_t>(limit.frame_size);
}

int framerate(const PictureSize& size, const sdp::PictureLimit& limit) {
    std::uint32_t rate = static_cast<std::uint32_t>(size.framerate);
    if (limit.macroblock_rate != 0) {
        rate = std::min(rate, limit.macroblock_rate / static_cast<std::uint32_t>(macroblocks(size)));
    }
    return static_cast<int>(limit.framerate != 0 ? std::min(rate, limit.framerate) : rate);
}

}  // namespace

std::optional<PictureSize> largest_picture(const sdp::PictureLimit& limit) {
    if (limit.frame_size == 0 && limit.macroblock_rate == 0 && limit.framerate == 0) {
        return std::nullopt;
    }
    // A low max-fr is no reason for a small picture: it is wanted so.
    const int smooth =
        limit.framerate == 0 ? kSmooth : std::min<int>(kSmooth, static_cast<int>(limit.framerate));
    for (const PictureSize& size : kSizes) {
        if (fits(size, limit) && framerate(size, limit) >= smooth) {
            return PictureSize{size.width, size.height, framerate(size, limit)};
        }
    }
    const PictureSize& least = kSizes.back();
    return PictureSize{least.width, least.height, std::max(1, framerate(least, limit))};
}

}  // namespace vmr::media
