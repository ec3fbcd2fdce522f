// AudioRtp's RTCP and statistics.
#include <utility>

#include "daemon/media/transport/audio_rtp.hpp"

namespace vmr::media {

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

// Without anything to say it still tells that we are there.
void AudioRtp::report() {
    const auto sender = sender_.take_info();
    host_.send(Component::rtcp, write_report(sender_.ssrc(), cname_, sender, take_report_block()));
}

void AudioRtp::send_bye() {
    sender_.set_sending(false);
    host_.send(Component::rtcp, write_bye(sender_.ssrc(), cname_));
}

void AudioRtp::fill(MediaStats& stats) const {
    {
        const std::lock_guard held(receive_mutex_);
        stats.received_packets = received_packets_;
        stats.received_bytes = received_bytes_;
        stats.lost_packets = counts_.lost();
        stats.jitter_ms = 1000.0 * counts_.jitter() / receive_rate_;
    }
    sender_.fill(stats);
}

}  // namespace vmr::media
