#include "daemon/media/source_limit.hpp"

#include <array>

namespace vmr::media {
namespace {

struct Step {
    int pixels;        // a tile of up to so many
    uint32_t bitrate;  // bit/s
};
// The most that libwebrtc itself gives a layer of that size (video/config/simulcast.cc,
// kSimulcastFormatsVP8): more shows nowhere.
constexpr std::array kSteps{Step{320 * 180, 200'000},    Step{480 * 270, 450'000},
                            Step{640 * 360, 700'000},    Step{960 * 540, 1'200'000},
                            Step{1280 * 720, 2'500'000}, Step{1920 * 1080, 5'000'000}};
// Enough for a small picture, so that one is there with the next keyframe. Little enough to be worth it.
constexpr uint32_t kOffStage = 150'000;
constexpr uint32_t kUnknownSize = 2'500'000;

}  // namespace

uint32_t bitrate_for(const VideoWanted& wanted) {
    if (!wanted.on_stage) {
        return kOffStage;
    }
    if (wanted.width <= 0 || wanted.height <= 0) {
        return kUnknownSize;
    }
    for (const Step& step : kSteps) {
        if (static_cast<int64_t>(wanted.width) * wanted.height <= step.pixels) {
            return step.bitrate;
        }
    }
    return kSteps.back().bitrate;
}

uint32_t SourceLimit::update(const VideoWanted& wanted, Time now) {
    const uint32_t needed = bitrate_for(wanted);
    const bool long_enough = less_since_ && now - *less_since_ >= kLessAfter;
    if (!current_ || needed >= *current_ || long_enough) {
        current_ = needed;
        less_since_.reset();
    } else if (!less_since_) {
        less_since_ = now;
    }
    return *current_;
}

}  // namespace vmr::media
