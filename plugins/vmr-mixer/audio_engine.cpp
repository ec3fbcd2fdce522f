#include "audio_engine.hpp"

#include "base/guard.hpp"
#include "caps.hpp"
#include "downstream.hpp"
#include "structures.hpp"

namespace vmr::mixer {
namespace {

constexpr GstClockTime kTick = kTickMs * GST_MSECOND;
constexpr GstClockTime kPatience = 10 * kTick;  // a machine that slept longer skips ahead

// The packet's bytes are shared by every buffer and every pad that carries them.
BufferPtr wrap(const AudioRoom::Packet& packet, GstClockTime running_time) {
    const auto release = [](gpointer held) { delete static_cast<AudioRoom::Packet*>(held); };
    auto* data = const_cast<std::uint8_t*>(packet->data());  // READONLY keeps it const
    GstBuffer* buffer = gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, data, packet->size(), 0,
                                                    packet->size(), new AudioRoom::Packet(packet), release);
    GST_BUFFER_PTS(buffer) = running_time;
    GST_BUFFER_DTS(buffer) = running_time;
    GST_BUFFER_DURATION(buffer) = kTick;
    return BufferPtr::adopt(buffer);
}

}  // namespace

void AudioEngine::start(GstClock* clock, GstClockTime base_time) {
    next_levels_ = 0;
    renegotiate_all(pads_.read()->audio_srcs);
    pool_.start("vmr-audio-push", kDownstream);
    ticker_.start(
        clock, base_time, "vmr-mix", [] { return kTick; }, kPatience,
        [this](GstClockTime running_time) { guard(element_, [&] { tick(running_time); }); });
}

void AudioEngine::stop() {
    ticker_.stop();
    pool_.stop();
}

void AudioEngine::tick(GstClockTime running_time) {
    const auto lists = pads_.read();
    room_.set_settings({.max_talkers = settings_.max_talkers, .gate_db = settings_.gate_db});
    gather_inputs(*lists, running_time);
    gather_outputs(*lists, running_time);
    room_.tick(inputs_, outputs_, packets_);
    send(running_time);
    publish(*lists, running_time);
}

void AudioEngine::gather_inputs(const PadLists& lists, GstClockTime running_time) {
    sources_.clear();
    legs_.clear();
    for (const PadPtr& pad : lists.audio_sinks) {
        AudioInput& input = audio_input(pad.get());
        Intake::Source source{.participant = input.index,
                              .candidate = &input.candidate,
                              .queue = &input.queue,
                              .lock = &input.lock,
                              .volume = input.volume,
                              .mute = input.mute};
        {
            const std::lock_guard held(input.lock);
            if (input.leg) {
                legs_.push_back(input.leg);  // new caps may replace it meanwhile
                source.leg = input.leg.get();
            }
        }
        sources_.push_back(source);
    }
    intake_.gather(sources_, static_cast<std::int64_t>(running_time / GST_USECOND),
                   {.max_talkers = settings_.max_talkers, .gate_db = settings_.gate_db}, inputs_);
}

void AudioEngine::gather_outputs(const PadLists& lists, GstClockTime running_time) {
    outputs_.clear();
    output_pads_.clear();
    for (const PadPtr& pad : lists.audio_srcs) {
        if (!ready_to_send(pad.get(), running_time, jobs_)) {
            continue;
        }
        Output& state = output(pad.get());
        AudioFormat format;
        {
            const std::lock_guard held(state.lock);
            format = *state.audio;
        }
        if (format.codec == AudioCodec::opus) {
            format.bitrate = settings_.opus_bitrate;
            format.fec = settings_.inband_fec;
        }
        outputs_.push_back({state.index, format});
        output_pads_.push_back(pad.get());
    }
}

void AudioEngine::send(GstClockTime running_time) {
    std::map<const void*, BufferPtr> wrapped;
    for (std::size_t i = 0; i < packets_.size(); ++i) {
        BufferPtr& buffer = wrapped[packets_[i].get()];
        if (!buffer) {
            buffer = wrap(packets_[i], running_time);
        }
        jobs_.push_back({PadPtr::ref(output_pads_[i]), buffer});
    }
    pool_.submit(jobs_);
}

void AudioEngine::publish(const PadLists& lists, GstClockTime running_time) {
    Voices voices;
    const TalkerDetector& detector = room_.detector();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
        const unsigned participant = inputs_[i].participant;
        AudioInput& input = audio_input(lists.audio_sinks[i].get());
        input.level_db = inputs_[i].level_db;
        input.talking = detector.talking(participant);
        voices[participant] = {detector.talking(participant), detector.loudness_db(participant)};
    }
    {
        const std::lock_guard held(lock_);
        voices_.swap(voices);
        counters_ = room_.counters();
        decodes_ = intake_.decodes();
    }
    std::vector<unsigned> talkers = detector.talkers();
    if (talkers != last_talkers_) {
        post_talking(talkers);
        last_talkers_ = std::move(talkers);
    }
    post_levels(lists, running_time);
}

void AudioEngine::post_talking(const std::vector<unsigned>& talkers) {
    GstStructure* structure = gst_structure_new_empty("vmr-talking");
    set_participants(structure, "participants", talkers);
    gst_element_post_message(element_, gst_message_new_element(GST_OBJECT(element_), structure));
}

void AudioEngine::post_levels(const PadLists& lists, GstClockTime running_time) {
    const unsigned interval = settings_.level_interval_ms;
    if (interval == 0 || running_time < next_levels_) {
        return;
    }
    next_levels_ = running_time + interval * GST_MSECOND;
    std::vector<unsigned> participants;
    std::vector<double> levels;
    for (const PadPtr& pad : lists.audio_sinks) {
        participants.push_back(audio_input(pad.get()).index);
        levels.push_back(audio_input(pad.get()).level_db);
    }
    GstStructure* structure =
        gst_structure_new("vmr-levels", "running-time", G_TYPE_UINT64, running_time, nullptr);
    set_participants(structure, "participants", participants);
    set_doubles(structure, "levels", levels);
    gst_element_post_message(element_, gst_message_new_element(GST_OBJECT(element_), structure));
}

Voices AudioEngine::voices() const {
    const std::lock_guard held(lock_);
    return voices_;
}

AudioRoom::Counters AudioEngine::counters() const {
    const std::lock_guard held(lock_);
    return counters_;
}

std::uint64_t AudioEngine::decodes() const {
    const std::lock_guard held(lock_);
    return decodes_;
}

}  // namespace vmr::mixer
