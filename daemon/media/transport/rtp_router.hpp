// Which media of a bundle an RTP packet belongs to (RFC 8843 section 9.2): by its MID
// header extension, then by SSRC, then by a payload type that only one media has.
// Pure but for a lock: media-io routes, other threads look up.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/media/transport/channel.hpp"
#include "daemon/media/transport/fec_receiver.hpp"
#include "daemon/media/transport/types.hpp"

namespace vmr::media {

struct RtpHeader {
    uint8_t payload_type = 0;
    uint16_t sequence = 0;
    uint32_t ssrc = 0;
    // The extension block, RFC 8285; profile 0: none
    uint16_t extension_profile = 0;
    Bytes extension;
};

// Empty if the packet is not well-formed RTP version 2.
std::optional<RtpHeader> parse_rtp(Bytes packet);
// Where its payload begins.
size_t payload_start(Bytes packet, const RtpHeader& header);
// The value of element `id` of an RFC 8285 block; empty: not there.
std::string_view find_extension(const RtpHeader& header, unsigned id);

// Makes padding of element `id`; the packet keeps its size.
void blank_extension(MutableBytes packet, unsigned id);

class RtpRouter {
public:
    void set_media(const MediaParams& media);
    // The media of the packet, and remembers it for its SSRC.
    std::optional<unsigned> route(const RtpHeader& header);
    // Of an SSRC that was routed before; empty for one of retransmissions.
    std::optional<unsigned> media_of(uint32_t ssrc) const;
    // Who sent last on this media (no retransmission); `packets` grows with each packet.
    struct Source {
        uint32_t ssrc = 0;
        uint64_t packets = 0;
    };
    std::optional<Source> source_of(unsigned media) const;
    bool knows_payload(uint8_t payload_type) const;
    // Caps of a payload type in any media, also of an RTX one; null: unknown.
    CapsPtr caps_of(uint8_t payload_type) const;
    std::map<uint8_t, uint8_t> rtx_map() const;
    // Of an SSRC that was routed before; empty: no FEC was agreed on.
    std::optional<FecFormat> fec_of(uint32_t ssrc) const;
    // The peer of this media answers NACKs, by RTX or by sending again.
    bool wants_nack(unsigned media) const;

private:
    struct Entry {
        unsigned media = 0;
        bool retransmission = false;
        uint64_t last_used = 0;
    };

    std::optional<unsigned> find_media(const RtpHeader& header) const;
    static bool has_payload(const MediaParams& media, uint8_t payload_type);

    mutable std::mutex mutex_;  // innermost
    std::map<unsigned, MediaParams> media_;
    std::map<uint32_t, Entry> ssrcs_;
    uint64_t clock_ = 0;
};

}  // namespace vmr::media
