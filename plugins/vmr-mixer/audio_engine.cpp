#include "audio_engine.hpp"

#include <algorithm>

#include "base/guard.hpp"
#include "caps.hpp"
#include "downstream.hpp"
#include "structures.hpp"

namespace vmr::mixer {
namespace {

constexpr unsigned kPatience = 10;  // ticks: a machine that slept longer skips ahead

// The packet's bytes are shared by every buffer and every pad that carries them.
GPtr<GstMemory> wrap(const PayloadPtr& payload) {
    const auto release = [](gpointer held) { delete static_cast<PayloadPtr*>(held); };
    auto* data = const_cast<std::uint8_t*>(payload->data());  // READONLY keeps it const
    return GPtr<GstMemory>::adopt(gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, data, payload->size(), 0,
                                                         payload->size(), new PayloadPtr(payload), release));
}

BufferPtr buffer_of(GstMemory* memory, GstClockTime running_time, GstClockTime duration) {
    GstBuffer* buffer = gst_buffer_new();
    gst_buffer_append_memory(buffer, gst_memory_ref(memory));
    GST_BUFFER_PTS(buffer) = running_time;
    GST_BUFFER_DTS(buffer) = running_time;
    GST_BUFFER_DURATION(buffer) = duration;
    return BufferPtr::adopt(buffer);
}

EventPtr named_event(GstEventType type, const char* name) {
    return EventPtr::adopt(gst_event_new_custom(type, gst_structure_new_empty(name)));
}

}  // namespace

AudioEngine::AudioEngine(GstElement* element, const PadBook& pads, const Settings& settings)
    : element_(element),
      pads_(pads),
      settings_(settings),
      drain_(named_event(GST_EVENT_CUSTOM_UPSTREAM, kDrain)),
      tick_end_(named_event(GST_EVENT_CUSTOM_DOWNSTREAM_OOB, kTickEnd)) {}

void AudioEngine::start(GstClock* clock, GstClockTime base_time) {
    next_levels_ = 0;
    last_talkers_.clear();
    room_ = std::make_unique<AudioRoom>(settings_.tick_ms);
    const GstClockTime period = settings_.tick_ms * GST_MSECOND;
    renegotiate_all(pads_.read()->audio_srcs);
    pool_.start("vmr-audio-push", kDownstream);
    ticker_.start(
        clock, base_time, "vmr-mix", [period] { return period; }, kPatience * period,
        [this](GstClockTime running_time) { guard(element_, [&] { tick(running_time); }); });
}

void AudioEngine::stop() {
    ticker_.stop();
    pool_.stop();
}

void AudioEngine::tick(GstClockTime running_time) {
    const auto lists = pads_.read();
    room_->set_settings({.max_talkers = settings_.max_talkers,
                         .gate_db = settings_.gate_db,
                         .comfort_db = settings_.comfort_noise_db,
                         .dtx = settings_.dtx});
    ask_for_packets(*lists);
    gather_inputs(*lists, running_time);
    gather_outputs(*lists, running_time);
    room_->tick(inputs_, outputs_);
    send(running_time);
    publish(*lists, running_time);
}

// Upstream pushes into the sink pads from this thread what has come since the last tick: no thread is woken
// for each packet.
void AudioEngine::ask_for_packets(const PadLists& lists) {
    for (const PadPtr& pad : lists.audio_sinks) {
        AudioInput& input = audio_input(pad.get());
        if (input.asks) {
            input.asking = true;
            input.asks = gst_pad_push_event(pad.get(), gst_event_ref(drain_.get())) != FALSE;
            input.asking = false;
        }
    }
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
                              .control = settings_.level_control ? &input.control : nullptr,
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
    const GstClockTime now = gst_element_get_current_running_time(element_);
    const GstClockTime late = GST_CLOCK_TIME_IS_VALID(now) && now > running_time ? now - running_time : 0;
    intake_.gather(
        sources_,
        {.due_us = static_cast<std::int64_t>(running_time / GST_USECOND),
         .late_us = static_cast<std::int64_t>(late / GST_USECOND),
         .samples = room_->block()},
        {.max_talkers = settings_.max_talkers, .gate_db = settings_.gate_db, .tick_ms = room_->tick_ms()},
        inputs_);
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
            format.fec = settings_.inband_fec || state.lossy;
        }
        outputs_.push_back({state.index, format, state.heard});
        output_pads_.push_back(pad.get());
    }
}

void AudioEngine::send(GstClockTime running_time) {
    wrapped_.resize(room_->streams().size());
    last_direct_ = nullptr;
    for (std::size_t i = 0; i < output_pads_.size(); ++i) {
        send_to(i, running_time);
    }
    for (Wrapped& wrapped : wrapped_) {
        wrapped = {};
    }
    if (last_direct_ != nullptr) {
        // Who gathers packets may send them now.
        gst_pad_push_event(last_direct_, gst_event_ref(tick_end_.get()));
    }
    pool_.submit(jobs_);
}

void AudioEngine::send_to(std::size_t output_index, GstClockTime running_time) {
    GstPad* pad = output_pads_[output_index];
    Output& state = output(pad);
    state.heard = outputs_[output_index].heard;
    const AudioRoom::Encoded& encoded = room_->heard_by(output_index);
    Wrapped& wrapped = wrapped_[room_->stream_of(output_index)];
    if (!wrapped.memory) {
        wrapped.memory = wrap(encoded.payload);
    }
    BufferPtr buffer;
    bool direct = false;
    {
        const std::lock_guard held(state.lock);
        direct = state.direct;
        if (state.rtp) {
            buffer = next_packet(*state.rtp, encoded, wrapped.memory.get(), running_time);
            if (!buffer) {
                return;  // a pause
            }
        }
    }
    if (!buffer) {
        if (!wrapped.buffer) {
            wrapped.buffer = buffer_of(wrapped.memory.get(), running_time, room_->tick_ms() * GST_MSECOND);
        }
        buffer = wrapped.buffer;
    }
    if (direct) {
        push_now(pad, std::move(buffer));
        last_direct_ = pad;
    } else {
        jobs_.push_back({PadPtr::ref(pad), std::move(buffer)});
    }
}

void AudioEngine::publish(const PadLists& lists, GstClockTime running_time) {
    const TalkerDetector& detector = room_->detector();
    heard_.clear();
    talkers_.clear();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
        const unsigned participant = inputs_[i].participant;
        const bool talking = detector.talking_at(i);
        AudioInput& input = audio_input(lists.audio_sinks[i].get());
        input.level_db = inputs_[i].level_db;
        input.talking = talking;
        heard_.push_back({participant, {talking, detector.loudness_at(i)}});
        if (talking) {
            talkers_.push_back(participant);
        }
    }
    {
        const std::lock_guard held(lock_);
        speakers_.swap(heard_);
        counters_.room = room_->counters();
        counters_.decodes = intake_.decodes();
    }
    std::sort(talkers_.begin(), talkers_.end());
    if (talkers_ != last_talkers_) {
        post_talking(talkers_);
        last_talkers_ = talkers_;
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
    Voices voices;
    const std::lock_guard held(lock_);
    for (const Speaker& speaker : speakers_) {
        voices[speaker.participant] = speaker.voice;
    }
    return voices;
}

AudioEngine::Counters AudioEngine::counters() const {
    const std::uint64_t dropped = pool_.dropped();
    const std::lock_guard held(lock_);
    Counters counters = counters_;
    counters.dropped = dropped;
    return counters;
}

}  // namespace vmr::mixer
