// The paths of a session: what each transport is made with, and what a description says of it.
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

#include "daemon/media/session.hpp"
#include "daemon/media/session_map.hpp"

namespace vmr::media {

// An answer may take all of an offer but ICE: media is then expected at the port that the offer gave.
std::uint16_t Session::leave_agent(std::size_t id) {
    const auto found = paths_.find(id);
    if (found == paths_.end() || !found->second.agent || found->second.secured) {
        return 0;
    }
    sdp::LocalTransport description;
    describe_path(found->second.transport->local(), sdp_address(peer_address_), false, description);
    kept_keys_[id] = std::move(found->second.keys);
    paths_.erase(found);
    return description.port;
}

IceParams Session::ice_params(bool controlling, bool sound) const {
    IceParams params = environment_.ice();
    params.advertised_addresses = environment_.advertised.all();
    params.controlling = controlling;
    params.dscp = dscp(sound);
    if (policy_.kind == sdp::LegKind::sip) {
        // A description over SIP holds all candidates, and does not wait for servers.
        params.stun_address.clear();
        params.turn_servers.clear();
    }
    return params;
}

// Lite paths answer checks with other credentials then; nothing else changes.
bool Session::restarts(const sdp::Negotiated& negotiated) const {
    return std::ranges::any_of(negotiated.transports, [this](const auto& plan) {
        const auto path = paths_.find(plan.id);
        return plan.ice_restarted && path != paths_.end() && path->second.agent;
    });
}

void Session::cancel_restarts(const sdp::Negotiated& negotiated) {
    for (const auto& plan : negotiated.transports) {
        const auto path = paths_.find(plan.id);
        if (plan.ice_restarted && path != paths_.end()) {
            path->second.transport->cancel_ice_restart();
        }
    }
}

// What cannot be is found out before anything is changed.
std::optional<MediaProblem> Session::unusable(const sdp::Negotiated& negotiated) const {
    const auto is_ip6 = [](const std::string& address) { return address.find(':') != std::string::npos; };
    for (const auto& plan : negotiated.transports) {
        if (plan.keying == sdp::KeyManagement::dtls) {
            if (const auto params = dtls_params(plan.dtls); !params) {
                return MediaProblem{MediaProblem::Kind::not_acceptable, params.error()};
            }
        }
        const auto path = paths_.find(plan.id);
        const bool lives = path != paths_.end() && !path->second.agent;
        const std::string own =
            lives ? path->second.transport->local().address : environment_.udp.local_address;
        const bool by_ice = plan.ice && (!policy_.ice_lite || !udp_remote(plan).ice_ufrag.empty());
        const bool either = !lives && own == "0.0.0.0";
        if (!by_ice && !either && plan.has_remote() && is_ip6(own) != is_ip6(plan.remote_address)) {
            return MediaProblem{MediaProblem::Kind::not_acceptable,
                                "the peer's media address is of the other IP version"};
        }
    }
    return std::nullopt;
}

Status Session::ensure_path(std::size_t id, const PathWish& wish) {
    if (paths_.contains(id)) {
        return Ok{};
    }
    const bool agent = wish.ice && !policy_.ice_lite;
    TransportParams params;
    params.io = environment_.io->take();
    params.certificate = environment_.certificate;
    params.name = name_ + "-transport-" + std::to_string(id);
    params.latency = environment_.jitter_buffer;
    params.feedback = wish.feedback;
    if (agent) {
        params.path = ice_params(wish.controlling, wish.sound);
    } else {
        UdpParams path = environment_.udp;
        path.rtcp_mux = wish.rtcp_mux;
        path.ice_lite = wish.ice;
        path.fixed_port = wish.port;
        path.dscp = dscp(wish.sound);
        if (wish.remote_address.find(':') != std::string::npos && path.local_address == "0.0.0.0") {
            path.local_address = "::";
        }
        params.path = path;
    }
    TransportCallbacks callbacks;
    callbacks.on_candidate_found = [this, id](const std::string& candidate) {
        on_candidate_found(id, candidate);
    };
    callbacks.on_state_changed = [this, id](TransportState state, const std::string& reason) {
        const auto path = paths_.find(id);
        if (path == paths_.end() || !steers_camera(path->second)) {
            on_state_changed(state, reason);
        }
    };
    callbacks.on_message_received = [this](unsigned, const std::vector<uint8_t>& message) {
        if (on_camera_steered_) {
            on_camera_steered_(message);
        }
    };
    callbacks.on_stream_added = [this, id](const StreamInfo& stream, GstPad* pad) {
        on_stream_added(id, stream, pad);
    };
    callbacks.on_key_pressed = [this](unsigned, char key) { bin_.press(key); };
    callbacks.on_congested = [this] {
        if (on_congested_) {
            on_congested_();
        }
    };
    callbacks.on_stream_removed = [this, id](const StreamInfo&, GstPad* pad) {
        bin_.stop_receiving(pad);
        paths_.at(id).streams.erase(pad);
    };
    auto transport = RtpTransport::create(std::move(params), std::move(callbacks));
    if (!transport) {
        return Error{transport.error()};
    }
    Path& path = paths_[id];
    path.transport = std::move(*transport);
    path.agent = agent;
    path.lite = wish.ice && !agent;
    path.sound = wish.sound;
    if (auto keys = kept_keys_.extract(id)) {
        path.keys = std::move(keys.mapped());
    }
    bin_.add_transport(path.transport->bin());
    return Ok{};
}

// An offer has a path for each of its m-lines; those that the answer refuses would never become ready.
void Session::drop_unused_paths() {
    std::erase_if(paths_, [](const auto& path) { return !path.second.secured; });
}

// What a new negotiation has left. Sound that nobody takes any more stays linked to its path.
void Session::drop_left_paths() {
    const auto is_left = [this](const auto& entry) {
        const Path& path = entry.second;
        const bool used = std::ranges::any_of(negotiated_->transports,
                                              [&](const auto& plan) { return plan.id == entry.first; });
        const bool linked = negotiated_->find(sdp::MediaKind::audio) == nullptr &&
                            std::ranges::any_of(path.media, [this](std::size_t index) {
                                return negotiated_->media.at(index).kind == sdp::MediaKind::audio;
                            });
        return path.secured && !used && !linked;
    };
    for (auto& entry : paths_) {
        if (is_left(entry)) {
            for (GstPad* pad : entry.second.streams) {
                bin_.stop_receiving(pad);
            }
        }
    }
    std::erase_if(paths_, is_left);
}

const sdp::LocalCrypto& Session::key(Path& path, sdp::CryptoSuite suite, unsigned tag) {
    sdp::LocalCrypto& crypto = path.keys[suite];
    if (crypto.key.empty()) {
        crypto.suite = suite;
        crypto.key.resize(sdp::info(suite).key_salt_size);
        if (RAND_bytes(crypto.key.data(), static_cast<int>(crypto.key.size())) != 1) {
            throw std::runtime_error("no random numbers");
        }
    }
    crypto.tag = tag;
    return crypto;
}

std::string Session::sdp_address(const std::string& remote_address) const {
    return environment_.advertised.for_peer(peer_address_,
                                            sdp::is_unspecified(remote_address) ? "" : remote_address);
}

sdp::LocalTransport Session::local_transport(std::size_t id, const std::string& remote_address) {
    Path& path = paths_.at(id);
    const LocalDescription local = path.transport->local();
    sdp::LocalTransport description;
    description.id = id;
    description.fingerprints.push_back(sdp_fingerprint(environment_.certificate->fingerprint()));
    for (const auto& [suite, crypto] : path.keys) {
        description.crypto.push_back(crypto);
    }
    const bool webrtc = policy_.kind == sdp::LegKind::webrtc;
    describe_path(local, path.agent && webrtc ? "0.0.0.0" : sdp_address(remote_address), webrtc, description);
    return description;
}

// A path that does not come up costs that, not the call.
bool Session::steers_camera(const Path& path) const {
    return negotiated_ && !path.media.empty() && std::ranges::all_of(path.media, [this](std::size_t index) {
               return index < negotiated_->media.size() &&
                      negotiated_->media[index].kind == sdp::MediaKind::camera;
           });
}

bool Session::takes_camera_control() const {
    const auto* camera = negotiated_ ? negotiated_->find(sdp::MediaKind::camera) : nullptr;
    return camera != nullptr && sdp::sends(camera->direction);
}

bool Session::steer_camera(Bytes message) {
    if (!takes_camera_control()) {
        return false;
    }
    const auto* camera = negotiated_->find(sdp::MediaKind::camera);
    const auto path = paths_.find(negotiated_->transports.at(camera->transport).id);
    return path != paths_.end() &&
           path->second.transport->send_message(static_cast<unsigned>(camera->index), message);
}

}  // namespace vmr::media
