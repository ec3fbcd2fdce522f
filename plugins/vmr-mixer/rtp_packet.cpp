#include "rtp_packet.hpp"

#include "base/bytes.hpp"

namespace vmr::mixer {
namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::uint16_t kOneByteProfile = 0xBEDE;  // RFC 8285 section 4.2
constexpr std::uint16_t kTwoByteProfile = 0x1000;  // RFC 8285 section 4.3, without the appbits

// The first byte of the extension element `wanted`; the lengths are the sender's word.
std::optional<std::uint8_t> find_level(std::uint16_t profile, std::span<const std::uint8_t> data,
                                       unsigned wanted) {
    const bool one_byte = profile == kOneByteProfile;
    if (!one_byte && (profile & 0xFFF0) != kTwoByteProfile) {
        return std::nullopt;
    }
    std::size_t at = 0;
    while (at < data.size()) {
        if (data[at] == 0) {  // padding
            ++at;
            continue;
        }
        const unsigned id = one_byte ? data[at] >> 4 : data[at];
        const std::size_t header = one_byte ? 1 : 2;
        if ((one_byte && id == 15) || at + header > data.size()) {
            return std::nullopt;
        }
        const std::size_t length = one_byte ? (data[at] & 0x0FU) + 1U : data[at + 1];
        if (at + header + length > data.size()) {
            return std::nullopt;
        }
        if (id == wanted && length > 0) {
            return data[at + header] & 0x7F;  // without the voice bit
        }
        at += header + length;
    }
    return std::nullopt;
}

}  // namespace

std::optional<RtpView> parse_rtp(std::span<const std::uint8_t> bytes, unsigned level_id) {
    if (bytes.size() < kRtpHeader || bytes[0] >> 6 != kVersion) {
        return std::nullopt;
    }
    RtpView view;
    view.marker = (bytes[1] & 0x80) != 0;
    view.payload_type = bytes[1] & 0x7F;
    view.sequence = read16(bytes, 2);
    view.timestamp = read32(bytes, 4);
    view.ssrc = read32(bytes, 8);
    std::size_t start = kRtpHeader + 4U * (bytes[0] & 0x0F);  // contributing sources
    if ((bytes[0] & 0x10) != 0) {
        if (start + 4 > bytes.size()) {
            return std::nullopt;
        }
        const std::size_t length = 4U * read16(bytes, start + 2);
        if (start + 4 + length > bytes.size()) {
            return std::nullopt;
        }
        if (level_id != 0) {
            view.level = find_level(read16(bytes, start), bytes.subspan(start + 4, length), level_id);
        }
        start += 4 + length;
    }
    const std::size_t padding = (bytes[0] & 0x20) != 0 ? bytes.back() : 0;
    if (start + padding > bytes.size() || bytes.size() - start - padding > kLargestPayload) {
        return std::nullopt;
    }
    view.payload = bytes.subspan(start, bytes.size() - start - padding);
    return view;
}

std::size_t write_rtp_header(const RtpHeader& header, unsigned level_id, std::uint8_t level,
                             std::span<std::uint8_t, kRtpHeaderWithLevel> out) {
    const auto put = [&out](std::size_t at, std::uint32_t value, unsigned bytes) {
        for (unsigned i = 0; i < bytes; ++i) {
            out[at + i] = static_cast<std::uint8_t>(value >> (8 * (bytes - 1 - i)));
        }
    };
    out[0] = static_cast<std::uint8_t>(kVersion << 6 | (level_id != 0 ? 0x10 : 0));
    out[1] = static_cast<std::uint8_t>((header.marker ? 0x80 : 0) | header.payload_type);
    put(2, header.sequence, 2);
    put(4, header.timestamp, 4);
    put(8, header.ssrc, 4);
    if (level_id == 0) {
        return kRtpHeader;
    }
    put(12, kOneByteProfile, 2);
    put(14, 1, 2);  // one word
    constexpr std::uint8_t kSilence = 127;
    const std::uint8_t voice = level < kSilence ? 0x80 : 0;
    out[16] = static_cast<std::uint8_t>(level_id << 4);  // one byte
    out[17] = static_cast<std::uint8_t>(voice | level);
    out[18] = 0;
    out[19] = 0;
    return kRtpHeaderWithLevel;
}

}  // namespace vmr::mixer
