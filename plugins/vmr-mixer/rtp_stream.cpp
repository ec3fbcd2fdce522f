#include "rtp_stream.hpp"

#include <algorithm>
#include <cmath>

#include "rtp_packet.hpp"
#include "spare_buffers.hpp"

namespace vmr::mixer {

RtpIdentity::RtpIdentity()
    : ssrc(g_random_int()),
      timestamp_offset(g_random_int()),
      sequence(static_cast<std::uint16_t>(g_random_int_range(0, 0x8000))) {}

namespace {

bool is_free(const BufferPtr& packet, std::size_t header_size) {
    if (!packet || !nobody_else_has(packet)) {
        return false;
    }
    GstMemory* header = gst_buffer_peek_memory(packet.get(), 0);
    return GST_MINI_OBJECT_REFCOUNT_VALUE(header) == 1 && header->size == header_size;
}

// A header of its own, and the payload that others share.
BufferPtr packet_of(std::span<const std::uint8_t> header, GstMemory* payload, SentPackets& sent) {
    std::rotate(sent.begin(), sent.begin() + 1, sent.end());
    BufferPtr& packet = sent.back();
    if (is_free(packet, header.size())) {
        gst_buffer_replace_memory(packet.get(), 1, gst_memory_ref(payload));
        GST_BUFFER_FLAGS(packet.get()) = 0;
    } else {
        packet = BufferPtr::adopt(gst_buffer_new_allocate(nullptr, header.size(), nullptr));
        gst_buffer_append_memory(packet.get(), gst_memory_ref(payload));
    }
    gst_buffer_fill(packet.get(), 0, header.data(), header.size());
    return packet;
}

}  // namespace

BufferPtr next_packet(RtpStream& stream, const AudioRoom::Encoded& encoded, GstMemory* payload,
                      GstClockTime running_time, SentPackets& sent) {
    if (encoded.pause) {
        stream.spoke = false;
        return {};
    }
    const auto passed = static_cast<std::uint64_t>(running_time / GST_MSECOND) *
                        static_cast<std::uint64_t>(stream.clock_rate) / 1000;
    const bool sounds = encoded.level_db > kSilenceDb;
    const RtpHeader header{.sequence = stream.identity.sequence++,
                           .timestamp = stream.identity.timestamp_offset + static_cast<std::uint32_t>(passed),
                           .ssrc = stream.identity.ssrc,
                           .payload_type = stream.payload_type,
                           .marker = sounds && !stream.spoke};
    stream.spoke = sounds;
    const auto level =
        static_cast<std::uint8_t>(sounds ? std::lrint(std::clamp(-encoded.level_db, 0.0, 127.0)) : 127);
    std::array<std::uint8_t, kRtpHeaderWithLevel> bytes;
    const std::size_t size = write_rtp_header(header, stream.level_id, level, bytes);
    BufferPtr packet = packet_of(std::span(bytes).first(size), payload, sent);
    GST_BUFFER_PTS(packet.get()) = running_time;
    GST_BUFFER_DTS(packet.get()) = running_time;
    if (header.marker) {
        GST_BUFFER_FLAG_SET(packet.get(), GST_BUFFER_FLAG_MARKER);
    }
    return packet;
}

}  // namespace vmr::mixer
