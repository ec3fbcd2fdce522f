// RtpSession's forward error correction of pictures: what fec_receiver.hpp and fec_sender.hpp say, on
// GStreamer's pads.
#include "base/guard.hpp"
#include "daemon/media/transport/rtp_format.hpp"
#include "daemon/media/transport/rtp_session.hpp"

namespace vmr::media {
namespace {

constexpr size_t kMaxReceivers = 16;  // SSRCs
// Packets: half a minute of pictures. Chromium reports ten times a second.
constexpr uint64_t kMostUnreported = 5000;
constexpr unsigned kLargestExtension = 14;  // RFC 8285 section 4.2

unsigned twcc_extension_of(const GstCaps* caps) {
    for (unsigned id = 1; id <= kLargestExtension; ++id) {
        const std::string field = "extmap-" + std::to_string(id);
        const char* uri = gst_structure_get_string(gst_caps_get_structure(caps, 0), field.c_str());
        if (uri != nullptr && std::string_view(uri).find("transport-wide-cc") != std::string_view::npos) {
            return id;
        }
    }
    return 0;
}

// rtpsession keeps each packet with a number for transport-wide feedback until a report comes: what nobody
// reports on gets none.
GstBuffer* without_arrival_number(GstBuffer* buffer, unsigned extension) {
    buffer = gst_buffer_make_writable(buffer);
    GstMapInfo map;
    if (gst_buffer_map(buffer, &map, GST_MAP_READWRITE) != FALSE) {
        blank_extension({map.data, map.size}, extension);
        gst_buffer_unmap(buffer, &map);
    }
    return buffer;
}

BufferPtr buffer_like(GstBuffer* original, const RtpBytes& packet) {
    auto buffer = BufferPtr::adopt(gst_buffer_new_memdup(packet.data(), packet.size()));
    gst_buffer_copy_into(buffer.get(), original, GST_BUFFER_COPY_TIMESTAMPS, 0, static_cast<gsize>(-1));
    return buffer;
}

class ReadMap {
public:
    explicit ReadMap(GstBuffer* buffer)
        : buffer_(buffer), mapped_(gst_buffer_map(buffer, &map_, GST_MAP_READ) != FALSE) {}
    ~ReadMap() {
        if (mapped_) {
            gst_buffer_unmap(buffer_, &map_);
        }
    }
    ReadMap(const ReadMap&) = delete;
    ReadMap& operator=(const ReadMap&) = delete;
    Bytes bytes() const { return mapped_ ? Bytes(map_.data, map_.size) : Bytes(); }

private:
    GstBuffer* buffer_;
    GstMapInfo map_{};
    bool mapped_;
};

std::optional<RtpHeader> header_of(GstBuffer* buffer) {
    std::array<uint8_t, kFixedHeader> head{};
    if (gst_buffer_extract(buffer, 0, head.data(), head.size()) < head.size()) {
        return std::nullopt;
    }
    head[0] &= 0xC0;  // what follows is not there
    return parse_rtp(head);
}

// False: it is no RED of ours.
bool unwrap(GstBuffer* buffer, const FecFormat& format) {
    GstMapInfo map;
    if (gst_buffer_map(buffer, &map, GST_MAP_READWRITE) == FALSE) {
        return false;
    }
    const auto skipped = take_off_red({map.data, map.size}, format);
    gst_buffer_unmap(buffer, &map);
    if (skipped) {
        gst_buffer_resize(buffer, static_cast<gssize>(*skipped), -1);
    }
    return skipped.has_value();
}

struct Omission {
    uint8_t ulpfec = 0;
    FecOmission left_out;
};

GstPadProbeReturn on_ordered(GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto& omission = *static_cast<Omission*>(data);
    GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    const auto header = header_of(buffer);
    const auto shift = omission.left_out.shift(header && header->payload_type == omission.ulpfec);
    if (!shift || !header) {
        return shift ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
    }
    if (*shift != 0) {
        buffer = gst_buffer_make_writable(buffer);
        GST_PAD_PROBE_INFO_DATA(info) = buffer;
        std::array<uint8_t, 2> sequence{};
        put16(sequence, 0, static_cast<uint16_t>(header->sequence - *shift));
        gst_buffer_fill(buffer, 2, sequence.data(), sequence.size());
    }
    return GST_PAD_PROBE_OK;
}

void free_omission(gpointer data) {
    delete static_cast<Omission*>(data);
}

}  // namespace

std::vector<RtpBytes> RtpSession::take_fec(GstBuffer* buffer, uint32_t ssrc, const FecFormat& format) {
    const ReadMap map(buffer);
    const std::lock_guard lock(fec_mutex_);
    if (!fec_.contains(ssrc) && fec_.size() == kMaxReceivers) {
        fec_.erase(fec_.begin());
    }
    FecReceiving& receiving = fec_[ssrc];
    receiving.media = router_.media_of(ssrc).value_or(0);
    return receiving.receiver.add(map.bytes(), format);
}

// Behind rtprtxreceive, so that what was sent again comes this way, too.
GstPadProbeReturn RtpSession::on_repaired_received(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
    auto* self = static_cast<RtpSession*>(data);
    if (self->pushing_repaired_) {
        return GST_PAD_PROBE_OK;
    }
    return guard(nullptr, GST_PAD_PROBE_OK, [&] {
        const auto header = header_of(GST_PAD_PROBE_INFO_BUFFER(info));
        const auto format = header ? self->router_.fec_of(header->ssrc) : std::nullopt;
        if (!format) {
            return GST_PAD_PROBE_OK;
        }
        if (header->payload_type == format->red) {
            GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
            GST_PAD_PROBE_INFO_DATA(info) = buffer;
            if (!unwrap(buffer, *format)) {
                return GST_PAD_PROBE_DROP;
            }
        }
        GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
        self->pushing_repaired_ = true;
        for (const RtpBytes& packet : self->take_fec(buffer, header->ssrc, *format)) {
            gst_pad_push(pad, buffer_like(buffer, packet).release());
        }
        self->pushing_repaired_ = false;
        return GST_PAD_PROBE_OK;
    });
}

void RtpSession::omit_fec(GstElement* jitterbuffer, uint32_t ssrc) {
    if (const auto format = router_.fec_of(ssrc)) {
        auto pad = PadPtr::adopt(gst_element_get_static_pad(jitterbuffer, "src"));
        gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, on_ordered, new Omission{format->ulpfec, {}},
                          free_omission);
    }
}

void RtpSession::update_sending(const SendChain& chain) {
    // Bundled media have the same number (RFC 8843 section 9.1).
    sent_twcc_extension_ = twcc_extension_of(chain.params.send_caps.get());
    const std::lock_guard lock(chain.sending->mutex);
    chain.sending->agreed = chain.params.send_fec.has_value();
    if (chain.sending->agreed) {
        chain.sending->sender.set_format(*chain.params.send_fec);
    } else {
        chain.sending->sender.set_percentage(0);
    }
}

// Behind rtpfunnel, which gives each packet a number.
GstPadProbeReturn RtpSession::on_packet_gathered(GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto* self = static_cast<RtpSession*>(data);
    const unsigned numbered = self->sent_twcc_extension_;
    if (numbered != 0 && self->ready_ && self->unreported_++ >= kMostUnreported) {
        GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
        GST_PAD_PROBE_INFO_DATA(info) = without_arrival_number(buffer, numbered);
    }
    return GST_PAD_PROBE_OK;
}

void RtpSession::set_fec(unsigned media, unsigned percentage) {
    if (const auto chain = sends_.find(media); chain != sends_.end()) {
        const std::lock_guard lock(chain->second.sending->mutex);
        chain->second.sending->sender.set_percentage(chain->second.sending->agreed ? percentage : 0);
    }
}

GstPadProbeReturn RtpSession::on_picture_sent(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
    auto& sending = *static_cast<Sending*>(data);
    if (sending.pushing) {
        return GST_PAD_PROBE_OK;
    }
    return guard(nullptr, GST_PAD_PROBE_OK, [&] {
        GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
        std::vector<RtpBytes> packets;
        {
            const std::lock_guard lock(sending.mutex);
            if (sending.sender.idle()) {
                return GST_PAD_PROBE_OK;
            }
            packets = sending.sender.add(ReadMap(buffer).bytes());
        }
        if (packets.empty()) {
            return GST_PAD_PROBE_DROP;
        }
        sending.pushing = true;
        for (size_t i = 0; i + 1 < packets.size(); ++i) {
            gst_pad_push(pad, buffer_like(buffer, packets[i]).release());
        }
        sending.pushing = false;
        GST_PAD_PROBE_INFO_DATA(info) = buffer_like(buffer, packets.back()).release();
        gst_buffer_unref(buffer);
        return GST_PAD_PROBE_OK;
    });
}

void RtpSession::fill_fec(MediaStats& stats) const {
    if (const auto chain = sends_.find(stats.media); chain != sends_.end()) {
        const std::lock_guard lock(chain->second.sending->mutex);
        stats.fec_sent = chain->second.sending->sender.sent();
    }
    const std::lock_guard lock(fec_mutex_);
    for (const auto& [ssrc, receiving] : fec_) {
        if (receiving.media == stats.media) {
            stats.fec_received += receiving.receiver.received();
            stats.fec_recovered += receiving.receiver.recovered();
        }
    }
}

}  // namespace vmr::media
