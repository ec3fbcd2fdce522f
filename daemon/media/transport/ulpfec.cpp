#include "daemon/media/transport/ulpfec.hpp"

#include <algorithm>
#include <utility>

#include "daemon/media/transport/rtp_format.hpp"

namespace vmr::media {
namespace {

constexpr size_t kFecHeader = 10, kShortLevel = 4, kLongLevel = 8;  // bytes (RFC 5109 sections 7.3, 7.4)
constexpr unsigned kShortSpan = 16;
constexpr uint8_t kLongMask = 0x40;
constexpr uint16_t kTooOld = 192;  // packets

struct FecHeader {
    uint16_t base = 0;
    uint64_t mask = 0;  // bit i: base + i is protected
    size_t level = 0;   // bytes of the level's header
    size_t length = 0;  // bytes that are protected of each packet, beyond its fixed header
};

std::optional<FecHeader> parse(Bytes payload) {
    if (payload.size() < kFecHeader + kShortLevel) {
        return std::nullopt;
    }
    const bool is_long = (payload[0] & kLongMask) != 0;
    FecHeader header{read16(payload, 2), 0, is_long ? kLongLevel : kShortLevel, read16(payload, kFecHeader)};
    if ((payload[0] & 0x80) != 0 || payload.size() < kFecHeader + header.level + header.length) {
        return std::nullopt;  // an extension that the RFC reserves, or cut off
    }
    for (unsigned i = 0; i < (is_long ? kFecSpan : kShortSpan); ++i) {
        const uint8_t byte = payload[kFecHeader + 2 + i / 8];
        header.mask |= static_cast<uint64_t>(byte >> (7 - i % 8) & 1) << i;
    }
    return header.mask != 0 ? std::optional(header) : std::nullopt;
}

void add_into(std::span<uint8_t> sum, Bytes bytes) {
    const size_t size = std::min(sum.size(), bytes.size());
    for (size_t i = 0; i < size; ++i) {
        sum[i] ^= bytes[i];
    }
}

// The first eight bytes of a FEC header, but for what they say of the FEC itself: P, X, CC, M, PT, timestamp
// and length are sums of what is protected.
void add_header(std::span<uint8_t> sum, Bytes packet) {
    sum[0] ^= packet[0] & 0x3F;
    sum[1] ^= packet[1];
    add_into(sum.subspan(4, 4), packet.subspan(4, 4));
    put16(sum, 8, static_cast<uint16_t>(read16(sum, 8) ^ (packet.size() - kFixedHeader)));
}

}  // namespace

std::vector<uint8_t> ulpfec_payload(std::span<const RtpBytes> packets) {
    const uint16_t base = read16(packets.front(), 2);
    const auto offset = [&](const RtpBytes& packet) {
        return static_cast<uint16_t>(read16(packet, 2) - base);
    };
    const bool is_long = offset(packets.back()) >= kShortSpan;
    const size_t start = kFecHeader + (is_long ? kLongLevel : kShortLevel);
    const size_t longest =
        std::ranges::max(packets, {}, [](const RtpBytes& packet) { return packet.size(); }).size();
    std::vector<uint8_t> fec(start + longest - kFixedHeader);
    const std::span<uint8_t> sum(fec);
    for (const RtpBytes& packet : packets) {
        add_header(sum, packet);
        add_into(sum.subspan(start), Bytes(packet).subspan(kFixedHeader));
        const unsigned at = offset(packet);
        fec[kFecHeader + 2 + at / 8] |= static_cast<uint8_t>(0x80 >> at % 8);
    }
    fec[0] |= is_long ? kLongMask : 0;
    put16(sum, 2, base);
    put16(sum, kFecHeader, static_cast<uint16_t>(longest - kFixedHeader));
    return fec;
}

void FecRecovery::keep(RtpBytes packet) {
    const uint16_t sequence = read16(packet, 2);
    if (static_cast<int16_t>(sequence - newest_) > 0) {
        newest_ = sequence;
    }
    history_[sequence % kHistory] = std::move(packet);
}

const RtpBytes* FecRecovery::find(uint16_t sequence) const {
    const RtpBytes& kept = history_[sequence % kHistory];
    return !kept.empty() && read16(kept, 2) == sequence ? &kept : nullptr;
}

std::vector<RtpBytes> FecRecovery::add_media(RtpBytes packet) {
    if (!active()) {
        return {};
    }
    if (++since_fec_ == kForget) {
        history_.fill({});
        waiting_.clear();
        return {};
    }
    keep(std::move(packet));
    return recover();
}

std::vector<RtpBytes> FecRecovery::add_fec(Bytes payload, uint32_t ssrc) {
    if (!active()) {
        if (const auto header = parse(payload)) {
            newest_ = header->base;
        }
    }
    since_fec_ = 0;
    if (waiting_.size() == kMaxWaiting) {
        waiting_.pop_front();
    }
    waiting_.push_back({{payload.begin(), payload.end()}, ssrc});
    return recover();
}

// What comes back may be the last that another one lacked.
std::vector<RtpBytes> FecRecovery::recover() {
    std::vector<RtpBytes> all;
    for (bool again = true; again;) {
        again = false;
        for (auto waiting = waiting_.begin(); waiting != waiting_.end();) {
            std::optional<RtpBytes> found;
            const bool stays = try_one(*waiting, found);
            waiting = stays ? waiting + 1 : waiting_.erase(waiting);
            if (found) {
                all.push_back(*found);
                keep(std::move(*found));
                again = true;
            }
        }
    }
    return all;
}

bool FecRecovery::try_one(const Waiting& waiting, std::optional<RtpBytes>& found) const {
    const auto header = parse(waiting.payload);
    if (!header || static_cast<int16_t>(newest_ - header->base) > kTooOld) {
        return false;
    }
    std::optional<uint16_t> missing;
    for (unsigned i = 0; i < kFecSpan; ++i) {
        const auto sequence = static_cast<uint16_t>(header->base + i);
        if ((header->mask >> i & 1) != 0 && find(sequence) == nullptr) {
            if (missing) {
                return true;
            }
            missing = sequence;
        }
    }
    if (!missing) {
        return false;
    }
    std::vector<uint8_t> sum(waiting.payload);
    const size_t start = kFecHeader + header->level;
    for (unsigned i = 0; i < kFecSpan; ++i) {
        const RtpBytes* packet = find(static_cast<uint16_t>(header->base + i));
        if ((header->mask >> i & 1) != 0 && packet != nullptr) {
            add_header(sum, *packet);
            add_into(std::span(sum).subspan(start), Bytes(*packet).subspan(kFixedHeader));
        }
    }
    const size_t length = read16(sum, 8);
    if (length > header->length) {
        return false;  // not all of it was protected, or it is no sum of what came
    }
    RtpBytes packet(kFixedHeader + length);
    packet[0] = static_cast<uint8_t>(0x80 | (sum[0] & 0x3F));
    packet[1] = sum[1];
    put16(packet, 2, *missing);
    std::copy_n(sum.begin() + 4, 4, packet.begin() + 4);
    put32(packet, 8, waiting.ssrc);
    std::copy_n(sum.begin() + static_cast<std::ptrdiff_t>(start), length, packet.begin() + kFixedHeader);
    found = std::move(packet);
    return false;
}

}  // namespace vmr::media
