#include "audio_engine.hpp"

#include <algorithm>

#include "base/guard.hpp"
#include "caps.hpp"
#include "downstream.hpp"
#include "structures.hpp"

namespace vmr::mixer {
namespace {

constexpr unsigned kPatience = 10;  // ticks: a machine that slept longer skips ahead

}  // namespace

AudioEngine::AudioEngine(GstElement* element, const PadBook& pads, const Settings& settings)
    : element_(element),
      pads_(pads),
      settings_(settings),
      drain_(
          EventPtr::adopt(gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty(kDrain)))) {
}

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
    ask_for_packets(*lists, running_time);
    gather_inputs(*lists, running_time);
    gather_outputs(*lists, running_time);
    room_->tick(inputs_, outputs_);
    send(running_time);
    publish(*lists, running_time);
}

// What one thread may do before others help: half of a tick for both, asking and sending.
std::int64_t AudioEngine::most_alone() const {
    return room_->tick_ms() * GST_MSECOND / 4;
}

// Upstream pushes into the sink pads from this thread what has come since the last tick: no thread is woken
// for each packet.
void AudioEngine::ask_for_packets(const PadLists& lists, GstClockTime running_time) {
    asked_.clear();
    for (const PadPtr& pad : lists.audio_sinks) {
        if (audio_input(pad.get()).asks) {
            asked_.push_back(pad.get());
        }
    }
    // What comes carries its arrival; a tick that is very late asks the clock again for each.
    const GstClockTime until = running_time + settings_.tick_ms * GST_MSECOND;
    fan_out_->run(asked_.size(), ask_cost_, most_alone(), [&](std::size_t first, std::size_t end) {
        for (std::size_t i = first; i < end; ++i) {
            AudioInput& input = audio_input(asked_[i]);
            input.asking = until;
            input.asks = gst_pad_push_event(asked_[i], gst_event_ref(drain_.get())) != FALSE;
            input.asking = 0;
        }
    });
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
    targets_.clear();
    for (const PadPtr& pad : lists.audio_srcs) {
        if (!ready_to_send(pad.get(), running_time, jobs_)) {
            continue;
        }
        Output& state = output(pad.get());
        AudioFormat format;
        Target target{.pad = pad.get(), .rtp = false, .direct = false};
        {
            const std::lock_guard held(state.lock);
            format = *state.audio;
            target.rtp = state.rtp.has_value();
            target.direct = state.direct;
        }
        if (format.codec == AudioCodec::opus) {
            format.bitrate = opus_bitrate_for(settings_.opus_bitrate, state.max_bitrate);
            format.fec = settings_.inband_fec || state.lossy;
        }
        outputs_.push_back({state.index, format, state.heard});
        targets_.push_back(target);
    }
}

void AudioEngine::send(GstClockTime running_time) {
    shared_.resize(room_->streams().size());
    direct_.clear();
    for (std::size_t i = 0; i < targets_.size(); ++i) {
        if (!targets_[i].rtp) {
            share_buffer(room_->stream_of(i), running_time);
        }
        if (targets_[i].direct) {
            direct_.push_back(i);
        } else if (BufferPtr buffer = buffer_for(i, running_time)) {
            jobs_.push_back({PadPtr::ref(targets_[i].pad), std::move(buffer)});
        }
    }
    fan_out_->run(direct_.size(), send_cost_, most_alone(), [&](std::size_t first, std::size_t end) {
        for (std::size_t i = first; i < end; ++i) {
            if (BufferPtr buffer = buffer_for(direct_[i], running_time)) {
                push_now(targets_[direct_[i]].pad, std::move(buffer));
            }
        }
    });
    for (BufferPtr& buffer : shared_) {
        buffer.reset();
    }
    pool_.submit(jobs_);
}

// A stream's bytes as all get them who do not want RTP.
void AudioEngine::share_buffer(std::size_t stream, GstClockTime running_time) {
    BufferPtr& buffer = shared_[stream];
    if (buffer) {
        return;
    }
    buffer = spares_.buffer(spares_.memory(*room_->streams()[stream].payload).get());
    GST_BUFFER_PTS(buffer.get()) = running_time;
    GST_BUFFER_DTS(buffer.get()) = running_time;
    GST_BUFFER_DURATION(buffer.get()) = room_->tick_ms() * GST_MSECOND;
}

// Null: nothing is sent, for a pause or because the format has just changed.
BufferPtr AudioEngine::buffer_for(std::size_t output_index, GstClockTime running_time) {
    Output& state = output(targets_[output_index].pad);
    state.heard = outputs_[output_index].heard;
    const std::lock_guard held(state.lock);
    if (state.rtp) {
        return next_packet(*state.rtp, room_->heard_by(output_index), running_time, state.packets);
    }
    return shared_[room_->stream_of(output_index)];
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
