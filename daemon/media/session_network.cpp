// What a session asks of the peer's network and learns of it.
#include <algorithm>
#include <cmath>

#include "daemon/media/session.hpp"
#include "daemon/media/session_map.hpp"

namespace vmr::media {
namespace {

constexpr uint32_t kLeastVideo = 100'000;  // bit/s

}  // namespace

std::map<Slot, MediaStats> Session::rtp_stats() const {
    std::map<Slot, MediaStats> all;
    for (const auto& [id, path] : paths_) {
        for (const MediaStats& media : path.transport->stats().media) {
            if (negotiated_ && media.media < negotiated_->media.size()) {
                all.emplace(slot_of(negotiated_->media[media.media]), media);
            }
        }
    }
    return all;
}

std::uint8_t Session::dscp(bool sound) const {
    const int own = sound ? audio_dscp_ : video_dscp_;
    return own >= 0 ? static_cast<std::uint8_t>(own)
                    : (sound ? environment_.audio_dscp : environment_.video_dscp);
}

// RFC 7587 section 6.1: the peer's decoder makes use of it.
bool Session::takes_fec() const {
    const auto* audio = negotiated_ ? negotiated_->find(sdp::MediaKind::audio) : nullptr;
    const auto* fec = audio != nullptr && audio->codecs.front().codec == sdp::Codec::opus
                          ? sdp::find(audio->codecs.front().remote_fmtp, "useinbandfec")
                          : nullptr;
    return fec != nullptr && *fec == "1";
}

// What the camera and the shared screen need for what is shown of them, each path for itself.
void Session::limit_sources() {
    if (!negotiated_) {
        return;
    }
    const auto now = SourceLimit::Time::clock::now();
    for (auto& [id, path] : paths_) {
        std::map<unsigned, uint32_t> bitrates;
        for (const std::size_t index : path.media) {
            const sdp::MediaPlan& plan = negotiated_->media.at(index);
            const Slot slot = slot_of(plan);
            if (plan.accepted && plan.kind == sdp::MediaKind::video) {
                bitrates[static_cast<unsigned>(index)] = source_limits_[slot].update(bin_.wanted(slot), now);
            }
        }
        path.transport->limit_sources(bitrates);
    }
}

// Where RED and ULPFEC were agreed on.
void Session::protect_pictures(const std::map<Slot, MediaStats>& stats) {
    for (const auto& [slot, media] : stats) {
        const sdp::MediaPlan& plan = negotiated_->media.at(media.media);
        if (!plan.fec || !media.remote_fraction_lost) {
            continue;
        }
        const bool resent = plan.codecs.front().rtx_send_pt.has_value();
        const unsigned percentage = fec_shares_[slot].update(
            {media.remote_reports, *media.remote_fraction_lost}, media.round_trip_ms, resent);
        paths_.at(negotiated_->transports.at(plan.transport).id).transport->set_fec(media.media, percentage);
    }
}

std::optional<PathTrend> Session::video_trend() const {
    for (const auto& [id, path] : paths_) {
        for (const std::size_t index : path.media) {
            if (negotiated_ && has_slot(negotiated_->media.at(index)) &&
                slot_of(negotiated_->media.at(index)) == Slot::video) {
                return path.transport->trend();
            }
        }
    }
    return std::nullopt;
}

std::optional<uint32_t> Session::video_carried(const std::optional<MediaStats>& video, uint32_t ceiling) {
    const auto trend = video_trend();
    if (!video || (!video->remote_fraction_lost && !video->remote_limit && !trend)) {
        return std::nullopt;
    }
    if (!network_) {
        network_.emplace(kLeastVideo, ceiling);
    }
    std::optional<LossReport> loss;
    if (video->remote_fraction_lost) {
        loss = {video->remote_reports, *video->remote_fraction_lost};
    }
    const uint32_t carried = network_->update(loss, trend, BitrateEstimate::Time::clock::now());
    const uint32_t all = std::min(carried, video->remote_limit.value_or(ceiling));
    const auto pictures =
        static_cast<uint32_t>(uint64_t{all} * 100 / (100 + fec_shares_[Slot::video].percentage()));
    return std::max(pictures, std::min(kLeastVideo, ceiling));
}

Network Session::follow_network(uint32_t ceiling) {
    limit_sources();
    const auto all = rtp_stats();
    protect_pictures(all);
    const auto of = [&](Slot slot) {
        const auto found = all.find(slot);
        return found == all.end() ? std::nullopt : std::optional(found->second);
    };
    Network network{video_carried(of(Slot::video), ceiling), 0};
    if (const auto audio = of(Slot::audio); audio && audio->remote_fraction_lost && takes_fec()) {
        network.audio_loss =
            static_cast<unsigned>(std::lround(100 * std::clamp(*audio->remote_fraction_lost, 0.0, 1.0)));
    }
    return network;
}

void Session::send_keyframe() {
    bin_.request_keyframe(Slot::video);
    bin_.request_keyframe(Slot::content);
}

// Where RTCP may ask, the transport does.
void Session::ask_for_keyframe(Slot slot) {
    const bool silent = negotiated_ && std::ranges::any_of(negotiated_->media, [slot](const auto& plan) {
                            return plan.accepted && has_slot(plan) && slot_of(plan) == slot &&
                                   !plan.feedback.nack_pli && !plan.feedback.ccm_fir;
                        });
    if (silent && callbacks_.on_keyframe_wanted) {
        callbacks_.on_keyframe_wanted();
    }
}

}  // namespace vmr::media
