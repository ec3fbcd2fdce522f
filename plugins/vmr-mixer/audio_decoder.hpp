// One decoder: the payload of one packet in, samples at the room's rate out.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "audio_format.hpp"

namespace vmr::mixer {

class AudioDecoder {
public:
    virtual ~AudioDecoder() = default;
    // All append to `out`. A payload that is no such codec's is concealed for `samples`.
    virtual void decode(std::span<const std::uint8_t> payload, std::size_t samples,
                        std::vector<std::int16_t>& out) = 0;
    // The lost packet before `next`, from what that carries of it.
    virtual void recover(std::span<const std::uint8_t> next, std::size_t samples,
                         std::vector<std::int16_t>& out) {
        (void)next;
        conceal(samples, out);
    }
    virtual void conceal(std::size_t samples, std::vector<std::int16_t>& out) = 0;
    virtual void reset() = 0;
};

// Not raw. Throws std::runtime_error when the codec library refuses.
std::unique_ptr<AudioDecoder> make_audio_decoder(AudioCodec codec);

// Samples at the room's rate in one payload; 0: not a payload of this codec.
std::size_t payload_samples(AudioCodec codec, std::span<const std::uint8_t> payload);
// Whether the sender may send nothing after this one (Opus DTX, RFC 7587 section 3.1.3).
bool announces_pause(AudioCodec codec, std::span<const std::uint8_t> payload);

// Whether it carries the packet before it as well (Opus in-band FEC, RFC 6716 section 4.2.4).
bool carries_fec(AudioCodec codec, std::span<const std::uint8_t> payload);

}  // namespace vmr::mixer
