#include "daemon/media/transport/send_line.hpp"

#include <algorithm>

#include "daemon/media/transport/rtp_format.hpp"
#include "daemon/media/transport/rtp_router.hpp"

namespace vmr::media {
namespace {

constexpr size_t kLargestOneByteMid = 16;  // RFC 8285 section 4.2

// Ends of the payload: behind CSRCs and extension, before the padding. Empty: not RTP.
Bytes payload_of(Bytes packet) {
    const auto header = parse_rtp(packet);
    if (!header) {
        return {};
    }
    size_t start = kFixedHeader + 4 * (packet[0] & 0x0F);
    if ((packet[0] & 0x10) != 0) {
        start += 4 + header->extension.size();
    }
    const size_t padding = (packet[0] & 0x20) != 0 ? packet.back() : 0;
    return start + padding < packet.size() ? packet.subspan(start, packet.size() - start - padding) : Bytes{};
}

int64_t ticks(int64_t nanoseconds, unsigned clock_rate) {
    const auto rate = static_cast<int64_t>(clock_rate);
    constexpr int64_t second = 1'000'000'000;  // ns
    const int64_t half = nanoseconds < 0 ? -second / 2 : second / 2;
    return nanoseconds / second * rate + (nanoseconds % second * rate + half) / second;
}

}  // namespace

// Below 2^15 nobody mistakes the first packets for those before a roll-over (RFC 3711 section 3.3.1).
void SendLine::set(const Settings& settings) {
    if (settings.ssrc != settings_.ssrc) {
        sequence_ &= 0x7FFF;
        before_ = counts_;
    }
    settings_ = settings;
}

uint32_t SendLine::timestamp_at(uint64_t running_time) const {
    const auto elapsed = static_cast<int64_t>(running_time - last_.running_time);
    return last_.timestamp + static_cast<uint32_t>(ticks(elapsed, settings_.clock_rate));
}

size_t SendLine::mid_bytes() const {
    const size_t size = settings_.mid.size();
    if (settings_.mid_extension == 0 || size == 0 || size > kLargestOneByteMid) {
        return 0;
    }
    return 4 + (1 + size + 3) / 4 * 4;
}

size_t SendLine::write(Bytes packet, uint64_t running_time, std::span<uint8_t> out) {
    const Bytes payload = payload_of(packet);
    if (payload.empty() || kFixedHeader + mid_bytes() + payload.size() > out.size()) {
        return 0;
    }
    uint32_t timestamp = read32(packet, 4);
    if (new_source_) {
        // A source that takes over in the same moment must not repeat the timestamp before.
        uint32_t due = started() ? timestamp_at(running_time) : last_.timestamp;
        if (started() && static_cast<int32_t>(due - last_.timestamp) <= 0) {
            due = last_.timestamp + 1;
        }
        shift_ = due - timestamp;
        new_source_ = false;
    }
    timestamp += shift_;
    const size_t header = write_header(packet.data(), timestamp, out);
    std::ranges::copy(payload, out.begin() + static_cast<std::ptrdiff_t>(header));
    last_ = {timestamp, running_time};
    ++counts_.packets;
    counts_.bytes += payload.size();
    return header + payload.size();
}

size_t SendLine::write_header(const uint8_t* original, uint32_t timestamp, std::span<uint8_t> out) {
    const size_t extension = mid_bytes();
    out[0] = extension != 0 ? 0x90 : 0x80;
    out[1] = static_cast<uint8_t>((original[1] & 0x80) | settings_.payload_type);
    put16(out, 2, sequence_++);
    put32(out, 4, timestamp);
    put32(out, 8, settings_.ssrc);
    if (extension != 0) {
        put16(out, 12, kOneByteProfile);
        put16(out, 14, static_cast<uint16_t>((extension - 4) / 4));
        const std::string& mid = settings_.mid;
        std::fill_n(out.begin() + 16, extension - 4, uint8_t{0});
        out[16] = static_cast<uint8_t>(settings_.mid_extension << 4 | (mid.size() - 1));
        std::ranges::copy(mid, out.begin() + 17);
    }
    return kFixedHeader + extension;
}

}  // namespace vmr::media
