#include "daemon/media/transport/audio_rtp.hpp"

#include <array>
#include <utility>

#include "daemon/media/transport/rtp_caps_fields.hpp"
#include "daemon/media/transport/rtp_format.hpp"

namespace vmr::media {
namespace {

constexpr size_t kMostHeld = 32;  // packets

GstStaticPadTemplate source_template = GST_STATIC_PAD_TEMPLATE("rtp_src_%u", GST_PAD_SRC, GST_PAD_SOMETIMES,
                                                               GST_STATIC_CAPS("application/x-rtp"));

Bytes content_of(const vmr::RtpHeader& header, Bytes packet) {
    return packet.subspan(header.size);
}

}  // namespace

GstIterator* no_internal_links(GstPad*, GstObject*) {
    return nullptr;
}

AudioRtp::AudioRtp(GstElement* bin, unsigned media, std::string cname, AudioRtpHost& host)
    : bin_(bin),
      media_(media),
      cname_(std::move(cname)),
      host_(host),
      sender_(bin, media, host),
      source_(PadPtr::adopt(
          gst_pad_new_from_static_template(&source_template, ("rtp_src_" + std::to_string(media)).c_str()))) {
    gst_pad_set_iterate_internal_links_function(source_.get(), no_internal_links);
    gst_pad_set_active(source_.get(), TRUE);
    gst_element_add_pad(bin_, source_.get());
}

AudioRtp::~AudioRtp() {
    gst_pad_set_active(source_.get(), FALSE);
    gst_element_remove_pad(bin_, source_.get());
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
    if (params.send_caps) {
        sender_.set(params);
    }
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

void AudioRtp::receive_events(const vmr::RtpHeader& header, Bytes packet) {
    {
        const std::lock_guard held(receive_mutex_);
        ++received_packets_;
        received_bytes_ += content_of(header, packet).size();
        if (counts_.started() && header.ssrc == counts_.ssrc()) {
            // They share the sound's sequence numbers (RFC 4733 section 2.5.1.2): without them there is no
            // gap.
            hidden_ += static_cast<int16_t>(header.sequence - counts_.highest()) > 0 ? 1 : 0;
            counts_.add(header, 0, 0);
        }
    }
    if (const auto key =
            events_.read(header.ssrc, header.timestamp, content_of(header, packet), g_get_monotonic_time())) {
        host_.on_key_pressed(media_, *key);
    }
}

void AudioRtp::receive_sound(const vmr::RtpHeader& header, Bytes packet, const Format& format) {
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
        received_bytes_ += content_of(header, packet).size();
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

void AudioRtp::announce(const vmr::RtpHeader& header, const CapsPtr& caps) {
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

}  // namespace vmr::media
