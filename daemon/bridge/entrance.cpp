#include "daemon/bridge/entrance.hpp"

#include <algorithm>
#include <utility>

#include "daemon/bridge/services.hpp"
#include "daemon/sdp/session.hpp"

namespace vmr::bridge {
namespace {

// What the way to the peer asks for beside the room.
void apply(const MediaTerms& terms, sdp::Policy& policy) {
    if (terms.srtp_required) {
        policy.encryption = sdp::Encryption::required;
    }
    if (terms.ice_lite) {
        policy.ice = policy.ice_lite = policy.ice_offers = true;
    }
    for (const std::string& name : terms.srtp_suites) {
        policy.sdes_suites.push_back(sdp::suite_from_name(name));
    }
    if (terms.audio_codecs.empty()) {
        return;
    }
    const std::vector<sdp::Codec> known = std::exchange(policy.audio_codecs, {});
    for (const std::string& name : terms.audio_codecs) {
        const auto codec =
            std::ranges::find_if(known, [&name](sdp::Codec codec) { return name == sdp::to_string(codec); });
        if (codec != known.end()) {
            policy.audio_codecs.push_back(*codec);
        }
    }
}

// Empty: the offer cannot be read.
std::optional<sdp::Outcome<sdp::Negotiated>> answered(const std::string& offer, const sdp::Policy& policy) {
    const auto parsed = sdp::parse(offer);
    return parsed ? std::optional(sdp::answer(*parsed, policy)) : std::nullopt;
}

}  // namespace

sdp::Policy policy_for(const Arrival& arrival, const SipMedia& sip, const room::RoomConfig* room) {
    sdp::Policy policy;
    policy.kind = arrival.kind == LegKind::webrtc ? sdp::LegKind::webrtc : sdp::LegKind::sip;
    policy.signalling_encrypted = arrival.signalling != "none";
    const bool webrtc = policy.kind == sdp::LegKind::webrtc;
    policy.ice = webrtc || sip.ice;
    if (!webrtc) {
        policy.ice_lite = sip.ice_lite;
        policy.ice_offers = sip.ice_offers;
        policy.max_bitrate = sip.max_video_bitrate;
        policy.far_end_camera = sip.far_end_camera;
    }
    policy.video = policy.content = arrival.kind != LegKind::phone;
    policy.floor = arrival.kind == LegKind::sip;
    if (policy.kind == sdp::LegKind::webrtc) {
        policy.video_codecs = {sdp::Codec::vp8, sdp::Codec::h264};
    }
    if (room != nullptr) {
        policy.encryption = room->encryption == room::Encryption::required ? sdp::Encryption::required
                            : room->encryption == room::Encryption::off    ? sdp::Encryption::off
                                                                           : sdp::Encryption::best_effort;
        policy.min_key_bits = room->encryption_floor_bits;
    }
    apply(arrival.terms, policy);
    return policy;
}

bool is_stranger(const Arrival& arrival) {
    return arrival.kind == LegKind::sip && arrival.trunk.empty() && !arrival.trusted;
}

bool offers_enough(const Arrival& arrival, const SipMedia& sip, const room::RoomConfig& room) {
    if (room.encryption != room::Encryption::required || arrival.offer.empty()) {
        return true;
    }
    sdp::Policy policy = policy_for(arrival, sip, &room);
    policy.encryption = sdp::Encryption::best_effort;
    const auto agreed = answered(arrival.offer, policy);
    // What nobody could answer is refused alike everywhere.
    return !agreed || !*agreed || (*agreed)->counts_as_encrypted;
}

std::optional<EndCause> refusal_of_offer(const Arrival& arrival, const SipMedia& sip,
                                         const room::RoomConfig& room) {
    if (arrival.offer.empty()) {
        return std::nullopt;
    }
    const auto agreed = answered(arrival.offer, policy_for(arrival, sip, &room));
    if (!agreed) {
        return end_cause(MediaProblem::Kind::malformed);
    }
    if (*agreed) {
        return std::nullopt;
    }
    return end_cause(agreed->refusal().reason == sdp::Refusal::Reason::encryption_required
                         ? MediaProblem::Kind::encryption_required
                         : MediaProblem::Kind::not_acceptable);
}

}  // namespace vmr::bridge
