#include "audio_encoder.hpp"

#include <opus/opus.h>

#include <cstring>
#include <stdexcept>

#include "base/spandsp.hpp"

namespace vmr::mixer {
namespace {

class RawEncoder final : public AudioEncoder {
public:
    void encode(std::span<const std::int16_t> samples, bool, std::vector<std::uint8_t>& out) override {
        out.resize(samples.size_bytes());
        std::memcpy(out.data(), samples.data(), samples.size_bytes());
    }
    bool has_memory() const override { return false; }
};

class MulawEncoder final : public AudioEncoder {
public:
    void encode(std::span<const std::int16_t> samples, bool, std::vector<std::uint8_t>& out) override {
        out.resize(samples.size());
        for (std::size_t i = 0; i < samples.size(); ++i) {
            out[i] = linear_to_ulaw(samples[i]);
        }
    }
    bool has_memory() const override { return false; }
};

class AlawEncoder final : public AudioEncoder {
public:
    void encode(std::span<const std::int16_t> samples, bool, std::vector<std::uint8_t>& out) override {
        out.resize(samples.size());
        for (std::size_t i = 0; i < samples.size(); ++i) {
            out[i] = linear_to_alaw(samples[i]);
        }
    }
    bool has_memory() const override { return false; }
};

struct G722Free {
    void operator()(g722_encode_state_t* state) const noexcept { g722_encode_free(state); }
};

class G722Encoder final : public AudioEncoder {
public:
    G722Encoder() : state_(g722_encode_init(nullptr, 64000, 0)) {
        if (!state_) {
            throw std::runtime_error("spandsp refused G.722 at 64 kbit/s");
        }
    }
    void encode(std::span<const std::int16_t> samples, bool, std::vector<std::uint8_t>& out) override {
        out.resize(samples.size() / 2);
        const int written =
            g722_encode(state_.get(), out.data(), samples.data(), static_cast<int>(samples.size()));
        out.resize(static_cast<std::size_t>(written));
    }

private:
    std::unique_ptr<g722_encode_state_t, G722Free> state_;
};

struct OpusFree {
    void operator()(OpusEncoder* encoder) const noexcept { opus_encoder_destroy(encoder); }
};

// Always one channel: a decoder that was promised stereo plays a mono packet as both (RFC 6716).
class OpusPacketEncoder final : public AudioEncoder {
public:
    explicit OpusPacketEncoder(const AudioFormat& format) {
        // FEC lives in the SILK layer, which the low-delay mode does not have.
        const int application = format.fec ? OPUS_APPLICATION_VOIP : OPUS_APPLICATION_RESTRICTED_LOWDELAY;
        int error = OPUS_OK;
        encoder_.reset(opus_encoder_create(kRoomRate, 1, application, &error));
        if (error != OPUS_OK) {
            throw std::runtime_error(opus_strerror(error));
        }
        opus_encoder_ctl(encoder_.get(), OPUS_SET_BITRATE(format.bitrate));
        opus_encoder_ctl(encoder_.get(), OPUS_SET_COMPLEXITY(5));
        if (format.fec) {
            opus_encoder_ctl(encoder_.get(), OPUS_SET_INBAND_FEC(1));
            opus_encoder_ctl(encoder_.get(), OPUS_SET_PACKET_LOSS_PERC(10));
        }
    }
    void encode(std::span<const std::int16_t> samples, bool independent,
                std::vector<std::uint8_t>& out) override {
        constexpr std::size_t kLargestPacket = 1275;  // RFC 6716 section 3.4, one frame
        out.resize(kLargestPacket);
        if (independent) {
            opus_encoder_ctl(encoder_.get(), OPUS_SET_PREDICTION_DISABLED(1));
        }
        const int size = opus_encode(encoder_.get(), samples.data(), static_cast<int>(samples.size()),
                                     out.data(), static_cast<opus_int32>(out.size()));
        if (independent) {
            opus_encoder_ctl(encoder_.get(), OPUS_SET_PREDICTION_DISABLED(0));
        }
        if (size < 0) {
            throw std::runtime_error(opus_strerror(size));
        }
        out.resize(static_cast<std::size_t>(size));
    }

private:
    std::unique_ptr<OpusEncoder, OpusFree> encoder_;
};

}  // namespace

std::unique_ptr<AudioEncoder> make_audio_encoder(const AudioFormat& format) {
    switch (format.codec) {
        case AudioCodec::raw:
            return std::make_unique<RawEncoder>();
        case AudioCodec::opus:
            return std::make_unique<OpusPacketEncoder>(format);
        case AudioCodec::mulaw:
            return std::make_unique<MulawEncoder>();
        case AudioCodec::alaw:
            return std::make_unique<AlawEncoder>();
        case AudioCodec::g722:
            return std::make_unique<G722Encoder>();
    }
    throw std::runtime_error("unknown audio codec");
}

}  // namespace vmr::mixer
