#include "daemon/media/transport/audio_sender.hpp"

#include <array>
#include <utility>

#include "base/guard.hpp"
#include "daemon/media/transport/audio_rtp.hpp"
#include "daemon/media/transport/rtp_caps_fields.hpp"

namespace vmr::media {
namespace {

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("rtp_sink_%u", GST_PAD_SINK, GST_PAD_SOMETIMES,
                                                             GST_STATIC_CAPS("application/x-rtp"));

}  // namespace

class AudioSender::State {
public:
    State() : line_(static_cast<uint16_t>(g_random_int_range(0, 0x8000)), g_random_int()) {
        gst_segment_init(&segment_, GST_FORMAT_TIME);
    }

    void set(const MediaParams& params) {
        const GstCaps* caps = params.send_caps.get();
        const std::lock_guard held(mutex_);
        wanted_encoding_ = encoding_of(caps);
        line_.set({.ssrc = params.send_ssrc,
                   .payload_type = payload_of(caps),
                   .clock_rate = clock_rate_of(caps),
                   .mid = params.mid,
                   .mid_extension = params.mid_extmap});
    }
    void set_sending(bool sending) {
        const std::lock_guard held(mutex_);
        sending_ = sending;
    }

    // The bytes of `out` that were written, 0: nothing is to be sent.
    size_t write(Bytes packet, GstClockTime pts, GstElement* bin, std::span<uint8_t> out);
    bool handle_query(GstQuery* query) const;
    void handle_event(GstEvent* event);

    uint32_t ssrc() const {
        const std::lock_guard held(mutex_);
        return line_.settings().ssrc;
    }
    SendLine::Counts counts() const {
        const std::lock_guard held(mutex_);
        return line_.counts();
    }
    std::optional<SenderInfo> take_info(GstClockTime running_time);

private:
    CapsPtr caps() const;

    mutable std::mutex mutex_;  // leaf: nothing is sent or called under it
    SendLine line_;
    GstSegment segment_;
    std::string wanted_encoding_, given_encoding_;  // what was agreed on, and what the source makes
    bool sending_ = true;
    uint64_t reported_[2] = {0, 0};  // packets, at the last report and at the one before
};

size_t AudioSender::State::write(Bytes packet, GstClockTime pts, GstElement* bin, std::span<uint8_t> out) {
    const std::lock_guard held(mutex_);
    if (!sending_ || given_encoding_ != wanted_encoding_) {
        return 0;
    }
    GstClockTime running_time = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, pts);
    if (!GST_CLOCK_TIME_IS_VALID(running_time)) {
        running_time = gst_element_get_current_running_time(bin);
    }
    return line_.write(packet, running_time, out);
}

// What whoever makes packets may make; the rest of the header is written here.
CapsPtr AudioSender::State::caps() const {
    const std::lock_guard held(mutex_);
    if (wanted_encoding_.empty()) {
        return CapsPtr::adopt(gst_caps_new_empty());
    }
    const SendLine::Settings& settings = line_.settings();
    return CapsPtr::adopt(gst_caps_new_simple(
        "application/x-rtp", "media", G_TYPE_STRING, "audio", "encoding-name", G_TYPE_STRING,
        wanted_encoding_.c_str(), "clock-rate", G_TYPE_INT, static_cast<int>(settings.clock_rate), "payload",
        G_TYPE_INT, static_cast<int>(settings.payload_type), "ssrc", G_TYPE_UINT, settings.ssrc, nullptr));
}

bool AudioSender::State::handle_query(GstQuery* query) const {
    switch (GST_QUERY_TYPE(query)) {
        case GST_QUERY_CAPS: {
            GstCaps* filter = nullptr;
            gst_query_parse_caps(query, &filter);
            CapsPtr answer = caps();
            if (filter != nullptr) {
                answer =
                    CapsPtr::adopt(gst_caps_intersect_full(filter, answer.get(), GST_CAPS_INTERSECT_FIRST));
            }
            gst_query_set_caps_result(query, answer.get());
            return true;
        }
        case GST_QUERY_ACCEPT_CAPS: {
            GstCaps* offered = nullptr;
            gst_query_parse_accept_caps(query, &offered);
            gst_query_set_accept_caps_result(query, gst_caps_can_intersect(offered, caps().get()));
            return true;
        }
        case GST_QUERY_CUSTOM:
            return gst_structure_has_name(gst_query_get_structure(query), "vmr-non-blocking") != FALSE;
        default:
            return false;
    }
}

// What ends upstream is one source; the line goes on with the next.
void AudioSender::State::handle_event(GstEvent* event) {
    const std::lock_guard held(mutex_);
    switch (GST_EVENT_TYPE(event)) {
        case GST_EVENT_STREAM_START:
            line_.note_new_source();
            break;
        case GST_EVENT_CAPS: {
            GstCaps* caps = nullptr;
            gst_event_parse_caps(event, &caps);
            given_encoding_ = encoding_of(caps);
            line_.note_new_source();
            break;
        }
        case GST_EVENT_SEGMENT:
            gst_event_copy_segment(event, &segment_);
            break;
        default:
            break;
    }
}

std::optional<SenderInfo> AudioSender::State::take_info(GstClockTime running_time) {
    const std::lock_guard held(mutex_);
    const uint64_t sent = line_.counts().packets;
    const uint64_t before_last = std::exchange(reported_[1], std::exchange(reported_[0], sent));
    const SendLine::Counts counts = line_.counts_of_ssrc();
    if (sent == before_last || counts.packets == 0 || !GST_CLOCK_TIME_IS_VALID(running_time)) {
        return std::nullopt;
    }
    return SenderInfo{.ntp = ntp_time(g_get_real_time()),
                      .timestamp = line_.timestamp_at(running_time),
                      .packets = static_cast<uint32_t>(counts.packets),
                      .bytes = static_cast<uint32_t>(counts.bytes)};
}

AudioSender::AudioSender(GstElement* bin, unsigned media, AudioRtpHost& host)
    : bin_(bin),
      host_(host),
      state_(std::make_shared<State>()),
      pad_(PadPtr::adopt(
          gst_pad_new_from_static_template(&sink_template, ("rtp_sink_" + std::to_string(media)).c_str()))) {
    using Held = std::shared_ptr<State>;
    const auto let_go = [](gpointer held) { delete static_cast<Held*>(held); };
    gst_pad_set_iterate_internal_links_function(pad_.get(), no_internal_links);
    gst_pad_set_element_private(pad_.get(), this);
    gst_pad_set_chain_function(pad_.get(), on_buffer_received);
    gst_pad_set_query_function_full(
        pad_.get(),
        [](GstPad* pad, GstObject*, GstQuery* query) -> gboolean {
            const State& state = **static_cast<Held*>(pad->querydata);
            return guard(nullptr, false, [&] { return state.handle_query(query); }) ? TRUE : FALSE;
        },
        new Held(state_), let_go);
    gst_pad_set_event_function_full(
        pad_.get(),
        [](GstPad* pad, GstObject*, GstEvent* event) -> gboolean {
            const auto owned = EventPtr::adopt(event);
            guard(nullptr, [&] { (*static_cast<Held*>(pad->eventdata))->handle_event(event); });
            return TRUE;
        },
        new Held(state_), let_go);
    gst_pad_set_active(pad_.get(), TRUE);
    gst_element_add_pad(bin_, pad_.get());
}

// Deactivating waits for the packet that is being sent.
AudioSender::~AudioSender() {
    gst_pad_set_active(pad_.get(), FALSE);
    gst_element_remove_pad(bin_, pad_.get());
}

void AudioSender::set(const MediaParams& params) {
    state_->set(params);
    gst_pad_push_event(pad_.get(), gst_event_new_reconfigure());
}

void AudioSender::set_sending(bool sending) {
    state_->set_sending(sending);
}

GstFlowReturn AudioSender::on_buffer_received(GstPad* pad, GstObject*, GstBuffer* buffer) {
    const auto owned = BufferPtr::adopt(buffer);
    guard(nullptr, [&] { static_cast<AudioSender*>(gst_pad_get_element_private(pad))->send(buffer); });
    return GST_FLOW_OK;
}

// Header and payload may be two memories: together they are copied once.
void AudioSender::send(GstBuffer* buffer) {
    std::array<uint8_t, kMaxDatagram> made, sent;
    const gsize size = gst_buffer_get_size(buffer);
    if (size > made.size()) {
        return;
    }
    gst_buffer_extract(buffer, 0, made.data(), size);
    const size_t written = state_->write({made.data(), size}, GST_BUFFER_PTS(buffer), bin_, sent);
    if (written != 0) {
        host_.send(Component::rtp, {sent.data(), written});
    }
}

uint32_t AudioSender::ssrc() const {
    return state_->ssrc();
}

std::optional<SenderInfo> AudioSender::take_info() {
    return state_->take_info(gst_element_get_current_running_time(bin_));
}

void AudioSender::fill(MediaStats& stats) const {
    const SendLine::Counts counts = state_->counts();
    stats.sent_packets = counts.packets;
    stats.sent_bytes = counts.bytes;
}

}  // namespace vmr::media
