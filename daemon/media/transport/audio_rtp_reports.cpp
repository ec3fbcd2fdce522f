// AudioRtp's RTCP and statistics.
#include <utility>

#include "daemon/media/transport/audio_rtp.hpp"

namespace vmr::media {

// A sender's report is one of who sent since the last report but one (RFC 3550 section 6.4).
std::optional<SenderInfo> AudioRtp::take_sender_info() {
    const GstClockTime running_time = gst_element_get_current_running_time(bin_);
    const std::lock_guard held(send_mutex_);
    const uint64_t packets = line_.counts().packets;
    const uint64_t before_last = std::exchange(reported_sent_[1], std::exchange(reported_sent_[0], packets));
    if (packets == before_last || !GST_CLOCK_TIME_IS_VALID(running_time)) {
        return std::nullopt;
    }
    return SenderInfo{.ntp = ntp_time(g_get_real_time()),
                      .timestamp = line_.timestamp_at(running_time),
                      .packets = static_cast<uint32_t>(packets),
                      .bytes = static_cast<uint32_t>(line_.counts().bytes)};
}

std::optional<ReportBlock> AudioRtp::take_report_block() {
    const std::lock_guard held(receive_mutex_);
    const uint64_t before_last =
        std::exchange(reported_received_[1], std::exchange(reported_received_[0], received_packets_));
    if (!counts_.started() || received_packets_ == before_last) {
        return std::nullopt;
    }
    const ReceiveCounts::Report report = counts_.take_report();
    ReportBlock block{.ssrc = report.ssrc,
                      .fraction_lost = report.fraction_lost,
                      .lost = report.lost,
                      .highest = report.highest,
                      .jitter = report.jitter};
    if (peer_report_ != 0) {
        block.last_report = peer_report_;
        block.delay = static_cast<uint32_t>((g_get_monotonic_time() - peer_report_at_) * 65536 / 1'000'000);
    }
    return block;
}

void AudioRtp::report() {
    const auto sender = take_sender_info();
    const auto block = take_report_block();
    uint32_t ssrc = 0;
    {
        const std::lock_guard held(send_mutex_);
        ssrc = line_.settings().ssrc;
    }
    // Without anything to say it still tells that we are there.
    host_.send(Component::rtcp, write_report(ssrc, cname_, sender, block));
}

void AudioRtp::send_bye() {
    uint32_t ssrc = 0;
    {
        const std::lock_guard held(send_mutex_);
        sending_ = false;
        ssrc = line_.settings().ssrc;
    }
    host_.send(Component::rtcp, write_bye(ssrc, cname_));
}

void AudioRtp::fill(MediaStats& stats) const {
    {
        const std::lock_guard held(receive_mutex_);
        stats.received_packets = received_packets_;
        stats.received_bytes = received_bytes_;
        stats.lost_packets = counts_.lost();
        stats.jitter_ms = 1000.0 * counts_.jitter() / receive_rate_;
    }
    const std::lock_guard held(send_mutex_);
    stats.sent_packets = line_.counts().packets;
    stats.sent_bytes = line_.counts().bytes;
}

}  // namespace vmr::media
