// One src pad's RTP stream: a header of its own before bytes that are shared.
#pragma once
#include <gst/gst.h>

#include <array>
#include <cstdint>

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

// Those of the last ticks: used again once they have been sent.
using SentPackets = std::array<BufferPtr, 2>;

// Null in a pause. `payload` holds the bytes of `encoded`.
BufferPtr next_packet(RtpStream& stream, const AudioRoom::Encoded& encoded, GstMemory* payload,
                      GstClockTime running_time, SentPackets& sent);

}  // namespace vmr::mixer
