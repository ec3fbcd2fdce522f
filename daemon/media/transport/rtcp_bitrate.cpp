#include "daemon/media/transport/rtcp_bitrate.hpp"

#include <algorithm>
#include <array>

#include "daemon/media/transport/rtp_format.hpp"

namespace vmr::media {
namespace {

constexpr uint8_t kTransportFeedback = 205, kPayloadFeedback = 206;
constexpr uint8_t kTmmbr = 3, kTmmbn = 4;  // RFC 5104 section 4.2
constexpr uint8_t kApplicationLayer = 15;  // RFC 4585 section 6.4; REMB is one of those
constexpr std::array<uint8_t, 4> kRemb{'R', 'E', 'M', 'B'};
constexpr size_t kFeedbackHeader = 12;                       // bytes
constexpr size_t kTuple = 8;                                 // bytes of a TMMBR or TMMBN entry
constexpr unsigned kTmmbrMantissa = 17, kRembMantissa = 18;  // bits
constexpr unsigned kOverhead = 40;                           // bytes a packet: IPv4, UDP, RTP
constexpr size_t kMostSsrcs = 64;                            // remembered for one transport
constexpr int64_t kRepeatUs = 5'000'000;

// The first packet of a compound; empty if it is not well-formed.
Bytes first_of(Bytes compound) {
    if (compound.size() < 4 || compound[0] >> 6 != 2) {
        return {};
    }
    const size_t size = 4u * (read16(compound, 2) + 1u);
    return size <= compound.size() ? compound.first(size) : Bytes{};
}

uint32_t bitrate_of(uint64_t mantissa, unsigned exponent) {
    constexpr uint64_t most = UINT32_MAX;
    return exponent > 31 || (mantissa << exponent) > most ? UINT32_MAX
                                                          : static_cast<uint32_t>(mantissa << exponent);
}

uint32_t tuple_bitrate(uint32_t tuple) {
    return bitrate_of(tuple >> 9 & ((1u << kTmmbrMantissa) - 1), tuple >> 26);
}

// exponent:6, mantissa:`bits`; rounded down
uint32_t packed(uint32_t bitrate, unsigned bits) {
    unsigned exponent = 0;
    while (bitrate >> exponent >= 1u << bits) {
        ++exponent;
    }
    return exponent << bits | bitrate >> exponent;
}

void append32(std::vector<uint8_t>& bytes, uint32_t number) {
    for (const unsigned shift : {24, 16, 8, 0}) {
        bytes.push_back(static_cast<uint8_t>(number >> shift));
    }
}

}  // namespace

RtcpBitrate::Limit* RtcpBitrate::limit(uint32_t ssrc) {
    return limits_.size() < kMostSsrcs || limits_.contains(ssrc) ? &limits_[ssrc] : nullptr;
}

bool RtcpBitrate::read(Bytes compound) {
    const std::lock_guard lock(mutex_);
    for (Bytes packet = first_of(compound); !packet.empty(); packet = first_of(compound)) {
        compound = compound.subspan(packet.size());
        const uint8_t format = packet[0] & 0x1F;
        if (packet.size() < kFeedbackHeader) {
            continue;
        }
        if (packet[1] == kTransportFeedback && format == kTmmbr) {
            read_tmmbr(packet);
        } else if (packet[1] == kTransportFeedback && format == kTmmbn) {
            read_tmmbn(packet);
        } else if (packet[1] == kPayloadFeedback && format == kApplicationLayer) {
            read_remb(packet);
        }
    }
    return !owed_.empty();
}

bool RtcpBitrate::read_tmmbr(Bytes packet) {
    for (size_t at = kFeedbackHeader; at + kTuple <= packet.size(); at += kTuple) {
        const uint32_t tuple = read32(packet, at + 4);
        if (Limit* known = limit(read32(packet, at))) {
            known->tmmbr = tuple_bitrate(tuple);
            if (owed_.size() < kMostSsrcs) {
                owed_.push_back({read32(packet, 4), tuple});
            }
        }
    }
    return !owed_.empty();
}

void RtcpBitrate::read_tmmbn(Bytes packet) {
    for (size_t at = kFeedbackHeader; at + kTuple <= packet.size(); at += kTuple) {
        if (wishes_.contains(read32(packet, 4))) {
            confirmed_[read32(packet, 4)] = tuple_bitrate(read32(packet, at + 4));
        }
    }
}

void RtcpBitrate::read_remb(Bytes packet) {
    constexpr size_t head = kFeedbackHeader + 8;
    if (packet.size() < head || !std::ranges::equal(packet.subspan(kFeedbackHeader, 4), kRemb)) {
        return;
    }
    const uint32_t rate = read32(packet, kFeedbackHeader + 4);  // count:8, exponent:6, mantissa:18
    size_t at = head;
    for (unsigned left = rate >> 24; left > 0 && at + 4 <= packet.size(); --left, at += 4) {
        if (Limit* known = limit(read32(packet, at))) {
            known->remb = bitrate_of(rate & ((1u << kRembMantissa) - 1), rate >> kRembMantissa & 0x3F);
        }
    }
}

std::optional<uint32_t> RtcpBitrate::limit_of(uint32_t our_ssrc) const {
    const std::lock_guard lock(mutex_);
    const auto found = limits_.find(our_ssrc);
    if (found == limits_.end()) {
        return std::nullopt;
    }
    const auto& [remb, tmmbr] = found->second;
    return remb && tmmbr ? std::min(remb, tmmbr) : remb ? remb : tmmbr;
}

bool RtcpBitrate::ask(std::map<uint32_t, BitrateWish> wishes, uint32_t beside) {
    const std::lock_guard lock(mutex_);
    if (wishes == wishes_ && beside == beside_) {
        return false;
    }
    wishes_ = std::move(wishes);
    beside_ = beside;
    news_ = true;
    return true;
}

std::optional<FeedbackPacket> RtcpBitrate::remb() const {
    uint64_t sum = beside_;
    std::vector<uint8_t> ssrcs;
    for (const auto& [ssrc, wish] : wishes_) {
        if (wish.remb && ssrcs.size() < 4 * kMostSsrcs) {
            sum += wish.bitrate;
            append32(ssrcs, ssrc);
        }
    }
    if (ssrcs.empty()) {
        return std::nullopt;
    }
    FeedbackPacket packet{kPayloadFeedback, kApplicationLayer, {kRemb.begin(), kRemb.end()}};
    const auto bitrate = static_cast<uint32_t>(std::min<uint64_t>(sum, UINT32_MAX));
    append32(packet.fci, static_cast<uint32_t>(ssrcs.size() / 4) << 24 | packed(bitrate, kRembMantissa));
    packet.fci.insert(packet.fci.end(), ssrcs.begin(), ssrcs.end());
    return packet;
}

std::optional<FeedbackPacket> RtcpBitrate::tmmbr() const {
    FeedbackPacket packet{kTransportFeedback, kTmmbr, {}};
    for (const auto& [ssrc, wish] : wishes_) {
        const uint32_t tuple = packed(wish.bitrate, kTmmbrMantissa) << 9 | kOverhead;
        const auto confirmed = confirmed_.find(ssrc);
        const bool known = confirmed != confirmed_.end() && confirmed->second == tuple_bitrate(tuple);
        if (wish.tmmbr && !known) {
            append32(packet.fci, ssrc);
            append32(packet.fci, tuple);
        }
    }
    return packet.fci.empty() ? std::nullopt : std::optional(packet);
}

std::vector<FeedbackPacket> RtcpBitrate::take_due(int64_t now_us) {
    const std::lock_guard lock(mutex_);
    std::vector<FeedbackPacket> due;
    if (!owed_.empty()) {
        FeedbackPacket answer{kTransportFeedback, kTmmbn, {}};
        for (const Owed& owed : owed_) {
            append32(answer.fci, owed.owner);
            append32(answer.fci, owed.tuple);
        }
        owed_.clear();
        due.push_back(std::move(answer));
    }
    if (!wishes_.empty() && (news_ || now_us - sent_us_ >= kRepeatUs)) {
        news_ = false;
        sent_us_ = now_us;
        for (auto& packet : {remb(), tmmbr()}) {
            if (packet) {
                due.push_back(*packet);
            }
        }
    }
    return due;
}

}  // namespace vmr::media
