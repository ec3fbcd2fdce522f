// What everybody said in this tick: raw queues and RTP legs, decoded where it may be heard.
#pragma once
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "audio_room.hpp"
#include "decode_chooser.hpp"
#include "rtp_leg.hpp"
#include "sample_queue.hpp"

namespace vmr::mixer {

class Intake {
public:
    // One participant: `leg` where they send RTP, or `queue` and its `lock`.
    struct Source {
        unsigned participant;
        RtpLeg* leg = nullptr;
        DecodeChooser::Candidate* candidate = nullptr;  // of the leg
        SampleQueue* queue = nullptr;
        std::mutex* lock = nullptr;
        LevelControl* control = nullptr;
        double volume = 1.0;
        bool mute = false;
    };

    // One tick: it is due at one time, and runs so much later.
    struct Tick {
        std::int64_t due_us = 0;
        std::int64_t late_us = 0;
        std::size_t samples = kBlock;
    };

    // inputs[i] belongs to sources[i]; what it points to lasts until the next call.
    void gather(std::span<const Source> sources, const Tick& tick, const DecodeChooser::Settings& settings,
                std::vector<AudioRoom::Input>& inputs);
    std::uint64_t decodes() const { return decodes_; }  // packets, since the start

private:
    void preview(const Source& source, const Tick& tick);
    void play(const Source& source, SampleBlock& block, std::size_t samples, AudioRoom::Input& input);

    DecodeChooser chooser_;
    std::vector<DecodeChooser::Candidate*> candidates_;
    std::vector<SampleBlock> blocks_;
    std::uint64_t decodes_ = 0;
};

}  // namespace vmr::mixer
