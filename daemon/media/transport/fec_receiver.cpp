#include "daemon/media/transport/fec_receiver.hpp"

#include <algorithm>

#include "daemon/media/transport/rtp_format.hpp"
#include "daemon/media/transport/rtp_router.hpp"

namespace vmr::media {
namespace {

constexpr size_t kBlockHeader = 4, kMaxBlocks = 8;  // RFC 2198 section 3
constexpr unsigned kMaxLostFec = 16;                // between two pictures

struct Vp8Packet {
    bool starts = false;  // a picture
    std::optional<unsigned> id;
    unsigned ids = 0;  // that there are
};

// RFC 7741 section 4.2
Vp8Packet read_vp8(Bytes payload) {
    Vp8Packet packet;
    if (payload.size() < 4) {
        return packet;
    }
    packet.starts = (payload[0] & 0x10) != 0 && (payload[0] & 0x07) == 0;
    const bool extended = (payload[0] & 0x80) != 0, numbered = extended && (payload[1] & 0x80) != 0;
    if (numbered) {
        const bool is_long = (payload[2] & 0x80) != 0;
        packet.ids = is_long ? 1U << 15 : 1U << 7;
        packet.id = is_long ? read16(payload, 2) & 0x7FFFU : payload[2] & 0x7FU;
    }
    return packet;
}

RtpBytes empty_fec(uint16_t sequence, uint32_t timestamp, uint32_t ssrc, uint8_t payload_type) {
    RtpBytes packet(kFixedHeader);
    packet[0] = 0x80;
    packet[1] = payload_type;
    put16(packet, 2, sequence);
    put32(packet, 4, timestamp);
    put32(packet, 8, ssrc);
    return packet;
}

}  // namespace

std::optional<size_t> take_off_red(MutableBytes packet, const FecFormat& format) {
    const auto header = parse_rtp(packet);
    if (!header) {
        return std::nullopt;
    }
    const size_t start = payload_start(packet, *header);
    size_t at = start, redundant = 0;
    for (size_t blocks = 0; at < packet.size() && (packet[at] & 0x80) != 0; ++blocks) {
        if (blocks == kMaxBlocks || at + kBlockHeader > packet.size()) {
            return std::nullopt;
        }
        redundant += read16(packet, at + 2) & 0x03FF;
        at += kBlockHeader;
    }
    if (at >= packet.size()) {
        return std::nullopt;
    }
    const uint8_t payload_type = packet[at] & 0x7F;
    const size_t skipped = at + 1 - start + redundant;
    if (start + skipped > packet.size() ||
        (payload_type != format.ulpfec && !format.pictures.test(payload_type))) {
        return std::nullopt;
    }
    packet[1] = static_cast<uint8_t>((packet[1] & kMarker) | payload_type);
    std::copy_backward(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(start),
                       packet.begin() + static_cast<std::ptrdiff_t>(start + skipped));
    return skipped;
}

RtpBytes protected_form(Bytes packet, unsigned twcc_extension) {
    RtpBytes copy(packet.begin(), packet.end());
    if (const auto header = parse_rtp(packet); header && twcc_extension != 0) {
        const std::string_view value = find_extension(*header, twcc_extension);
        if (!value.empty()) {
            const auto* start = reinterpret_cast<const uint8_t*>(value.data());
            std::fill_n(copy.begin() + (start - packet.data()), value.size(), uint8_t{0});
        }
    }
    return copy;
}

std::vector<RtpBytes> FecReceiver::add(Bytes packet, const FecFormat& format) {
    const auto header = parse_rtp(packet);
    if (!header) {
        return {};
    }
    std::vector<RtpBytes> beside;
    if (header->payload_type == format.ulpfec) {
        ++received_;
        if (fec_since_end_.size() < kMaxLostFec) {
            fec_since_end_.push_back(header->sequence);
        }
        beside = recovery_.add_fec(packet.subspan(payload_start(packet, *header)), header->ssrc);
    } else if (recovery_.active()) {
        beside = recovery_.add_media(protected_form(packet, format.twcc_extension));
    }
    std::erase_if(beside, [&](const RtpBytes& one) {
        const auto found = parse_rtp(one);
        return !found || !format.pictures.test(found->payload_type);
    });
    recovered_ += beside.size();
    if (header->payload_type != format.ulpfec) {
        note_picture(packet, format, beside);
    }
    for (size_t i = 0, before = beside.size(); i < before; ++i) {
        const RtpBytes one = beside[i];
        note_picture(one, format, beside);
    }
    return beside;
}

// Where one picture was complete and its successor begins, all that is between was FEC.
void FecReceiver::note_picture(Bytes packet, const FecFormat& format, std::vector<RtpBytes>& beside) {
    const auto header = parse_rtp(packet);
    if (!header || !recovery_.active() || !format.vp8.test(header->payload_type)) {
        return;
    }
    const Vp8Packet vp8 = read_vp8(packet.subspan(payload_start(packet, *header)));
    if (!vp8.id) {
        return;
    }
    if (end_ && vp8.starts && (end_->id + 1) % vp8.ids == *vp8.id) {
        const auto between = static_cast<uint16_t>(header->sequence - end_->sequence - 1);
        for (uint16_t i = 1; between <= kMaxLostFec && i <= between; ++i) {
            const auto sequence = static_cast<uint16_t>(end_->sequence + i);
            if (std::ranges::find(fec_since_end_, sequence) == fec_since_end_.end()) {
                beside.push_back(empty_fec(sequence, end_->timestamp, header->ssrc, format.ulpfec));
            }
        }
        end_.reset();
    }
    const bool newer = !end_ || static_cast<int16_t>(header->sequence - end_->sequence) > 0;
    if ((packet[1] & kMarker) != 0 && newer) {
        end_ = {header->sequence, *vp8.id, read32(packet, 4)};
        fec_since_end_.clear();
    }
}

}  // namespace vmr::media
