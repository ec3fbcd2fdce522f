#include "daemon/media/transport/data_line.hpp"

#include <algorithm>

#include "srtp/rtp_packet.hpp"

namespace vmr::media {

// As SendLine's.
void DataLine::set(const Settings& settings) {
    if (settings.ssrc != settings_.ssrc) {
        sequence_ &= 0x7FFF;
    }
    settings_ = settings;
}

Bytes DataLine::read(Bytes packet, SteadyTime now) {
    const auto header = vmr::parse_rtp(packet);
    if (!header) {
        return {};
    }
    Bytes message = packet.subspan(header->size);
    if ((packet[0] & 0x20) != 0) {  // padding, whose last byte counts it
        const std::size_t padding = message.empty() ? 0 : message.back();
        if (padding == 0 || padding > message.size()) {
            return {};
        }
        message = message.first(message.size() - padding);
    }
    return message.size() <= kMaxMessage && !message.empty() && bucket_.take(now) ? message : Bytes{};
}

std::size_t DataLine::write(Bytes message, SteadyTime now, std::span<std::uint8_t> out) {
    if (message.empty() || message.size() > kMaxMessage || out.size() < kMinRtp + message.size()) {
        return 0;
    }
    const auto passed = std::chrono::duration<double>(now - began_).count() * settings_.clock_rate;
    const auto timestamp = timestamp_ + static_cast<std::uint32_t>(static_cast<std::uint64_t>(passed));
    out[0] = 0x80;
    out[1] = settings_.payload_type;
    put16(out, 2, sequence_++);
    put32(out, 4, timestamp);
    put32(out, 8, settings_.ssrc);
    std::ranges::copy(message, out.begin() + kMinRtp);
    return kMinRtp + message.size();
}

}  // namespace vmr::media
