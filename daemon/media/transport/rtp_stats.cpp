// RtpSession's statistics: rtpsession's structures turned into plain values.
#include "daemon/media/transport/rtp_session.hpp"

namespace vmr::media {

namespace {

guint64 get_u64(const GstStructure* structure, const char* field) {
    guint64 value = 0;
    gst_structure_get_uint64(structure, field, &value);
    return value;
}

guint get_uint(const GstStructure* structure, const char* field) {
    guint value = 0;
    gst_structure_get_uint(structure, field, &value);
    return value;
}

gint get_int(const GstStructure* structure, const char* field) {
    gint value = 0;
    gst_structure_get_int(structure, field, &value);
    return value;
}

bool get_bool(const GstStructure* structure, const char* field) {
    gboolean value = FALSE;
    gst_structure_get_boolean(structure, field, &value);
    return value != FALSE;
}

void add_sent(MediaStats& stats, const GstStructure* source) {
    stats.sent_packets += get_u64(source, "packets-sent");
    stats.sent_bytes += get_u64(source, "octets-sent");
    stats.nacks_received += get_uint(source, "recv-nack-count");
    stats.plis_received += get_uint(source, "recv-pli-count");
    stats.firs_received += get_uint(source, "recv-fir-count");
}

void add_received(MediaStats& stats, const GstStructure* source) {
    stats.received_packets += get_u64(source, "packets-received");
    stats.received_bytes += get_u64(source, "octets-received");
    stats.lost_packets += get_int(source, "packets-lost");
    stats.nacks_sent += get_uint(source, "sent-nack-count");
    stats.plis_sent += get_uint(source, "sent-pli-count");
    stats.firs_sent += get_uint(source, "sent-fir-count");
    if (const int clock_rate = get_int(source, "clock-rate"); clock_rate > 0) {
        stats.jitter_ms = std::max(stats.jitter_ms, 1000.0 * get_uint(source, "jitter") / clock_rate);
    }
}

int send_clock_rate(const MediaParams& media) {
    int clock_rate = 0;
    if (media.send_caps && !gst_caps_is_empty(media.send_caps.get())) {
        gst_structure_get_int(gst_caps_get_structure(media.send_caps.get(), 0), "clock-rate", &clock_rate);
    }
    return clock_rate;
}

void fill_twcc(TransportStats& stats, const GstStructure* twcc) {
    if (twcc == nullptr) {
        return;
    }
    guint sent = 0, received = 0;
    double loss = 0;
    if (gst_structure_get(twcc, "bitrate-sent", G_TYPE_UINT, &sent, "bitrate-recv", G_TYPE_UINT, &received,
                          "packet-loss-pct", G_TYPE_DOUBLE, &loss, nullptr)) {
        stats.twcc_sent_bitrate = sent;
        stats.twcc_received_bitrate = received;
        stats.twcc_packet_loss = loss / 100;
    }
}

}  // namespace

void RtpSession::fill_media_stats(MediaStats& stats, const MediaParams& params,
                                  const GValueArray* sources) const {
    for (guint i = 0; sources != nullptr && i < sources->n_values; i++) {
        const GstStructure* source = gst_value_get_structure(&sources->values[i]);
        const guint ssrc = get_uint(source, "ssrc");
        if (get_bool(source, "internal")) {
            if (ssrc == params.send_ssrc) {
                add_sent(stats, source);
            }
        } else if (router_.media_of(ssrc) == params.index) {
            add_received(stats, source);
        }
    }
    add_reports(stats, params);
}

// The peer's, of what we send.
void RtpSession::add_reports(MediaStats& stats, const MediaParams& params) const {
    stats.remote_limit = bitrate_.limit_of(params.send_ssrc);
    if (const auto report = reports_.of(params.send_ssrc); report && params.send_caps) {
        stats.round_trip_ms = report->round_trip_ms;
        stats.remote_lost_packets = report->lost_packets;
        stats.remote_fraction_lost = report->fraction_lost;
        stats.remote_reports = report->number;
        if (const int clock_rate = send_clock_rate(params); clock_rate > 0) {
            stats.remote_jitter_ms = 1000.0 * report->jitter / clock_rate;
        }
    }
}

void RtpSession::fill_stats(TransportStats& stats) const {
    if (rtpbin_) {
        fill_from_rtpbin(stats);
    }
    for (const auto& [index, params] : media_) {
        if (const AudioRtp* audio = audio_of(index)) {
            MediaStats media;
            media.media = index;
            audio->fill(media);
            add_reports(media, params);
            stats.media.push_back(media);
        }
    }
}

void RtpSession::fill_from_rtpbin(TransportStats& stats) const {
    GstStructure* session = nullptr;
    GstStructure* twcc = nullptr;
    GstElement* element = nullptr;
    g_signal_emit_by_name(rtpbin_.get(), "get-session", 0, &element);
    const auto owned_element = ElementPtr::adopt(element);
    g_object_get(session_.get(), "stats", &session, nullptr);
    g_object_get(element, "twcc-stats", &twcc, nullptr);
    const StructurePtr owned_session(session), owned_twcc(twcc);
    fill_twcc(stats, twcc);
    const GValue* value = session != nullptr ? gst_structure_get_value(session, "source-stats") : nullptr;
    const auto* sources =
        value != nullptr ? static_cast<const GValueArray*>(g_value_get_boxed(value)) : nullptr;
    for (const auto& [index, params] : media_) {
        if (params.audio) {
            continue;
        }
        MediaStats media;
        media.media = index;
        fill_media_stats(media, params, sources);
        fill_fec(media);
        stats.media.push_back(media);
    }
}

}  // namespace vmr::media
