// One room's audio: blocks in, packets out, each mix and each encode made once and shared.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "audio_encoder.hpp"
#include "audio_format.hpp"
#include "comfort_noise.hpp"
#include "level_control.hpp"
#include "limiter.hpp"
#include "mix_kernel.hpp"
#include "payload_pool.hpp"
#include "share_groups.hpp"
#include "talker_detector.hpp"

namespace vmr::mixer {

// Pure: no clock, no thread, no GStreamer. The shell calls tick() every 20 (or 10) ms. Once nobody
// comes, goes or begins to talk, a tick allocates nothing.
class AudioRoom {
public:
    struct Input {
        unsigned participant;
        const SampleBlock* samples;  // null: nothing arrived, or nothing was decoded
        double volume = 1.0;
        bool mute = false;
        bool decoded = true;              // false: there was something, and level_db is the sender's word
        LevelControl* control = nullptr;  // of this participant; null: as loud as they are
        double level_db = kSilenceDb;     // out, unless not decoded: before mute and volume
    };
    using Output = Listener;  // tick() keeps `mix` up to date
    // What one stream is in this tick.
    struct Encoded {
        StreamId id;
        PayloadPtr payload;
        double level_db = kSilenceDb;  // of the mix
        bool pause = false;            // DTX: over RTP nothing need be sent
    };
    struct Settings {
        unsigned max_talkers = 8;
        double gate_db = -60.0;
        double comfort_db = kSilenceDb;  // noise in a silent mix, dBFS
        bool dtx = false;                // Opus, in a silent mix
    };
    struct Counters {
        std::uint64_t ticks = 0;
        std::uint64_t mixes = 0;
        std::uint64_t encodes = 0;
        std::uint64_t primes = 0;  // encodes that only fill a new encoder's memory
    };

    explicit AudioRoom(int tick_ms = kTickMs);
    ~AudioRoom();

    void tick(std::span<Input> inputs, std::span<Output> outputs);
    std::span<const Encoded> streams() const { return encoded_; }
    std::size_t stream_of(std::size_t output) const { return groups_.members[output]; }
    const Encoded& heard_by(std::size_t output) const { return encoded_[stream_of(output)]; }

    void set_settings(const Settings& settings) { settings_ = settings; }
    const TalkerDetector& detector() const { return detector_; }
    const Counters& counters() const { return counters_; }
    int tick_ms() const { return tick_ms_; }
    std::size_t block() const { return block_; }  // samples in one tick

private:
    struct Contribution {
        unsigned participant = 0;
        double gain = 0.0;  // at the end of the last block
        bool active = false;
        SumBlock samples{};
    };
    struct Mix;
    struct Stream;
    using Sum = std::span<std::int32_t>;

    void detect(std::span<Input> inputs);
    void sum(std::span<const Input> inputs);
    Contribution* contribution_of(unsigned participant);
    void contribute(const Input& input, double target, bool heard);
    Mix& mix_for(MixId id);
    void note_moves(std::span<Output> outputs);
    Stream& stream_for(const StreamId& id);
    void encode(const StreamId& id, Encoded& out);
    std::span<std::int16_t> samples_at(Mix& mix, int rate);
    std::span<const std::int16_t> with_comfort(const Mix& mix, std::span<const std::int16_t> samples);
    bool pauses(Stream& stream, const Mix& mix, Encoded& out);
    void forget_unused();

    const int tick_ms_;
    const std::size_t block_;
    Settings settings_;
    TalkerDetector detector_;
    std::vector<TalkerDetector::Input> levels_;
    std::vector<std::unique_ptr<Contribution>> contributions_;  // of who is heard
    std::vector<std::unique_ptr<Contribution>> spare_;
    std::vector<unsigned> in_sum_;
    SumBlock sum_{};
    SumBlock previous_sum_{};
    std::vector<std::unique_ptr<Mix>> mixes_;
    std::vector<std::unique_ptr<Stream>> streams_;
    ShareGroups groups_;
    std::vector<Encoded> encoded_;
    PayloadPool pool_;
    ComfortNoise comfort_;
    std::vector<std::int16_t> comforted_;
    Counters counters_;
};

}  // namespace vmr::mixer
