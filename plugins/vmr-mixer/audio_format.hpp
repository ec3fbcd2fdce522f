// The room's audio grid, and what a listener may ask for.
#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>

namespace vmr::mixer {

inline constexpr int kRoomRate = 48000;            // Hz
inline constexpr int kTickMs = 20;                 // ms; 10 where the room is told so
inline constexpr std::size_t kBlock = 960;         // samples in the longest tick
inline constexpr std::int32_t kFullScale = 32767;  // largest S16 sample

enum class AudioCodec { raw, opus, mulaw, alaw, g722 };

// Two listeners with equal formats and an equal mix receive the same bytes.
struct AudioFormat {
    AudioCodec codec = AudioCodec::raw;
    int rate = kRoomRate;  // Hz of the samples that go into the codec
    int bitrate = 0;       // bit/s; Opus only
    bool fec = false;      // in-band FEC; Opus only
    auto operator<=>(const AudioFormat&) const = default;
};

}  // namespace vmr::mixer
