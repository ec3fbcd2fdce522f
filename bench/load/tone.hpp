// Codecs of a load generator's participants, and what is found in what they hear.
#pragma once
#include <opus/opus.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vmr::bench {

inline constexpr int kFrameMs = 20;

class Encoder {
public:
    explicit Encoder(const std::string& codec);
    int rate() const { return opus_ ? 48000 : 8000; }
    std::size_t frame() const { return static_cast<std::size_t>(rate()) * kFrameMs / 1000; }
    void expect_loss(int percent);  // Opus sends FEC then, as browsers do
    std::vector<std::uint8_t> encode(std::span<const float> frame);

private:
    struct Free {
        void operator()(OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }
    };
    std::unique_ptr<OpusEncoder, Free> opus_;
};

// What arrives is decoded in the order of sequence numbers; of what is missing, silence is heard.
class Decoder {
public:
    explicit Decoder(const std::string& codec);
    int rate() const { return opus_ ? 48000 : 8000; }
    std::vector<float> decode(std::span<const std::uint8_t> payload);

private:
    struct Free {
        void operator()(OpusDecoder* decoder) const { opus_decoder_destroy(decoder); }
    };
    std::unique_ptr<OpusDecoder, Free> opus_;
};

// Amplitude of a sine of `hertz`: the median of short windows.
double amplitude(std::span<const float> samples, double hertz, int rate);

// Power of the best fitting sine of `hertz`, and of the rest.
struct Fit {
    double tone = 0, rest = 0;
};
Fit fit(std::span<const float> samples, double hertz, int rate);

}  // namespace vmr::bench
