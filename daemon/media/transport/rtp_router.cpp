#include "daemon/media/transport/rtp_router.hpp"

#include <algorithm>

#include "daemon/media/transport/rtp_format.hpp"

namespace vmr::media {

namespace {

constexpr size_t kMaxSsrcs = 64;  // remembered for one transport
constexpr uint16_t kTwoByteProfile = 0x1000, kTwoByteMask = 0xFFF0;

}  // namespace

std::optional<RtpHeader> parse_rtp(Bytes packet) {
    if (packet.size() < kFixedHeader || packet[0] >> 6 != 2) {
        return std::nullopt;
    }
    RtpHeader header;
    header.payload_type = packet[1] & 0x7F;
    header.sequence = read16(packet, 2);
    header.ssrc = read32(packet, 8);
    size_t at = kFixedHeader + 4 * (packet[0] & 0x0F);
    if (at > packet.size()) {
        return std::nullopt;
    }
    if ((packet[0] & 0x10) != 0) {
        if (at + 4 > packet.size()) {
            return std::nullopt;
        }
        const size_t length = 4u * read16(packet, at + 2);
        if (at + 4 + length > packet.size()) {
            return std::nullopt;
        }
        header.extension_profile = read16(packet, at);
        header.extension = packet.subspan(at + 4, length);
    }
    return header;
}

size_t payload_start(Bytes packet, const RtpHeader& header) {
    const bool extended = (packet[0] & 0x10) != 0;
    return kFixedHeader + 4 * (packet[0] & 0x0F) + (extended ? 4 + header.extension.size() : 0);
}

std::string_view find_extension(const RtpHeader& header, unsigned id) {
    const bool one_byte = header.extension_profile == kOneByteProfile;
    if (id == 0 || (!one_byte && (header.extension_profile & kTwoByteMask) != kTwoByteProfile)) {
        return {};
    }
    const Bytes data = header.extension;
    for (size_t at = 0; at < data.size();) {
        if (data[at] == 0) {  // padding
            at++;
            continue;
        }
        if (!one_byte && at + 1 >= data.size()) {
            return {};
        }
        const unsigned element = one_byte ? data[at] >> 4 : data[at];
        const size_t length = one_byte ? (data[at] & 0x0Fu) + 1 : data[at + 1];
        at += one_byte ? 1 : 2;
        if ((one_byte && element == 15) || at + length > data.size()) {
            return {};
        }
        if (element == id) {
            return {reinterpret_cast<const char*>(data.data() + at), length};
        }
        at += length;
    }
    return {};
}

void blank_extension(MutableBytes packet, unsigned id) {
    const auto header = parse_rtp(packet);
    const std::string_view value = header ? find_extension(*header, id) : std::string_view();
    if (!value.empty()) {
        const auto at = reinterpret_cast<const uint8_t*>(value.data()) - packet.data();
        const std::ptrdiff_t head = header->extension_profile == kOneByteProfile ? 1 : 2;
        std::fill(packet.begin() + at - head, packet.begin() + at + static_cast<std::ptrdiff_t>(value.size()),
                  uint8_t{0});
    }
}

void RtpRouter::set_media(const MediaParams& media) {
    std::lock_guard lock(mutex_);
    media_[media.index] = media;
}

bool RtpRouter::has_payload(const MediaParams& media, uint8_t payload_type) {
    return media.receive_caps.contains(payload_type) || media.rtx.contains(payload_type);
}

std::optional<unsigned> RtpRouter::find_media(const RtpHeader& header) const {
    for (const auto& [index, media] : media_) {
        const std::string_view mid = find_extension(header, media.mid_extmap);
        if (!mid.empty() && mid == media.mid) {
            return index;
        }
    }
    if (const auto known = ssrcs_.find(header.ssrc); known != ssrcs_.end()) {
        return known->second.media;
    }
    std::optional<unsigned> by_payload;
    unsigned matches = 0;
    for (const auto& [index, media] : media_) {
        if (std::ranges::find(media.remote_ssrcs, header.ssrc) != media.remote_ssrcs.end()) {
            return index;
        }
        if (has_payload(media, header.payload_type)) {
            by_payload = index;
            matches++;
        }
    }
    return matches == 1 ? by_payload : std::nullopt;
}

std::optional<unsigned> RtpRouter::route(const RtpHeader& header) {
    std::lock_guard lock(mutex_);
    const auto index = find_media(header);
    if (!index || !has_payload(media_.at(*index), header.payload_type)) {
        return std::nullopt;
    }
    if (!ssrcs_.contains(header.ssrc) && ssrcs_.size() >= kMaxSsrcs) {
        ssrcs_.erase(
            std::ranges::min_element(ssrcs_, {}, [](const auto& item) { return item.second.last_used; }));
    }
    ssrcs_[header.ssrc] = {*index, media_.at(*index).rtx.contains(header.payload_type), ++clock_};
    return index;
}

std::optional<unsigned> RtpRouter::media_of(uint32_t ssrc) const {
    std::lock_guard lock(mutex_);
    if (const auto known = ssrcs_.find(ssrc); known != ssrcs_.end() && !known->second.retransmission) {
        return known->second.media;
    }
    return std::nullopt;
}

std::optional<RtpRouter::Source> RtpRouter::source_of(unsigned media) const {
    std::lock_guard lock(mutex_);
    std::optional<Source> latest;
    for (const auto& [ssrc, entry] : ssrcs_) {
        if (entry.media == media && !entry.retransmission && (!latest || entry.last_used > latest->packets)) {
            latest = Source{ssrc, entry.last_used};
        }
    }
    return latest;
}

bool RtpRouter::knows_payload(uint8_t payload_type) const {
    std::lock_guard lock(mutex_);
    return std::ranges::any_of(media_,
                               [&](const auto& item) { return has_payload(item.second, payload_type); });
}

CapsPtr RtpRouter::caps_of(uint8_t payload_type) const {
    std::lock_guard lock(mutex_);
    for (const auto& [index, media] : media_) {
        if (const auto caps = media.receive_caps.find(payload_type); caps != media.receive_caps.end()) {
            return caps->second;
        }
        const auto rtx = media.rtx.find(payload_type);
        const auto repaired =
            rtx == media.rtx.end() ? media.receive_caps.end() : media.receive_caps.find(rtx->second);
        if (repaired != media.receive_caps.end()) {
            auto caps = CapsPtr::adopt(gst_caps_copy(repaired->second.get()));
            gst_caps_set_simple(caps.get(), "encoding-name", G_TYPE_STRING, "RTX", "payload", G_TYPE_INT,
                                payload_type, "apt", G_TYPE_INT, rtx->second, nullptr);
            return caps;
        }
    }
    return nullptr;
}

std::optional<FecFormat> RtpRouter::fec_of(uint32_t ssrc) const {
    std::lock_guard lock(mutex_);
    const auto known = ssrcs_.find(ssrc);
    const auto found = known == ssrcs_.end() ? media_.end() : media_.find(known->second.media);
    return found == media_.end() ? std::nullopt : found->second.fec;
}

bool RtpRouter::wants_nack(unsigned media) const {
    std::lock_guard lock(mutex_);
    const auto found = media_.find(media);
    return found != media_.end() &&
           (!found->second.rtx.empty() ||
            std::ranges::any_of(found->second.receive_caps, [](const auto& item) {
                return gst_structure_has_field(gst_caps_get_structure(item.second.get(), 0), "rtcp-fb-nack");
            }));
}

std::map<uint8_t, uint8_t> RtpRouter::rtx_map() const {
    std::lock_guard lock(mutex_);
    std::map<uint8_t, uint8_t> all;
    for (const auto& [index, media] : media_) {
        all.insert(media.rtx.begin(), media.rtx.end());
    }
    return all;
}

}  // namespace vmr::media
