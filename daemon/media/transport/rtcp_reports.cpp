#include "daemon/media/transport/rtcp_reports.hpp"

#include <algorithm>

#include "daemon/media/transport/rtp_format.hpp"

namespace vmr::media {

namespace {

constexpr size_t kHeaderBytes = 8;
constexpr size_t kMaxReports = 64;
constexpr double kMaxRoundTripMs = 60'000;  // more is nonsense of the peer

}  // namespace

Bytes first_rtcp(Bytes compound) {
    if (compound.size() < 4 || compound[0] >> 6 != 2) {
        return {};
    }
    const size_t size = 4u * (read16(compound, 2) + 1u);
    return size <= compound.size() ? compound.first(size) : Bytes{};
}

bool is_rtcp(Bytes datagram) {
    while (!datagram.empty()) {
        const Bytes packet = first_rtcp(datagram);
        if (packet.empty() || packet[1] < 192 || packet[1] > 223) {
            return false;
        }
        datagram = datagram.subspan(packet.size());
    }
    return true;
}

uint32_t ntp_middle(int64_t real_time_us) {
    const int64_t seconds = real_time_us / 1'000'000 + kNtpEpochOffset;
    const int64_t fraction = (real_time_us % 1'000'000) * 65536 / 1'000'000;
    return static_cast<uint32_t>(seconds << 16 | fraction);
}

void RtcpReports::read(Bytes compound, uint32_t ntp_now) {
    for (Bytes packet = first_rtcp(compound); !packet.empty(); packet = first_rtcp(compound)) {
        compound = compound.subspan(packet.size());
        size_t at = 0;
        if (packet[1] == kSenderReport) {
            at = kHeaderBytes + kSenderInfoBytes;
        } else if (packet[1] == kReceiverReport) {
            at = kHeaderBytes;
        } else {
            continue;
        }
        for (int left = packet[0] & 0x1F; left > 0 && at + kReportBlockBytes <= packet.size(); left--) {
            read_block(packet.subspan(at, kReportBlockBytes), ntp_now);
            at += kReportBlockBytes;
        }
    }
}

void RtcpReports::read_block(Bytes block, uint32_t ntp_now) {
    RtcpReport report;
    report.fraction_lost = block[4] / 256.0;
    report.lost_packets = static_cast<int32_t>(read32(block, 4) << 8) >> 8;  // 24 bits, signed
    report.jitter = read32(block, 12);
    if (const uint32_t last_report = read32(block, 16); last_report != 0) {
        // 1/65536 s; a peer's rounding may make it slightly negative
        const auto delay = static_cast<int32_t>(ntp_now - last_report - read32(block, 20));
        const double milliseconds = std::max(delay, 0) / 65.536;
        if (milliseconds <= kMaxRoundTripMs) {
            report.round_trip_ms = milliseconds;
        }
    }
    std::lock_guard lock(mutex_);
    const uint32_t ssrc = read32(block, 0);
    if (reports_.size() < kMaxReports || reports_.contains(ssrc)) {
        report.number = reports_[ssrc].number + 1;
        reports_[ssrc] = report;
    }
}

std::optional<RtcpReport> RtcpReports::of(uint32_t ssrc) const {
    std::lock_guard lock(mutex_);
    const auto found = reports_.find(ssrc);
    return found == reports_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace vmr::media
