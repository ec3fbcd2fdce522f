#include "rtp_stream.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "rtp_packet.hpp"
#include "spare_buffers.hpp"

namespace vmr::mixer {

RtpIdentity::RtpIdentity()
    : ssrc(g_random_int()),
      timestamp_offset(g_random_int()),
      sequence(static_cast<std::uint16_t>(g_random_int_range(0, 0x8000))) {}

bool SentPacket::is_free(std::size_t size) const {
    return buffer_ && nobody_else_has(buffer_) && gst_buffer_n_memory(buffer_.get()) == 1 &&
           gst_buffer_peek_memory(buffer_.get(), 0) == memory_ &&
           GST_MINI_OBJECT_REFCOUNT_VALUE(memory_) == 1 && memory_->maxsize >= size;
}

std::span<std::uint8_t> SentPacket::begin(std::size_t size) {
    constexpr std::size_t kLeast = 256;  // bytes: most packets fit, so that few grow later
    if (is_free(size)) {
        memory_->size = size;  // as gst_memory_resize() does, less its checks
        GST_BUFFER_FLAGS(buffer_.get()) = 0;
    } else {
        const std::size_t room = std::bit_ceil(std::max(size, kLeast));
        bytes_ = static_cast<std::uint8_t*>(g_malloc(room));
        memory_ =
            gst_memory_new_wrapped(static_cast<GstMemoryFlags>(0), bytes_, room, 0, size, bytes_, g_free);
        buffer_ = BufferPtr::adopt(gst_buffer_new());
        gst_buffer_append_memory(buffer_.get(), memory_);
    }
    return {bytes_, size};
}

BufferPtr next_packet(RtpStream& stream, const AudioRoom::Encoded& encoded, GstClockTime running_time,
                      SentPackets& sent) {
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
    std::rotate(sent.begin(), sent.begin() + 1, sent.end());
    const std::span<std::uint8_t> packet = sent.back().begin(size + encoded.payload->size());
    std::copy_n(bytes.begin(), size, packet.begin());
    std::copy(encoded.payload->begin(), encoded.payload->end(),
              packet.begin() + static_cast<std::ptrdiff_t>(size));
    const BufferPtr& buffer = sent.back().buffer();
    GST_BUFFER_PTS(buffer.get()) = running_time;
    GST_BUFFER_DTS(buffer.get()) = running_time;
    if (header.marker) {
        GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_MARKER);
    }
    return buffer;
}

}  // namespace vmr::mixer
