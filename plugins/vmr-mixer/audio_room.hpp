// One room's audio: blocks in, packets out, each mix and each encode made once and shared.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "audio_encoder.hpp"
#include "audio_format.hpp"
#include "limiter.hpp"
#include "mix_kernel.hpp"
#include "share_groups.hpp"
#include "talker_detector.hpp"

namespace vmr::mixer {

class Decimator;

// Pure: no clock, no thread, no GStreamer. The shell calls tick() every 20 ms.
class AudioRoom {
public:
    struct Input {
        unsigned participant;
        const SampleBlock* samples;  // null: nothing arrived, or nothing was decoded
        double volume = 1.0;
        bool mute = false;
        bool decoded = true;           // false: there was something, and level_db is the sender's word
        double level_db = kSilenceDb;  // out, unless not decoded: before mute and volume
    };
    using Output = Listener;
    using Packet = std::shared_ptr<const std::vector<std::uint8_t>>;
    struct Counters {
        std::uint64_t ticks = 0;
        std::uint64_t mixes = 0;
        std::uint64_t encodes = 0;
    };

    AudioRoom();
    ~AudioRoom();

    // packets[i] belongs to outputs[i]; outputs that share have the same pointer.
    void tick(std::span<Input> inputs, std::span<const Output> outputs, std::vector<Packet>& packets);

    void set_settings(const TalkerDetector::Settings& settings) { settings_ = settings; }
    const TalkerDetector& detector() const { return detector_; }
    const Counters& counters() const { return counters_; }

private:
    struct Contribution {
        double gain = 0.0;  // at the end of the last block
        bool active = false;
        SumBlock samples{};
    };
    struct Mix;
    struct Stream;

    void collect(std::span<Input> inputs);
    Mix& mix_for(MixId id);
    Packet encode(const StreamId& id);
    std::span<const std::int16_t> samples_at(Mix& mix, int rate);
    void forget_unused();

    TalkerDetector detector_;
    TalkerDetector::Settings settings_;
    std::map<unsigned, Contribution> contributions_;
    SumBlock sum_{};
    SumBlock previous_sum_{};
    std::map<MixId, std::unique_ptr<Mix>> mixes_;
    std::map<StreamId, std::unique_ptr<Stream>> streams_;
    Counters counters_;
};

}  // namespace vmr::mixer
