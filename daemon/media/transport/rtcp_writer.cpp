#include "daemon/media/transport/rtcp_writer.hpp"

#include <algorithm>

#include "daemon/media/transport/rtcp_reports.hpp"
#include "daemon/media/transport/rtp_format.hpp"

namespace vmr::media {
namespace {

constexpr uint8_t kDescription = 202, kBye = 203;
constexpr uint8_t kCname = 1;
constexpr size_t kLongestCname = 255;      // bytes
constexpr int64_t kMostLost = 0x7FFFFF;    // 24 bits, signed
constexpr double kInterval = 5'000'000;    // µs: RFC 3550 section 6.2
constexpr double kCompensation = 1.21828;  // e - 3/2: of timer reconsideration, appendix A.7

// Appends a packet's header; its length is known in advance. Returns where its content begins.
size_t begin_packet(std::vector<uint8_t>& out, uint8_t type, unsigned count, size_t content) {
    const size_t at = out.size();
    out.resize(at + 4 + content);
    out[at] = static_cast<uint8_t>(0x80 | count);
    out[at + 1] = type;
    put16(out, at + 2, static_cast<uint16_t>(content / 4));
    return at + 4;
}

void add_description(std::vector<uint8_t>& out, uint32_t ssrc, const std::string& cname) {
    const size_t size = std::min(cname.size(), kLongestCname);
    const size_t chunk = (4 + 2 + size + 1 + 3) / 4 * 4;  // ends with at least one null (section 6.5)
    const size_t at = begin_packet(out, kDescription, 1, chunk);
    put32(out, at, ssrc);
    out[at + 4] = kCname;
    out[at + 5] = static_cast<uint8_t>(size);
    std::copy_n(cname.begin(), size, out.begin() + static_cast<std::ptrdiff_t>(at) + 6);
}

void write_block(std::vector<uint8_t>& out, size_t at, const ReportBlock& block) {
    put32(out, at, block.ssrc);
    const auto lost = static_cast<uint32_t>(std::clamp<int64_t>(block.lost, -kMostLost - 1, kMostLost));
    put32(out, at + 4, static_cast<uint32_t>(block.fraction_lost) << 24 | (lost & 0xFFFFFF));
    put32(out, at + 8, block.highest);
    put32(out, at + 12, block.jitter);
    put32(out, at + 16, block.last_report);
    put32(out, at + 20, block.delay);
}

}  // namespace

std::vector<uint8_t> write_report(uint32_t ssrc, const std::string& cname,
                                  const std::optional<SenderInfo>& sender,
                                  const std::optional<ReportBlock>& block) {
    std::vector<uint8_t> out;
    const size_t content = 4 + (sender ? kSenderInfoBytes : 0) + (block ? kReportBlockBytes : 0);
    size_t at = begin_packet(out, sender ? kSenderReport : kReceiverReport, block ? 1 : 0, content);
    put32(out, at, ssrc);
    at += 4;
    if (sender) {
        put32(out, at, static_cast<uint32_t>(sender->ntp >> 32));
        put32(out, at + 4, static_cast<uint32_t>(sender->ntp));
        put32(out, at + 8, sender->timestamp);
        put32(out, at + 12, sender->packets);
        put32(out, at + 16, sender->bytes);
        at += kSenderInfoBytes;
    }
    if (block) {
        write_block(out, at, *block);
    }
    add_description(out, ssrc, cname);
    return out;
}

std::vector<uint8_t> write_bye(uint32_t ssrc, const std::string& cname) {
    std::vector<uint8_t> out = write_report(ssrc, cname, std::nullopt, std::nullopt);
    put32(out, begin_packet(out, kBye, 1, 4), ssrc);
    return out;
}

uint64_t ntp_time(int64_t real_time) {
    const auto us = static_cast<uint64_t>(real_time);
    return (us / 1'000'000 + uint64_t{kNtpEpochOffset}) << 32 | (us % 1'000'000 << 32) / 1'000'000;
}

int64_t report_interval(double random) {
    return static_cast<int64_t>(kInterval * (0.5 + std::clamp(random, 0.0, 1.0)) / kCompensation);
}

PeerRtcp read_peer_rtcp(Bytes compound) {
    PeerRtcp found;
    for (Bytes packet = first_rtcp(compound); !packet.empty(); packet = first_rtcp(compound)) {
        compound = compound.subspan(packet.size());
        if (packet[1] == kSenderReport && packet.size() >= 8 + kSenderInfoBytes) {
            found.senders.push_back({read32(packet, 4), read32(packet, 8) << 16 | read32(packet, 12) >> 16});
        } else if (packet[1] == kBye) {
            size_t at = 4;
            for (int left = packet[0] & 0x1F; left > 0 && at + 4 <= packet.size(); --left, at += 4) {
                found.byes.push_back(read32(packet, at));
            }
        }
    }
    return found;
}

}  // namespace vmr::media
