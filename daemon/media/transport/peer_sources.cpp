#include "daemon/media/transport/peer_sources.hpp"

#include <algorithm>

#include "daemon/media/transport/rtcp_reports.hpp"
#include "daemon/media/transport/rtp_format.hpp"

namespace vmr::media {
namespace {

constexpr size_t kMaxSources = 32;  // of one transport: streams, their repairs, who reports
// rtpbin itself forgets a source after 25 s (RFC 3550 section 6.3.5).
constexpr int64_t kForgottenAfterUs = 30'000'000;
constexpr uint8_t kSourceDescription = 202;
constexpr uint8_t kCountMask = 0x1F, kContributorsMask = 0x0F;

}  // namespace

bool PeerSources::admit(uint32_t ssrc, int64_t now_us) {
    if (!last_named_.contains(ssrc) && last_named_.size() >= kMaxSources) {
        const auto oldest =
            std::ranges::min_element(last_named_, {}, [](const auto& item) { return item.second; });
        if (now_us - oldest->second < kForgottenAfterUs) {
            return false;
        }
        last_named_.erase(oldest);
    }
    last_named_[ssrc] = now_us;
    return true;
}

bool PeerSources::admit_contributors(Bytes packet, int64_t now_us) {
    const size_t count = packet[0] & kContributorsMask;
    for (size_t i = 0; i < count; i++) {
        if (!admit(read32(packet, kFixedHeader + 4 * i), now_us)) {
            return false;
        }
    }
    return true;
}

std::vector<uint8_t> PeerSources::admitted(Bytes compound, int64_t now_us) {
    std::vector<uint8_t> kept;
    for (Bytes packet = first_rtcp(compound); !packet.empty(); packet = first_rtcp(compound)) {
        compound = compound.subspan(packet.size());
        if (admit_packet(packet, now_us)) {
            kept.insert(kept.end(), packet.begin(), packet.end());
        }
    }
    return kept;
}

// Of BYE and feedback rtpbin looks for the source, and makes none.
bool PeerSources::admit_packet(Bytes packet, int64_t now_us) {
    switch (packet[1]) {
        case kSenderReport:
        case kReceiverReport:
            return packet.size() >= 8 && admit(read32(packet, 4), now_us);
        case kSourceDescription:
            return admit_described(packet, now_us);
        default:
            return true;
    }
}

// RFC 3550 section 6.5: chunks of an SSRC and items, of which one of type 0 is the last, up to 32 bits.
bool PeerSources::admit_described(Bytes packet, int64_t now_us) {
    size_t at = 4;
    for (int left = packet[0] & kCountMask; left > 0 && at + 4 <= packet.size(); left--) {
        if (!admit(read32(packet, at), now_us)) {
            return false;
        }
        at += 4;
        while (at + 1 < packet.size() && packet[at] != 0) {
            at += 2u + packet[at + 1];
        }
        at = (at + 4) & ~size_t{3};
    }
    return true;
}

std::vector<uint8_t> without_contributors(Bytes packet) {
    const size_t count = packet[0] & kContributorsMask;
    std::vector<uint8_t> shorter(packet.begin(), packet.begin() + kFixedHeader);
    shorter[0] &= static_cast<uint8_t>(~kContributorsMask);
    const Bytes rest = packet.subspan(kFixedHeader + 4 * count);
    shorter.insert(shorter.end(), rest.begin(), rest.end());
    return shorter;
}

}  // namespace vmr::media
