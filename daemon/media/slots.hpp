// The media of one participant.
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "base/gst_ptr.hpp"

namespace vmr::media {

enum class Slot { audio, video, content };
inline constexpr std::array kSlots{Slot::audio, Slot::video, Slot::content};
const char* to_string(Slot slot);

struct SendParams {
    std::string codec;  // "opus", "pcmu", … : pipelines/encode-<codec>.launch, pay-<codec>.launch
    CapsPtr rtp_caps;   // payload, ssrc, extmap-*: what the payloader of a picture writes
    uint8_t payload = 0;
    uint32_t ssrc = 0;
    uint32_t bitrate = 0;  // bit/s, the most that the peer takes; 0: no limit
};

// What the two cdr-taps of one slot counted; see docs/elements/cdr-tap.md.
struct SlotTaps {
    StructurePtr received;
    StructurePtr sent;
    std::string receive_codec, send_codec;
};

}  // namespace vmr::media
