// One encoder: 20 ms of a mix in, the bytes of one packet out.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "audio_format.hpp"

namespace vmr::mixer {

class AudioEncoder {
public:
    virtual ~AudioEncoder() = default;
    // `samples` are 20 ms at the format's rate; `out` is replaced.
    virtual void encode(std::span<const std::int16_t> samples, std::vector<std::uint8_t>& out) = 0;
    // Encoders with memory gain from hearing the block before their first one.
    virtual bool has_memory() const { return true; }
};

// Throws std::runtime_error when the codec library refuses the format.
std::unique_ptr<AudioEncoder> make_audio_encoder(const AudioFormat& format);

}  // namespace vmr::mixer
