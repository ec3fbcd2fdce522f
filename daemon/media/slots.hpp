// The media of one participant.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/gst_ptr.hpp"
#include "daemon/media/picture_size.hpp"

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
    // Of pictures: the most that the peer's decoder takes; H.264 alone: whether it knows High, and whether a
    // NAL unit must fit a packet (packetization-mode 0).
    std::optional<PictureSize> size;
    bool high_profile = false;
    bool single_nal = false;
};

// What the two cdr-taps of one slot counted; see docs/elements/cdr-tap.md.
struct SlotTaps {
    StructurePtr received;
    StructurePtr sent;
    std::string receive_codec, send_codec;
};

}  // namespace vmr::media
