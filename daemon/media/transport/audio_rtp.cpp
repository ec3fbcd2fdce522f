#include "daemon/media/transport/audio_rtp.hpp"

#include <array>
#include <utility>

#include "base/guard.hpp"
#include "daemon/media/transport/bytes.hpp"

namespace vmr::media {
namespace {

constexpr size_t kMostHeld = 32;  // packets

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("rtp_sink_%u", GST_PAD_SINK, GST_PAD_SOMETIMES,
                                                             GST_STATIC_CAPS("application/x-rtp"));
GstStaticPadTemplate source_template = GST_STATIC_PAD_TEMPLATE("rtp_src_%u", GST_PAD_SRC, GST_PAD_SOMETIMES,
                                                               GST_STATIC_CAPS("application/x-rtp"));

AudioRtp& self_of(GstPad* pad) {
    return *static_cast<AudioRtp*>(gst_pad_get_element_private(pad));
}

// Neither events nor queries cross from one pad to the other.
GstIterator* no_internal_links(GstPad*, GstObject*) {
    return nullptr;
}

PadPtr make_pad(GstStaticPadTemplate* pad_template, const std::string& name, gpointer self) {
    auto pad = PadPtr::adopt(gst_pad_new_from_static_template(pad_template, name.c_str()));
    gst_pad_set_element_private(pad.get(), self);
    gst_pad_set_iterate_internal_links_function(pad.get(), no_internal_links);
    return pad;
}

std::string encoding_of(const GstCaps* caps) {
    const char* name = gst_structure_get_string(gst_caps_get_structure(caps, 0), "encoding-name");
    return name != nullptr ? name : "";
}

unsigned clock_rate_of(const GstCaps* caps) {
    int rate = 0;
    gst_structure_get_int(gst_caps_get_structure(caps, 0), "clock-rate", &rate);
    return rate > 0 ? static_cast<unsigned>(rate) : 8000;
}

Bytes payload_of(const RtpHeader& header, Bytes packet) {
    return packet.subspan(header.size);
}

}  // namespace

AudioRtp::AudioRtp(GstElement* bin, unsigned media, std::string cname, AudioRtpHost& host)
    : bin_(bin),
      media_(media),
      cname_(std::move(cname)),
      host_(host),
      sink_(make_pad(&sink_template, "rtp_sink_" + std::to_string(media), this)),
      source_(make_pad(&source_template, "rtp_src_" + std::to_string(media), this)),
      line_(static_cast<uint16_t>(g_random_int_range(0, 0x8000)), g_random_int()) {
    gst_segment_init(&segment_, GST_FORMAT_TIME);
    gst_pad_set_chain_function(sink_.get(), on_buffer_received);
    gst_pad_set_query_function(sink_.get(), on_sink_query);
    gst_pad_set_event_function(sink_.get(), on_sink_event);
    for (const PadPtr& pad : {sink_, source_}) {
        gst_pad_set_active(pad.get(), TRUE);
        gst_element_add_pad(bin_, pad.get());
    }
}

AudioRtp::~AudioRtp() {
    for (const PadPtr& pad : {sink_, source_}) {
        gst_pad_set_active(pad.get(), FALSE);
        gst_element_remove_pad(bin_, pad.get());
    }
}

void AudioRtp::set(const MediaParams& params) {
    {
        const std::lock_guard held(receive_mutex_);
        formats_.clear();
        for (const auto& [payload_type, caps] : params.receive_caps) {
            const bool events = encoding_of(caps.get()) == "TELEPHONE-EVENT";
            formats_[payload_type] = {caps, clock_rate_of(caps.get()), events};
        }
    }
    if (!params.send_caps) {
        return;
    }
    int payload_type = 0;
    gst_structure_get_int(gst_caps_get_structure(params.send_caps.get(), 0), "payload", &payload_type);
    {
        const std::lock_guard held(send_mutex_);
        wanted_encoding_ = encoding_of(params.send_caps.get());
        line_.set({.ssrc = params.send_ssrc,
                   .payload_type = static_cast<uint8_t>(payload_type & 0x7F),
                   .clock_rate = clock_rate_of(params.send_caps.get()),
                   .mid = params.mid,
                   .mid_extension = params.mid_extmap});
    }
    gst_pad_push_event(sink_.get(), gst_event_new_reconfigure());
}

void AudioRtp::set_sending(bool sending) {
    const std::lock_guard held(send_mutex_);
    sending_ = sending;
}

// ---- what arrives: media-io
// ----------------------------------------------------------------------------------

void AudioRtp::receive(Bytes packet) {
    const auto header = vmr::parse_rtp(packet);
    if (!header) {
        return;
    }
    Format format;
    {
        const std::lock_guard held(receive_mutex_);
        const auto known = formats_.find(header->payload_type);
        if (known == formats_.end()) {
            return;
        }
        format = known->second;
    }
    if (format.events) {
        receive_events(*header, packet);
    } else {
        receive_sound(*header, packet, format);
    }
}

void AudioRtp::receive_events(const RtpHeader& header, Bytes packet) {
    {
        const std::lock_guard held(receive_mutex_);
        ++received_packets_;
        received_bytes_ += payload_of(header, packet).size();
        if (counts_.started() && header.ssrc == counts_.ssrc()) {
            // They share the sound's sequence numbers (RFC 4733 section 2.5.1.2): without them there is no
            // gap.
            hidden_ += static_cast<int16_t>(header.sequence - counts_.highest()) > 0 ? 1 : 0;
            counts_.add(header, 0, 0);
        }
    }
    if (const auto key =
            events_.read(header.ssrc, header.timestamp, payload_of(header, packet), g_get_monotonic_time())) {
        host_.on_key_pressed(media_, *key);
    }
}

void AudioRtp::receive_sound(const RtpHeader& header, Bytes packet, const Format& format) {
    const int64_t now = g_get_monotonic_time();
    const GstClockTime running_time = gst_element_get_current_running_time(bin_);
    const auto verdict = choice_.choose(header.ssrc, header.payload_type, now);
    if (verdict == StreamChoice::Verdict::refused || !GST_CLOCK_TIME_IS_VALID(running_time)) {
        return;
    }
    {
        const std::lock_guard held(receive_mutex_);
        hidden_ = counts_.started() && counts_.ssrc() == header.ssrc ? hidden_ : 0;
        counts_.add(header, now * 1000, format.clock_rate);
        receive_rate_ = format.clock_rate;
        ++received_packets_;
        received_bytes_ += payload_of(header, packet).size();
    }
    const bool other = !caps_ || gst_caps_is_equal(caps_.get(), format.caps.get()) == FALSE;
    if (verdict == StreamChoice::Verdict::changed || other) {
        announce(header, format.caps);
    }
    auto buffer = BufferPtr::adopt(gst_buffer_new_memdup(packet.data(), packet.size()));
    if (hidden_ != 0) {
        std::array<uint8_t, 2> sequence;
        put16(sequence, 0, static_cast<uint16_t>(header.sequence - hidden_));
        gst_buffer_fill(buffer.get(), 2, sequence.data(), sequence.size());
    }
    GST_BUFFER_PTS(buffer.get()) = GST_BUFFER_DTS(buffer.get()) = running_time;
    pass_on(std::move(buffer));
}

void AudioRtp::announce(const RtpHeader& header, const CapsPtr& caps) {
    caps_ = caps;
    held_.clear();
    ++announced_;
    host_.on_audio_started({media_, header.ssrc, header.payload_type}, source_);
}

void AudioRtp::pass_on(BufferPtr buffer) {
    if (released_ != announced_) {
        if (held_.size() < kMostHeld) {
            held_.push_back(std::move(buffer));
        }
        return;
    }
    for (BufferPtr& early : held_) {
        push(std::move(early));
    }
    held_.clear();
    push(std::move(buffer));
}

// Who is linked says nothing that would matter here: an unlinked pad drops.
void AudioRtp::push(BufferPtr buffer) {
    if (start_source()) {
        gst_pad_push(source_.get(), buffer.release());
    }
}

bool AudioRtp::start_source() {
    const bool fresh = gst_pad_has_current_caps(source_.get()) == FALSE;
    if (!fresh && pushed_caps_.get() == caps_.get()) {
        return true;
    }
    if (fresh) {
        const GCharPtr id(g_strdup_printf("audio-%u-%p", media_, static_cast<void*>(this)));
        gst_pad_push_event(source_.get(), gst_event_new_stream_start(id.get()));
    }
    pushed_caps_ = caps_;
    gst_pad_push_event(source_.get(), gst_event_new_caps(caps_.get()));
    if (fresh) {
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        gst_pad_push_event(source_.get(), gst_event_new_segment(&segment));
    }
    return gst_pad_has_current_caps(source_.get()) != FALSE;
}

void AudioRtp::receive_rtcp(const PeerRtcp& rtcp) {
    std::optional<uint32_t> gone;
    {
        const std::lock_guard held(receive_mutex_);
        for (const PeerRtcp::Report& report : rtcp.senders) {
            if (counts_.started() && report.ssrc == counts_.ssrc()) {
                peer_report_ = report.ntp_middle;
                peer_report_at_ = g_get_monotonic_time();
            }
        }
        for (const uint32_t ssrc : rtcp.byes) {
            if (counts_.started() && ssrc == counts_.ssrc()) {
                gone = ssrc;
            }
        }
    }
    if (gone) {
        host_.on_bye_read(media_, *gone);
    }
}

// ---- what is sent: the thread that made it
// ------------------------------------------------------------------

GstFlowReturn AudioRtp::on_buffer_received(GstPad* pad, GstObject*, GstBuffer* buffer) {
    const auto owned = BufferPtr::adopt(buffer);
    guard(nullptr, [&] { self_of(pad).send_buffer(buffer); });
    return GST_FLOW_OK;
}

void AudioRtp::send_buffer(GstBuffer* buffer) {
    std::array<uint8_t, kMaxDatagram> made, sent;
    const gsize size = gst_buffer_get_size(buffer);
    if (size > made.size()) {
        return;
    }
    gst_buffer_extract(buffer, 0, made.data(), size);
    size_t written = 0;
    {
        const std::lock_guard held(send_mutex_);
        if (!sending_ || given_encoding_ != wanted_encoding_) {
            return;
        }
        GstClockTime running_time =
            gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
        if (!GST_CLOCK_TIME_IS_VALID(running_time)) {
            running_time = gst_element_get_current_running_time(bin_);
        }
        written = line_.write({made.data(), size}, running_time, sent);
    }
    if (written != 0) {
        host_.send(Component::rtp, {sent.data(), written});
    }
}

// What whoever makes packets may make; the rest of the header is written here.
CapsPtr AudioRtp::sink_caps() const {
    const std::lock_guard held(send_mutex_);
    if (wanted_encoding_.empty()) {
        return CapsPtr::adopt(gst_caps_new_empty());
    }
    const SendLine::Settings& settings = line_.settings();
    return CapsPtr::adopt(gst_caps_new_simple(
        "application/x-rtp", "media", G_TYPE_STRING, "audio", "encoding-name", G_TYPE_STRING,
        wanted_encoding_.c_str(), "clock-rate", G_TYPE_INT, static_cast<int>(settings.clock_rate), "payload",
        G_TYPE_INT, static_cast<int>(settings.payload_type), "ssrc", G_TYPE_UINT, settings.ssrc, nullptr));
}

bool AudioRtp::handle_sink_query(GstQuery* query) {
    switch (GST_QUERY_TYPE(query)) {
        case GST_QUERY_CAPS: {
            GstCaps* filter = nullptr;
            gst_query_parse_caps(query, &filter);
            CapsPtr caps = sink_caps();
            if (filter != nullptr) {
                caps = CapsPtr::adopt(gst_caps_intersect_full(filter, caps.get(), GST_CAPS_INTERSECT_FIRST));
            }
            gst_query_set_caps_result(query, caps.get());
            return true;
        }
        case GST_QUERY_ACCEPT_CAPS: {
            GstCaps* caps = nullptr;
            gst_query_parse_accept_caps(query, &caps);
            gst_query_set_accept_caps_result(query, gst_caps_can_intersect(caps, sink_caps().get()));
            return true;
        }
        case GST_QUERY_CUSTOM:
            return gst_structure_has_name(gst_query_get_structure(query), "vmr-non-blocking") != FALSE;
        default:
            return false;
    }
}

gboolean AudioRtp::on_sink_query(GstPad* pad, GstObject*, GstQuery* query) {
    return guard(nullptr, false, [&] { return self_of(pad).handle_sink_query(query); }) ? TRUE : FALSE;
}

void AudioRtp::handle_sink_event(GstEvent* event) {
    const std::lock_guard held(send_mutex_);
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

// What ends upstream is one source; the line goes on with the next.
gboolean AudioRtp::on_sink_event(GstPad* pad, GstObject*, GstEvent* event) {
    const auto owned = EventPtr::adopt(event);
    guard(nullptr, [&] { self_of(pad).handle_sink_event(event); });
    return TRUE;
}

}  // namespace vmr::media
