#include "daemon/media/transport/fec_sender.hpp"

#include <algorithm>

#include "daemon/media/transport/fec_receiver.hpp"
#include "daemon/media/transport/rtp_format.hpp"
#include "daemon/media/transport/rtp_router.hpp"

namespace vmr::media {
namespace {

constexpr unsigned kMostPictures = 2;  // what comes back later than that is late

uint16_t distance(Bytes first, Bytes packet) {
    return static_cast<uint16_t>(read16(packet, 2) - read16(first, 2));
}

}  // namespace

void FecSender::set_percentage(unsigned percentage) {
    percentage_ = std::min(percentage, 100U);
    if (percentage_ == 0) {
        packets_.clear();
        pictures_ = 0;
        budget_ = 0;
    }
}

RtpBytes FecSender::in_red(Bytes head, uint8_t payload_type, Bytes payload) const {
    RtpBytes packet;
    packet.reserve(head.size() + 1 + payload.size());
    packet.assign(head.begin(), head.end());
    packet[1] = static_cast<uint8_t>((packet[1] & kMarker) | format_.red);
    packet.push_back(payload_type);
    packet.insert(packet.end(), payload.begin(), payload.end());
    return packet;
}

std::vector<RtpBytes> FecSender::add(Bytes packet) {
    const auto header = parse_rtp(packet);
    if (!header) {
        return {};
    }
    RtpBytes own(packet.begin(), packet.end());
    put16(own, 2, static_cast<uint16_t>(header->sequence + added_));
    std::vector<RtpBytes> out;
    if (percentage_ == 0) {
        out.push_back(std::move(own));
        return out;
    }
    const size_t start = payload_start(own, *header);
    out.push_back(in_red(Bytes(own).first(start), header->payload_type, Bytes(own).subspan(start)));
    if (!packets_.empty() && distance(packets_.front(), own) >= kFecSpan) {
        packets_.clear();  // the row of numbers has a gap
        pictures_ = 0;
    }
    packets_.push_back(protected_form(own, format_.twcc_extension));
    budget_ += percentage_ / 100.0;
    const bool ends = (packet[1] & kMarker) != 0;
    pictures_ += ends ? 1 : 0;
    auto due = static_cast<unsigned>(budget_);
    if (due == 0 && pictures_ >= kMostPictures) {
        due = 1;
    }
    const bool full = distance(packets_.front(), own) == kFecSpan - 1;
    if ((ends && due > 0) || full) {
        protect(std::clamp<unsigned>(due, 1, static_cast<unsigned>(packets_.size())), out);
    }
    return out;
}

// Every `count`th packet by the same: of as many that are lost in a row each comes back.
void FecSender::protect(unsigned count, std::vector<RtpBytes>& out) {
    const RtpBytes last = packets_.back();
    RtpBytes head(last.begin(),
                  last.begin() + static_cast<std::ptrdiff_t>(payload_start(last, *parse_rtp(last))));
    head[0] &= static_cast<uint8_t>(~0x20);  // padding is the last one's own
    head[1] = 0;
    for (unsigned first = 0; first < count; ++first) {
        std::vector<RtpBytes> group;
        for (size_t i = first; i < packets_.size(); i += count) {
            group.push_back(packets_[i]);
        }
        put16(head, 2, static_cast<uint16_t>(read16(last, 2) + 1 + first));
        out.push_back(in_red(head, format_.ulpfec, ulpfec_payload(group)));
    }
    added_ = static_cast<uint16_t>(added_ + count);
    sent_ += count;
    budget_ = std::max(0.0, budget_ - count);
    packets_.clear();
    pictures_ = 0;
}

}  // namespace vmr::media
