#include "tone.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

namespace vmr::bench {
namespace {

constexpr int kBitrate = 32000;  // of a browser
constexpr int kComplexity = 5;
constexpr std::size_t kLongestPacket = 1275;
constexpr std::size_t kLongestFrame = 5760;
// Long enough to tell pilots apart, short enough for a tone that a jitter buffer plays 1 % faster.
constexpr int kToneWindowMs = 40;

// ITU-T G.711, µ-law.
std::uint8_t to_ulaw(float sample) {
    constexpr int kBias = 132;
    constexpr int kClip = 32635;
    int value = static_cast<int>(std::lrint(std::clamp(sample, -1.0F, 1.0F) * 32767.0F));
    const int sign = value < 0 ? 0x80 : 0;
    value = std::min(std::abs(value), kClip) + kBias;
    int exponent = 7;
    for (int mask = 0x4000; exponent > 0 && (value & mask) == 0; mask >>= 1) {
        --exponent;
    }
    return static_cast<std::uint8_t>(~(sign | exponent << 4 | ((value >> (exponent + 3)) & 0x0F)));
}

float from_ulaw(std::uint8_t coded) {
    const int bits = ~coded & 0xFF;
    const int magnitude = ((((bits & 0x0F) << 3) + 132) << ((bits & 0x70) >> 4)) - 132;
    return static_cast<float>((bits & 0x80) != 0 ? -magnitude : magnitude) / 32768.0F;
}

}  // namespace

Encoder::Encoder(const std::string& codec) {
    if (codec != "opus") {
        return;
    }
    opus_.reset(opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, nullptr));
    if (!opus_) {
        throw std::runtime_error("no Opus encoder");
    }
    opus_encoder_ctl(opus_.get(), OPUS_SET_BITRATE(kBitrate));
    opus_encoder_ctl(opus_.get(), OPUS_SET_COMPLEXITY(kComplexity));
}

void Encoder::expect_loss(int percent) {
    if (opus_) {
        opus_encoder_ctl(opus_.get(), OPUS_SET_INBAND_FEC(percent > 0 ? 1 : 0));
        opus_encoder_ctl(opus_.get(), OPUS_SET_PACKET_LOSS_PERC(percent));
        opus_encoder_ctl(opus_.get(),
                         OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));  // a tone would be sent as music, without FEC
    }
}

std::vector<std::uint8_t> Encoder::encode(std::span<const float> frame) {
    std::vector<std::uint8_t> bytes(opus_ ? kLongestPacket : frame.size());
    if (opus_) {
        const int size = opus_encode_float(opus_.get(), frame.data(), static_cast<int>(frame.size()),
                                           bytes.data(), static_cast<opus_int32>(bytes.size()));
        bytes.resize(static_cast<std::size_t>(std::max(size, 0)));
    } else {
        std::transform(frame.begin(), frame.end(), bytes.begin(), to_ulaw);
    }
    return bytes;
}

Decoder::Decoder(const std::string& codec) {
    if (codec == "opus") {
        opus_.reset(opus_decoder_create(48000, 1, nullptr));
        if (!opus_) {
            throw std::runtime_error("no Opus decoder");
        }
    }
}

std::vector<float> Decoder::decode(std::span<const std::uint8_t> payload) {
    std::vector<float> samples(opus_ ? kLongestFrame : payload.size());
    if (opus_) {
        const int count =
            opus_decode_float(opus_.get(), payload.data(), static_cast<opus_int32>(payload.size()),
                              samples.data(), static_cast<int>(samples.size()), 0);
        samples.resize(static_cast<std::size_t>(std::max(count, 0)));
    } else {
        std::transform(payload.begin(), payload.end(), samples.begin(), from_ulaw);
    }
    return samples;
}

double amplitude(std::span<const float> samples, double hertz, int rate) {
    const auto window = static_cast<std::size_t>(rate * kToneWindowMs / 1000);
    std::vector<double> levels;
    for (std::size_t at = 0; at + window <= samples.size(); at += window) {
        levels.push_back(std::sqrt(2 * fit(samples.subspan(at, window), hertz, rate).tone));
    }
    if (levels.empty()) {
        return 0;
    }
    const auto middle = levels.begin() + static_cast<std::ptrdiff_t>(levels.size() / 2);
    std::nth_element(levels.begin(), middle, levels.end());
    return *middle;
}

Fit fit(std::span<const float> samples, double hertz, int rate) {
    double in_phase = 0, quadrature = 0, all = 0;
    const double step = 2 * std::numbers::pi * hertz / rate;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double sample = samples[i];
        in_phase += sample * std::cos(step * static_cast<double>(i));
        quadrature += sample * std::sin(step * static_cast<double>(i));
        all += sample * sample;
    }
    const auto count = static_cast<double>(std::max<std::size_t>(samples.size(), 1));
    const double tone = 2 * (in_phase * in_phase + quadrature * quadrature) / (count * count);
    return {tone, std::max(all / count - tone, 0.0)};
}

}  // namespace vmr::bench
