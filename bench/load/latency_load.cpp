#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "load.hpp"

namespace vmr::bench {
namespace {

class LatencyLoad : public Load {
public:
    LatencyLoad(const Options& options, Wire& wire, const Bridge& bridge) : Load(options, wire, bridge) {
        for (unsigned leg = 0; leg < kSpeakers; ++leg) {
            encoders_.emplace_back(options_.codec);
            decoders_.emplace_back(options_.codec);
        }
        calibrate();
    }

    void speak(Participant& person, std::int64_t ms) override {
        const unsigned leg = person.leg();
        if (leg >= kSpeakers) {
            transmit(person, silence_, kSilentLevel);
            return;
        }
        Encoder& encoder = encoders_[leg];
        std::vector<float> samples(encoder.frame());
        const std::int64_t turn = ms / kTurnMs;
        const std::int64_t into = ms % kTurnMs;
        // Speakers 0, 3, 6, 9, 2 …: every phase of a tick comes up.
        if (leg == turn * 3 % kSpeakers && into >= kOnsetMs && into < kOnsetMs + kToneMs) {
            std::size_t offset = 0;
            if (turn != turn_) {
                turn_ = turn;
                offset = std::uniform_int_distribution<std::size_t>(0, samples.size() - 1)(random_);
                onset_ns_ = now_ns() + samples_ns(offset, encoder.rate());
                spoken_ = 0;
                waiting_ = measuring_;
                turns_ += measuring_ ? 1 : 0;
                speaker_ = leg;
            }
            const auto tone = sine(kHertz, encoder.rate(), spoken_, samples.size() - offset);
            std::copy(tone.begin(), tone.end(), samples.begin() + static_cast<std::ptrdiff_t>(offset));
            spoken_ += tone.size();
        }
        transmit(person, encoder.encode(samples), level_of(samples));
    }

    bool listens(unsigned leg) const override { return leg < kSpeakers; }

    void on_heard(unsigned leg, const Heard& heard) override {
        const auto samples = decoders_[leg].decode(heard.payload);
        if (!waiting_ || leg != (speaker_ + kSpeakers / 2) % kSpeakers) {
            return;
        }
        if (const auto at = onset(samples)) {
            waiting_ = false;
            const std::int64_t out = heard.arrival_ns + samples_ns(*at, decoders_[leg].rate());
            const double ms = static_cast<double>(out - onset_ns_) / kMs - codec_ms_;
            latencies_.push_back(ms);
            times_.push_back(static_cast<double>(onset_ns_ - measure_start_ns_) / 1e9);
        }
    }

    nlohmann::json report() override {
        nlohmann::json series = nlohmann::json::array();
        for (std::size_t i = 0; i < latencies_.size(); ++i) {
            series.push_back({times_[i], latencies_[i]});
        }
        return {{"median_ms", percentile(latencies_, 0.5)},
                {"p95_ms", percentile(latencies_, 0.95)},
                {"onsets", turns_},
                {"heard", latencies_.size()},
                {"growth", growth()},
                {"load_late_ms", late_ms_},
                {"series", series}};
    }

private:
    static constexpr unsigned kSpeakers = 10;
    static constexpr std::int64_t kTurnMs = 500, kOnsetMs = 100, kToneMs = 160;
    static constexpr double kHertz = 1000;
    static constexpr float kHeard = 0.03F;

    static std::int64_t samples_ns(std::size_t samples, int rate) {
        return static_cast<std::int64_t>(samples) * 1'000'000'000 / rate;
    }
    static std::optional<std::size_t> onset(std::span<const float> samples) {
        const auto found =
            std::find_if(samples.begin(), samples.end(), [](float s) { return std::abs(s) > kHeard; });
        return found == samples.end()
                   ? std::nullopt
                   : std::optional<std::size_t>(static_cast<std::size_t>(found - samples.begin()));
    }

    // What the participants' own codecs and the detector add: a wire has that too.
    void calibrate() {
        Encoder encoder(options_.codec);
        Decoder decoder(options_.codec);
        constexpr std::size_t kQuietFrames = 10;
        for (std::size_t i = 0; i < 2 * kQuietFrames; ++i) {
            std::vector<float> frame(encoder.frame());
            if (i >= kQuietFrames) {
                frame = sine(kHertz, encoder.rate(), (i - kQuietFrames) * encoder.frame(), encoder.frame());
            }
            const auto heard = decoder.decode(encoder.encode(frame));
            if (const auto at = onset(heard)) {
                codec_ms_ = (static_cast<double>(i) - kQuietFrames) * kFrameMs +
                            static_cast<double>(*at) * 1000 / decoder.rate();
                return;
            }
        }
        throw std::runtime_error("the codec swallows the tone");
    }

    std::vector<Encoder> encoders_;
    std::vector<Decoder> decoders_;
    std::int64_t turn_ = -1, onset_ns_ = 0;
    std::size_t spoken_ = 0;
    unsigned speaker_ = 0, turns_ = 0;
    bool waiting_ = false;
    double codec_ms_ = 0;
    std::vector<double> latencies_, times_;
};

}  // namespace

LoadPtr make_latency_load(const Options& options, Wire& wire, const Bridge& bridge) {
    return std::make_unique<LatencyLoad>(options, wire, bridge);
}

}  // namespace vmr::bench
