// One encoder: one tick of a mix in, the bytes of one packet out.
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
    // `samples` are one tick at the format's rate; `out` is replaced. `independent`: the packet is to be
    // understood by a decoder that did not hear the ones before.
    virtual void encode(std::span<const std::int16_t> samples, bool independent,
                        std::vector<std::uint8_t>& out) = 0;
    // Encoders with memory gain from hearing the block before their first one.
    virtual bool has_memory() const { return true; }
};

// Throws std::runtime_error when the codec library refuses the format.
std::unique_ptr<AudioEncoder> make_audio_encoder(const AudioFormat& format);

}  // namespace vmr::mixer
