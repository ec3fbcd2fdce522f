#include "audio_decoder.hpp"

#include <opus/opus.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/spandsp.hpp"
#include "concealment.hpp"
#include "upsampler.hpp"

namespace vmr::mixer {
namespace {

struct OpusDecoderFree {
    void operator()(OpusDecoder* decoder) const noexcept { opus_decoder_destroy(decoder); }
};

// One channel: stereo is mixed down by the decoder.
class OpusPacketDecoder final : public AudioDecoder {
public:
    OpusPacketDecoder() {
        int error = OPUS_OK;
        decoder_.reset(opus_decoder_create(kRoomRate, 1, &error));
        if (error != OPUS_OK) {
            throw std::runtime_error(opus_strerror(error));
        }
    }
    void decode(std::span<const std::uint8_t> payload, std::size_t samples,
                std::vector<std::int16_t>& out) override {
        run(payload, samples, false, out);
    }
    void recover(std::span<const std::uint8_t> next, std::size_t samples,
                 std::vector<std::int16_t>& out) override {
        run(next, samples, true, out);
    }
    void conceal(std::size_t samples, std::vector<std::int16_t>& out) override {
        run({}, samples, false, out);
    }
    void reset() override { opus_decoder_ctl(decoder_.get(), OPUS_RESET_STATE); }

private:
    // libopus conceals and recovers whole multiples of 2.5 ms (120 samples).
    void run(std::span<const std::uint8_t> payload, std::size_t samples, bool fec,
             std::vector<std::int16_t>& out) {
        const std::size_t start = out.size();
        out.resize(start + samples);
        const std::uint8_t* data = payload.empty() ? nullptr : payload.data();
        const auto size = static_cast<opus_int32>(payload.size());
        int written = opus_decode(decoder_.get(), data, size, out.data() + start, static_cast<int>(samples),
                                  fec ? 1 : 0);
        if (written < 0 && data != nullptr) {
            written =
                opus_decode(decoder_.get(), nullptr, 0, out.data() + start, static_cast<int>(samples), 0);
        }
        // A packet of the wrong length fills up with silence; the time it took is what was promised.
        std::fill(
            out.begin() + static_cast<std::ptrdiff_t>(start + static_cast<std::size_t>(std::max(written, 0))),
            out.end(), std::int16_t{0});
    }

    std::unique_ptr<OpusDecoder, OpusDecoderFree> decoder_;
};

struct G722DecodeFree {
    void operator()(g722_decode_state_t* state) const noexcept { g722_decode_free(state); }
};

// G.711 and G.722.
class TelephoneDecoder final : public AudioDecoder {
public:
    explicit TelephoneDecoder(AudioCodec codec)
        : codec_(codec),
          rate_(codec == AudioCodec::g722 ? 16000 : 8000),
          upsampler_(rate_),
          concealment_(rate_) {
        reset();
    }
    void decode(std::span<const std::uint8_t> payload, std::size_t, std::vector<std::int16_t>& out) override {
        narrow_.resize(codec_ == AudioCodec::g722 ? payload.size() * 2 : payload.size());
        if (codec_ == AudioCodec::mulaw) {
            std::transform(payload.begin(), payload.end(), narrow_.begin(), ulaw_to_linear);
        } else if (codec_ == AudioCodec::alaw) {
            std::transform(payload.begin(), payload.end(), narrow_.begin(), alaw_to_linear);
        } else {
            const int written =
                g722_decode(g722_.get(), narrow_.data(), payload.data(), static_cast<int>(payload.size()));
            narrow_.resize(static_cast<std::size_t>(std::max(written, 0)));
        }
        concealment_.hear(narrow_);
        upsampler_.process(narrow_, out);
    }
    void conceal(std::size_t samples, std::vector<std::int16_t>& out) override {
        narrow_.resize(samples * static_cast<std::size_t>(rate_) / kRoomRate);
        concealment_.fill(narrow_);
        upsampler_.process(narrow_, out);
    }
    void reset() override {
        concealment_.reset();
        if (codec_ == AudioCodec::g722) {
            g722_.reset(g722_decode_init(g722_.release(), 64000, 0));
        }
        upsampler_.reset();
        if (codec_ == AudioCodec::g722 && !g722_) {
            throw std::runtime_error("spandsp refused a decoder");
        }
    }

private:
    AudioCodec codec_;
    int rate_;
    Upsampler upsampler_;
    Concealment concealment_;
    std::unique_ptr<g722_decode_state_t, G722DecodeFree> g722_;
    std::vector<std::int16_t> narrow_;
};

}  // namespace

std::unique_ptr<AudioDecoder> make_audio_decoder(AudioCodec codec) {
    if (codec == AudioCodec::opus) {
        return std::make_unique<OpusPacketDecoder>();
    }
    return std::make_unique<TelephoneDecoder>(codec);
}

std::size_t payload_samples(AudioCodec codec, std::span<const std::uint8_t> payload) {
    if (payload.empty()) {
        return 0;
    }
    switch (codec) {
        case AudioCodec::opus: {
            const int samples = opus_packet_get_nb_samples(
                payload.data(), static_cast<opus_int32>(payload.size()), kRoomRate);
            return samples > 0 ? static_cast<std::size_t>(samples) : 0;
        }
        case AudioCodec::mulaw:
        case AudioCodec::alaw:
        case AudioCodec::g722:
            return payload.size() * 6;  // 64 kbit/s: 8000 bytes a second
        case AudioCodec::raw:
            break;
    }
    return 0;
}

bool announces_pause(AudioCodec codec, std::span<const std::uint8_t> payload) {
    return codec == AudioCodec::opus && payload.size() <= 2;
}

bool carries_fec(AudioCodec codec, std::span<const std::uint8_t> payload) {
    constexpr std::uint8_t kFirstCeltOnly = 16 << 3;  // of the configurations, RFC 6716 section 3.1
    constexpr int kMostFrames = 48;
    if (codec != AudioCodec::opus || payload.empty() || payload[0] >= kFirstCeltOnly) {
        return false;
    }
    std::array<const unsigned char*, kMostFrames> frames{};
    std::array<opus_int16, kMostFrames> sizes{};
    const int count = opus_packet_parse(payload.data(), static_cast<opus_int32>(payload.size()), nullptr,
                                        frames.data(), sizes.data(), nullptr);
    if (count <= 0 || sizes[0] == 0) {
        return false;
    }
    // RFC 6716 section 4.2.3: for each channel a VAD bit for each 20 ms, then the LBRR bit.
    const int parts =
        std::max(1, opus_packet_get_samples_per_frame(payload.data(), kRoomRate) / (kRoomRate / 50));
    const int flags = *frames[0];
    const bool stereo = opus_packet_get_nb_channels(payload.data()) == 2;
    return ((flags >> (7 - parts)) & 1) != 0 || (stereo && ((flags >> (6 - 2 * parts)) & 1) != 0);
}

}  // namespace vmr::mixer
