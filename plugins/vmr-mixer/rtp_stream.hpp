// One src pad's RTP stream: its own header before bytes that others send as well.
#pragma once
#include <gst/gst.h>

#include <array>
#include <cstdint>
#include <span>

#include "audio_room.hpp"
#include "base/gst_ptr.hpp"

namespace vmr::mixer {

// What a receiver tells streams apart by; the caps may say otherwise (RFC 3550 section 5.1: random).
struct RtpIdentity {
    RtpIdentity();
    std::uint32_t ssrc;
    std::uint32_t timestamp_offset;
    std::uint16_t sequence;  // of the next packet
};

struct RtpStream {
    int clock_rate = 48000;  // Hz
    std::uint8_t payload_type = 0;
    unsigned level_id = 0;  // RFC 6464, 0: not agreed
    RtpIdentity identity;
    bool spoke = false;  // the last tick was not a pause
};

// A buffer with one memory, whose bytes are written to again once nobody else holds either.
class SentPacket {
public:
    // Room for `size` bytes, which are the buffer's now.
    std::span<std::uint8_t> begin(std::size_t size);
    const BufferPtr& buffer() const { return buffer_; }

private:
    bool is_free(std::size_t size) const;

    BufferPtr buffer_;
    GstMemory* memory_ = nullptr;  // the buffer's
    std::uint8_t* bytes_ = nullptr;
};
using SentPackets = std::array<SentPacket, 2>;  // of the last ticks

// Null in a pause. The payload is copied: it is small, and less work than to share a memory with a thousand.
BufferPtr next_packet(RtpStream& stream, const AudioRoom::Encoded& encoded, GstClockTime running_time,
                      SentPackets& sent);

}  // namespace vmr::mixer
