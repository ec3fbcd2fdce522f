// The room's audio in GStreamer: takes what the sink pads queued, every tick, and hands the
// packets of AudioRoom to the src pads.
#pragma once
#include <gst/gst.h>

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "audio_room.hpp"
#include "fan_out.hpp"
#include "intake.hpp"
#include "pad_lists.hpp"
#include "push_pool.hpp"
#include "settings.hpp"
#include "spare_buffers.hpp"
#include "ticker.hpp"

namespace vmr::mixer {

// What the video side needs to know about who speaks.
struct Voice {
    bool talking = false;
    double loudness_db = kSilenceDb;
};
using Voices = std::map<unsigned, Voice>;

class AudioEngine {
public:
    struct Counters {
        AudioRoom::Counters room;
        std::uint64_t decodes = 0;
        std::uint64_t dropped = 0;
    };

    AudioEngine(GstElement* element, const PadBook& pads, const Settings& settings);

    void start(GstClock* clock, GstClockTime base_time);
    void stop();
    void forget(GstPad* src_pad) { pool_.forget(src_pad); }

    Voices voices() const;
    Counters counters() const;

private:
    void tick(GstClockTime running_time);
    std::int64_t most_alone() const;
    void ask_for_packets(const PadLists& lists, GstClockTime running_time);
    void gather_inputs(const PadLists& lists, GstClockTime running_time);
    void gather_outputs(const PadLists& lists, GstClockTime running_time);
    void send(GstClockTime running_time);
    void share_buffer(std::size_t stream, GstClockTime running_time);
    BufferPtr buffer_for(std::size_t output, GstClockTime running_time);
    void publish(const PadLists& lists, GstClockTime running_time);
    void post_talking(const std::vector<unsigned>& talkers);
    void post_levels(const PadLists& lists, GstClockTime running_time);

    GstElement* element_;  // owns this
    const PadBook& pads_;
    const Settings& settings_;
    Ticker ticker_;
    PushPool pool_;
    const std::shared_ptr<FanOut> fan_out_ = FanOut::shared();

    struct Target {
        GstPad* pad;
        bool rtp;
        bool direct;  // pushed to in the tick
    };
    struct Speaker {
        unsigned participant;
        Voice voice;
    };
    // Of the vmr-mix thread:
    std::unique_ptr<AudioRoom> room_;
    Intake intake_;
    std::vector<std::shared_ptr<RtpLeg>> legs_;
    std::vector<Intake::Source> sources_;
    std::vector<AudioRoom::Input> inputs_;
    std::vector<AudioRoom::Output> outputs_;
    std::vector<Target> targets_;  // of the outputs
    FanOut::Cost ask_cost_, send_cost_;
    std::vector<GstPad*> asked_;       // sink pads whose upstream hands over what has come
    std::vector<std::size_t> direct_;  // outputs
    SpareBuffers spares_;
    std::vector<BufferPtr> shared_;  // a stream's bytes without RTP, made when the first pad wants them
    std::vector<PushPool::Job> jobs_;
    const EventPtr drain_;  // to who is upstream
    std::vector<unsigned> talkers_, last_talkers_;
    std::vector<Speaker> heard_;
    GstClockTime next_levels_ = 0;

    mutable std::mutex lock_;  // leaf; guards the two below
    std::vector<Speaker> speakers_;
    Counters counters_;
};

}  // namespace vmr::mixer
