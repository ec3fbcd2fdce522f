// The room's audio in GStreamer: takes what the sink pads queued, every 20 ms, and hands the
// packets of AudioRoom to the src pads.
#pragma once
#include <gst/gst.h>

#include <atomic>
#include <map>
#include <mutex>

#include "audio_room.hpp"
#include "intake.hpp"
#include "pad_lists.hpp"
#include "push_pool.hpp"
#include "settings.hpp"
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
    AudioEngine(GstElement* element, const PadBook& pads, const Settings& settings)
        : element_(element), pads_(pads), settings_(settings) {}

    void start(GstClock* clock, GstClockTime base_time);
    void stop();
    void forget(GstPad* src_pad) { pool_.forget(src_pad); }

    Voices voices() const;
    AudioRoom::Counters counters() const;
    std::uint64_t decodes() const;
    std::uint64_t dropped() const { return pool_.dropped(); }

private:
    void tick(GstClockTime running_time);
    void gather_inputs(const PadLists& lists, GstClockTime running_time);
    void gather_outputs(const PadLists& lists, GstClockTime running_time);
    void send(GstClockTime running_time);
    void publish(const PadLists& lists, GstClockTime running_time);
    void post_talking(const std::vector<unsigned>& talkers);
    void post_levels(const PadLists& lists, GstClockTime running_time);

    GstElement* element_;  // owns this
    const PadBook& pads_;
    const Settings& settings_;
    Ticker ticker_;
    PushPool pool_;

    // Of the vmr-mix thread:
    AudioRoom room_;
    Intake intake_;
    std::vector<std::shared_ptr<RtpLeg>> legs_;
    std::vector<Intake::Source> sources_;
    std::vector<AudioRoom::Input> inputs_;
    std::vector<AudioRoom::Output> outputs_;
    std::vector<GstPad*> output_pads_;
    std::vector<AudioRoom::Packet> packets_;
    std::vector<PushPool::Job> jobs_;
    std::vector<unsigned> last_talkers_;
    GstClockTime next_levels_ = 0;

    mutable std::mutex lock_;  // leaf; guards the three below
    Voices voices_;
    AudioRoom::Counters counters_;
    std::uint64_t decodes_ = 0;
};

}  // namespace vmr::mixer
