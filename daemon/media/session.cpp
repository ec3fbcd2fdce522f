#include "daemon/media/session.hpp"

#include <algorithm>

#include "daemon/media/session_map.hpp"

namespace vmr::media {
namespace {

// Each opens sockets, and asks TURN servers for relays.
constexpr double kRestartRate = 0.2, kMostRestarts = 5;  // a second; at once

MediaProblem internal(const std::string& text) {
    return {MediaProblem::Kind::internal, text};
}

}  // namespace

Session::Session(const MediaEnvironment& environment, const std::string& name, sdp::Policy policy,
                 std::string peer_address)
    : environment_(environment),
      name_(name),
      policy_(std::move(policy)),
      peer_address_(std::move(peer_address)),
      bin_(*environment.pipelines, name),
      restarts_(kRestartRate, kMostRestarts, std::chrono::steady_clock::now()),
      session_id_(random_number() >> 2) {
    bin_.set_on_wanted_changed([this] { limit_sources(); });
    bin_.set_on_keyframe_wanted([this](Slot slot) { ask_for_keyframe(slot); });
    bin_.set_jitter_buffer(environment.jitter_buffer);
}

Session::~Session() = default;

void Session::set_signalling(const std::string& protection) {
    signalling_ = protection;
    policy_.signalling_encrypted = protection != "none";
}

MediaProblem Session::problem(const sdp::Refusal& refusal) const {
    using Reason = sdp::Refusal::Reason;
    const auto kind = refusal.reason == Reason::malformed ? MediaProblem::Kind::malformed
                      : refusal.reason == Reason::encryption_required
                          ? MediaProblem::Kind::encryption_required
                          : MediaProblem::Kind::not_acceptable;
    return {kind, refusal.detail};
}

SdpResult Session::answer(std::string_view offer) {
    const auto parsed = sdp::parse(offer);
    if (!parsed) {
        return MediaProblem{MediaProblem::Kind::malformed, parsed.error()};
    }
    auto negotiated = sdp::answer(*parsed, policy_, negotiated_ ? &*negotiated_ : nullptr);
    if (!negotiated) {
        return problem(negotiated.refusal());
    }
    if (restarts(negotiated.value()) && !restarts_.take(std::chrono::steady_clock::now())) {
        return MediaProblem{MediaProblem::Kind::not_acceptable, "ICE restarts too often"};
    }
    if (hold_) {
        for (auto& media : negotiated.value().media) {
            media.direction = sdp::make_direction(sdp::sends(media.direction) && sdp::sends(*hold_),
                                                  sdp::receives(media.direction) && sdp::receives(*hold_));
        }
    }
    if (auto refused = take(negotiated.value())) {
        return *refused;
    }
    ++session_version_;
    const std::string sdp = sdp::write_answer(*negotiated_, local_params(*negotiated_));
    if (on_changed_) {
        on_changed_();
    }
    return sdp;
}

SdpResult Session::make_offer(bool anew) {
    sdp::OfferWish wish;
    wish.anew = anew;
    wish.content = policy_.content ? sdp::Direction::sendrecv : sdp::Direction::inactive;
    wish.ice = policy_.ice_offers;
    if (hold_) {
        wish.audio = wish.video = *hold_;
        wish.content = policy_.content ? *hold_ : wish.content;
    }
    offered_ = sdp::plan_offer(policy_, wish, negotiated_ ? &*negotiated_ : nullptr);
    ++session_version_;
    sdp::LocalParams local;
    local.session_id = session_id_;
    local.session_version = session_version_;
    local.cname = name_;
    local.ice_lite = policy_.ice_lite;
    for (std::size_t index = 0; index < offered_->transports.size(); ++index) {
        auto description = offer_transport(index);
        if (!description) {
            return internal(description.error());
        }
        local.transports.push_back(std::move(*description));
    }
    for (std::size_t i = 0; i < offered_->media.size(); ++i) {
        local.media.push_back({i, ssrc(i), 0, ""});
    }
    local.floor = local_floor(offered_->floor);
    offered_local_ = local;
    return sdp::write_offer(*offered_, local);
}

Result<sdp::LocalTransport> Session::offer_transport(std::size_t index) {
    const auto& transport = offered_->transports[index];
    const bool feedback = policy_.kind == sdp::LegKind::webrtc;
    const bool sound = std::ranges::any_of(offered_->media, [&](const sdp::OfferMedia& media) {
        return media.transport == index && media.kind == sdp::MediaKind::audio;
    });
    // Whether a SIP peer muxes is not known yet: there is a socket for its RTCP, too.
    const bool mux = transport.rtcp_mux && (feedback || (transport.ice && !policy_.ice_lite));
    if (const Status made =
            ensure_path(transport.id, {transport.ice, mux, feedback, true, sound, peer_address_});
        !made) {
        return Error{made.error()};
    }
    sdp::LocalTransport description = local_transport(transport.id, peer_address_);
    description.crypto.clear();
    for (unsigned i = 0; i < transport.suites.size(); ++i) {
        description.crypto.push_back(key(paths_.at(transport.id), transport.suites[i], i + 1));
    }
    return description;
}

SdpResult Session::accept_answer(std::string_view answer) {
    if (!offered_ || !offered_local_) {
        return internal("there is no offer that this could answer");
    }
    const auto parsed = sdp::parse(answer);
    if (!parsed) {
        return MediaProblem{MediaProblem::Kind::malformed, parsed.error()};
    }
    const auto negotiated =
        sdp::apply_answer(*offered_, *offered_local_, *parsed, negotiated_ ? &*negotiated_ : nullptr);
    if (!negotiated) {
        return problem(negotiated.refusal());
    }
    if (restarts(*negotiated)) {  // our offer did not (RFC 8839 section 4.4.2)
        return MediaProblem{MediaProblem::Kind::not_acceptable, "an answer cannot restart ICE"};
    }
    if (auto refused = take(*negotiated)) {
        return *refused;
    }
    local_floor(negotiated_->floor);
    discard_offer();
    if (on_changed_) {
        on_changed_();
    }
    report_if_ready();
    return std::string();
}

void Session::discard_offer() {
    offered_.reset();
    offered_local_.reset();
    drop_unused_paths();
}

void Session::add_candidate(std::string_view candidate, std::string_view, int) {
    for (auto& [id, path] : paths_) {
        if (path.agent) {
            // A candidate that cannot be used is no reason to end the leg: others may follow.
            if (const Status added = path.transport->add_remote_candidate(std::string(candidate)); !added) {
                g_info("%s: candidate ignored: %s", name_.c_str(), added.error().c_str());
            }
        }
    }
}

std::optional<MediaProblem> Session::take(const sdp::Negotiated& negotiated) {
    if (auto refused = unusable(negotiated)) {
        return refused;
    }
    if (const Status applied = apply(negotiated); !applied) {
        drop_unused_paths();
        cancel_restarts(negotiated);
        return internal(applied.error());
    }
    negotiated_ = negotiated;
    drop_left_paths();
    return std::nullopt;
}

Status Session::apply(const sdp::Negotiated& negotiated) {
    for (const auto& plan : negotiated.transports) {
        const auto& first = negotiated.media.at(plan.media.front());
        const bool controlling = plan.ice && plan.ice->controlling;
        const bool sound = std::ranges::any_of(plan.media, [&](std::size_t index) {
            return negotiated.media.at(index).kind == sdp::MediaKind::audio;
        });
        PathWish wish{plan.ice.has_value(),
                      plan.rtcp_mux,
                      sdp::has_feedback(first.proto),
                      controlling,
                      sound,
                      plan.remote_address,
                      plan.ice ? std::uint16_t{0} : leave_agent(plan.id)};
        Status made = ensure_path(plan.id, wish);
        if (!made && wish.port != 0 && !wish.rtcp_mux) {
            wish.rtcp_mux = true;  // the next port was somebody's: rather without the peer's reports
            made = ensure_path(plan.id, wish);
        }
        if (!made) {
            return made;
        }
    }
    // First what is refused: an m-line beside it may be of the same slot, and accepted.
    for (const auto& media : negotiated.media) {
        if (!media.accepted && has_slot(media)) {
            bin_.set_sending(slot_of(media), false);
            for (const auto& [id, path] : paths_) {
                path.transport->set_sending(static_cast<unsigned>(media.index), false);
            }
        }
    }
    for (const auto& plan : negotiated.transports) {
        if (plan.rekeyed) {
            begin_streams(plan);
        }
    }
    for (const auto& media : negotiated.media) {
        if (!media.accepted) {
            continue;
        }
        const auto& plan = negotiated.transports.at(media.transport);
        const bool anew = plan.is_new || plan.rekeyed;
        if (const Status applied = apply_media(media, *paths_.at(plan.id).transport, anew); !applied) {
            return applied;
        }
    }
    for (const auto& plan : negotiated.transports) {
        if (const Status applied = apply_transport(plan); !applied) {
            return applied;
        }
        paths_.at(plan.id).media = plan.media;
    }
    return Ok{};
}

Status Session::apply_transport(const sdp::TransportPlan& plan) {
    Path& path = paths_.at(plan.id);
    Security security = PlainSecurity{};
    if (plan.keying == sdp::KeyManagement::sdes) {
        const auto bytes = [](const std::vector<uint8_t>& key) {
            return std::string(key.begin(), key.end());
        };
        // A key that comes into use again would begin its indices again (RFC 3711 section 9.1). And in an
        // answer of ours, who was there under the peer's key before is not to hear how the call goes on.
        const bool anew = plan.rekeyed && !offered_;
        std::erase_if(path.keys, [&](const auto& key) { return anew || key.first != plan.sdes.suite; });
        security =
            SdesKeys{srtp_suite(plan.sdes.suite), bytes(key(path, plan.sdes.suite, plan.sdes.tag).key),
                     bytes(plan.sdes.remote.key), bytes(plan.sdes.local_mki), bytes(plan.sdes.remote.mki)};
    } else if (plan.keying == sdp::KeyManagement::dtls) {
        auto params = dtls_params(plan.dtls);
        if (!params) {
            return Error{params.error()};
        }
        security = *params;
    }
    if (plan.ice && path.agent) {
        if (plan.ice_restarted) {
            if (const Status restarted =
                    path.transport->restart_ice(ice_params(plan.ice->controlling, path.sound));
                !restarted) {
                return restarted;
            }
        }
        if (const Status set = path.transport->set_remote(ice_remote(*plan.ice)); !set) {
            return set;
        }
    } else if (plan.has_remote()) {
        UdpRemote remote = udp_remote(plan);
        remote.answers = offered_.has_value();
        if (const Status set = path.transport->set_remote(remote); !set) {
            return set;
        }
    }
    if (!path.secured || plan.rekeyed) {
        path.secured = true;
        return path.transport->set_security(security);
    }
    return Ok{};
}

void Session::on_stream_added(std::size_t path, const StreamInfo& stream, GstPad* pad) {
    if (!negotiated_ || stream.media >= negotiated_->media.size()) {
        return;
    }
    const sdp::MediaPlan& plan = negotiated_->media[stream.media];
    const std::string codec = codec_of(plan, stream.payload_type);
    if (codec.empty()) {
        return;
    }
    bin_.receive(slot_of(plan), codec, pad);
    paths_.at(path).streams.insert(pad);
    if (on_changed_) {
        on_changed_();
    }
}

void Session::on_state_changed(TransportState state, const std::string& reason) {
    if (state == TransportState::failed && callbacks_.on_media_failed) {
        callbacks_.on_media_failed(EndCause::media_failed, reason);
        return;
    }
    if (on_changed_) {
        on_changed_();
    }
    report_if_ready();
}

// The last that is done: who is told may end the session.
void Session::report_if_ready() {
    const auto is_ready = [this](const auto& path) {
        return path.second.transport->state() == TransportState::ready || steers_camera(path.second);
    };
    if (!ready_ && !paths_.empty() && std::ranges::all_of(paths_, is_ready)) {
        ready_ = true;
        if (const auto on_ready = on_ready_) {
            on_ready();
        }
    }
}

void Session::on_candidate_found(std::size_t id, const std::string& candidate) {
    if (!callbacks_.on_candidate_found || !negotiated_) {
        return;
    }
    const auto path = paths_.find(id);
    if (path != paths_.end()) {
        const std::size_t mline = path->second.media.empty() ? 0 : path->second.media.front();
        callbacks_.on_candidate_found(candidate, negotiated_->media.at(mline).mid, static_cast<int>(mline));
    }
}

}  // namespace vmr::media
