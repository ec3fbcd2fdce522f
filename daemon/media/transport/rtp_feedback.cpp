// RtpSession's RTCP beyond what rtpsession does by itself.
#include <gst/rtp/rtp.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/guard.hpp"
#include "daemon/media/transport/rtp_session.hpp"

namespace vmr::media {
namespace {

// What sound may take beside pictures in a REMB, which speaks for all of a path: bit/s for each media.
constexpr uint32_t kSoundBitrate = 100'000;
constexpr guint64 kPromptly = 20 * GST_MSECOND;
constexpr int64_t kQuietAfterUs = 3'000'000;

bool append(GstRTCPBuffer& rtcp, uint32_t sender, const FeedbackPacket& feedback) {
    GstRTCPPacket packet;
    if (gst_rtcp_buffer_add_packet(&rtcp, static_cast<GstRTCPType>(feedback.type), &packet) == FALSE) {
        return false;
    }
    gst_rtcp_packet_fb_set_type(&packet, static_cast<GstRTCPFBType>(feedback.format));
    gst_rtcp_packet_fb_set_sender_ssrc(&packet, sender);
    gst_rtcp_packet_fb_set_media_ssrc(&packet, 0);
    if (gst_rtcp_packet_fb_set_fci_length(&packet, static_cast<guint16>(feedback.fci.size() / 4)) == FALSE) {
        gst_rtcp_packet_remove(&packet);
        return false;
    }
    std::ranges::copy(feedback.fci, gst_rtcp_packet_fb_get_fci(&packet));
    return true;
}

// "RTPTWCCPackets": those that arrived, and whose time of sending is still known.
std::vector<PacketTimes> arrived_packets(const GstStructure* told) {
    std::vector<PacketTimes> packets;
    const GValue* value = gst_structure_get_value(told, "packets");
    const auto* array =
        value != nullptr ? static_cast<const GValueArray*>(g_value_get_boxed(value)) : nullptr;
    for (guint i = 0; array != nullptr && i < array->n_values; i++) {
        guint64 sent = GST_CLOCK_TIME_NONE, arrived = GST_CLOCK_TIME_NONE;
        guint size = 0;
        gboolean lost = TRUE;
        if (gst_structure_get(gst_value_get_structure(&array->values[i]), "local-ts", G_TYPE_UINT64, &sent,
                              "remote-ts", G_TYPE_UINT64, &arrived, "size", G_TYPE_UINT, &size, "lost",
                              G_TYPE_BOOLEAN, &lost, nullptr) != FALSE &&
            lost == FALSE && GST_CLOCK_TIME_IS_VALID(sent) && GST_CLOCK_TIME_IS_VALID(arrived)) {
            packets.push_back({static_cast<int64_t>(sent / GST_USECOND),
                               static_cast<int64_t>(arrived / GST_USECOND), size});
        }
    }
    return packets;
}

// The SSRC in whose name a compound speaks: its first packet's.
std::optional<uint32_t> sender_of(GstBuffer* compound) {
    std::array<uint8_t, 8> head{};
    if (gst_buffer_extract(compound, 0, head.data(), head.size()) < head.size()) {
        return std::nullopt;
    }
    return read32(head, 4);
}

}  // namespace

// As early as RFC 4585 section 3.5 lets it.
void RtpSession::send_rtcp_soon() {
    if (has_rtpbin_) {
        g_signal_emit_by_name(session_.get(), "send-rtcp", kPromptly);
    }
}

bool RtpSession::is_heard(unsigned media, const RtpRouter::Source& source) {
    const int64_t now = g_get_monotonic_time();
    Heard& heard = heard_[media];
    if (heard.packets != source.packets) {
        heard = {source.packets, now};
    }
    return now - heard.since_us < kQuietAfterUs;
}

void RtpSession::limit_sources(const std::map<unsigned, uint32_t>& bitrates) {
    std::map<uint32_t, BitrateWish> wishes;
    uint32_t beside = 0;
    for (const auto& [index, media] : media_) {
        const auto source = router_.source_of(index);
        const auto bitrate = bitrates.find(index);
        if (!source || !is_heard(index, *source)) {
            continue;
        }
        if (bitrate == bitrates.end()) {
            beside += kSoundBitrate;
        } else if (media.remb || media.tmmbr) {
            wishes[source->ssrc] = {bitrate->second, media.remb, media.tmmbr};
        }
    }
    if (bitrate_.ask(std::move(wishes), beside)) {
        send_rtcp_soon();
    }
}

std::optional<PathTrend> RtpSession::trend() const {
    const std::lock_guard lock(trend_mutex_);
    return arrival_reports_ == 0 ? std::nullopt
                                 : std::optional(PathTrend{arrival_reports_, trend_.grows(), trend_.carried(),
                                                           trend_.received_bitrate()});
}

void RtpSession::take_arrivals(const GstStructure* told) {
    const auto packets = arrived_packets(told);
    unreported_ = 0;
    bool began = false;
    {
        const std::lock_guard lock(trend_mutex_);
        const bool before = trend_.congested();
        trend_.add(packets);
        ++arrival_reports_;
        began = trend_.congested() && !before;
    }
    if (began) {
        events_.on_queue_grown();
    }
}

// rtpsession sends it up the way of what we send; it ends here, as no encoder listens to it.
GstPadProbeReturn RtpSession::on_arrivals_told(GstPad*, GstPadProbeInfo* info, gpointer self) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (gst_event_has_name(event, "RTPTWCCPackets") == FALSE) {
        return GST_PAD_PROBE_OK;
    }
    guard(nullptr, [&] { static_cast<RtpSession*>(self)->take_arrivals(gst_event_get_structure(event)); });
    return GST_PAD_PROBE_DROP;
}

// Adds what is due to what rtpsession made; TRUE: it must be sent.
gboolean RtpSession::on_rtcp_made(GObject*, GstBuffer* compound, gboolean, gpointer data) {
    auto* self = static_cast<RtpSession*>(data);
    return guard(nullptr, FALSE, [&]() -> gboolean {
        const auto sender = sender_of(compound);
        GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
        if (!sender || gst_rtcp_buffer_map(compound, GST_MAP_READWRITE, &rtcp) == FALSE) {
            return FALSE;
        }
        bool added = false;
        for (const FeedbackPacket& feedback : self->bitrate_.take_due(g_get_monotonic_time())) {
            added = append(rtcp, *sender, feedback) || added;
        }
        gst_rtcp_buffer_unmap(&rtcp);
        return static_cast<gboolean>(added);
    });
}

}  // namespace vmr::media
