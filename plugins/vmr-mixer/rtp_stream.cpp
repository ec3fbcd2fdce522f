#include "rtp_stream.hpp"

#include <algorithm>
#include <cmath>

#include "rtp_packet.hpp"

namespace vmr::mixer {

RtpIdentity::RtpIdentity()
    : ssrc(g_random_int()),
      timestamp_offset(g_random_int()),
      sequence(static_cast<std::uint16_t>(g_random_int_range(0, 0x8000))) {}

BufferPtr next_packet(RtpStream& stream, const AudioRoom::Encoded& encoded, GstMemory* payload,
                      GstClockTime running_time) {
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
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, size, nullptr);
    gst_buffer_fill(buffer, 0, bytes.data(), size);
    gst_buffer_append_memory(buffer, gst_memory_ref(payload));
    GST_BUFFER_PTS(buffer) = running_time;
    GST_BUFFER_DTS(buffer) = running_time;
    if (header.marker) {
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER);
    }
    return BufferPtr::adopt(buffer);
}

}  // namespace vmr::mixer
