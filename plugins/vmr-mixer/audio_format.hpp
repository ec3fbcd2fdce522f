// The room's audio grid, and what a listener may ask for.
#pragma once
#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace vmr::mixer {

inline constexpr int kRoomRate = 48000;            // Hz
inline constexpr int kTickMs = 20;                 // ms; 10 where the room is told so
inline constexpr std::size_t kBlock = 960;         // samples in the longest tick
inline constexpr std::int32_t kFullScale = 32767;  // largest S16 sample

enum class AudioCodec { raw, opus, mulaw, alaw, g722 };

// What a listener gets of Opus's bitrate: steps, so that whatever they ask for costs few encodes. `limit`:
// the most that they take, bit/s, 0: no limit.
inline int opus_bitrate_for(int usual, unsigned limit) {
    constexpr int kSteps[] = {40000, 32000, 24000, 20000, 16000, 12000, 8000, 6000};
    if (limit == 0 || static_cast<int>(std::min(limit, 1000000U)) >= usual) {
        return usual;
    }
    for (const int step : kSteps) {
        if (step <= static_cast<int>(limit)) {
            return std::min(step, usual);
        }
    }
    return 6000;
}

// Two listeners with equal formats and an equal mix receive the same bytes.
struct AudioFormat {
    AudioCodec codec = AudioCodec::raw;
    int rate = kRoomRate;  // Hz of the samples that go into the codec
    int bitrate = 0;       // bit/s; Opus only
    bool fec = false;      // in-band FEC; Opus only
    auto operator<=>(const AudioFormat&) const = default;
};

}  // namespace vmr::mixer
