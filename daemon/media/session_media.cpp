// What each m-line of a negotiation becomes, and what our description says of it.
#include <openssl/rand.h>

#include <stdexcept>

#include "daemon/media/session.hpp"
#include "daemon/media/session_map.hpp"

namespace vmr::media {

uint64_t Session::random_number() {
    uint64_t number = 0;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number) != 1) {
        throw std::runtime_error("no random numbers");
    }
    return number;
}

uint32_t Session::ssrc(std::size_t media, bool retransmission) {
    uint32_t& number = ssrcs_[{media, retransmission}];
    while (number == 0) {
        number = static_cast<uint32_t>(random_number());
    }
    return number;
}

// The peer may be another endpoint now, to which roll-overs count from 0 (RFC 4568 section 6.4), or the same
// one, which goes on counting (RFC 3711 section 3.3.1): a stream that begins is at 0 for both.
void Session::begin_streams(const sdp::TransportPlan& plan) {
    for (const std::size_t media : plan.media) {
        ssrcs_.erase({media, false});
        ssrcs_.erase({media, true});
    }
}

Status Session::apply_media(const sdp::MediaPlan& plan, RtpTransport& transport, bool is_new) {
    const std::size_t index = plan.index;
    const uint32_t rtx_ssrc = has_slot(plan) ? ssrc(index, true) : 0;
    if (const Status added = transport.add_media(media_params(plan, ssrc(index), rtx_ssrc)); !added) {
        return added;
    }
    if (!has_slot(plan)) {
        return Ok{};
    }
    const bool known =
        !is_new && negotiated_ && index < negotiated_->media.size() && negotiated_->media[index].accepted;
    const sdp::CodecPlan* before = known ? &negotiated_->media[index].codecs.front() : nullptr;
    const sdp::CodecPlan& now = plan.codecs.front();
    const Slot slot = slot_of(plan);
    const bool same = before != nullptr && before->codec == now.codec && before->send_pt == now.send_pt &&
                      before->receive_pt == now.receive_pt;
    const SendParams params = send_params(plan, ssrc(index));
    if (!same || !same_picture(params, send_params(negotiated_->media[index], ssrc(index)))) {
        bin_.send(slot, params, transport.send_pad(static_cast<unsigned>(index)));
    } else {
        bin_.limit(slot, params.bitrate);
    }
    const bool sending = sdp::sends(plan.direction) && !plan.held;
    if (slot == Slot::audio) {
        bin_.set_key_events(!plan.dtmf.empty());
        transport.set_sending(static_cast<unsigned>(index), sending);
    } else {
        bin_.set_sending(slot, sending);
    }
    return Ok{};
}

sdp::LocalParams Session::local_params(const sdp::Negotiated& negotiated) {
    sdp::LocalParams local;
    local.session_id = session_id_;
    local.session_version = session_version_;
    local.cname = name_;
    local.ice_lite = policy_.ice_lite;
    for (const auto& plan : negotiated.transports) {
        local.transports.push_back(local_transport(plan.id, plan.remote_address));
    }
    for (const auto& media : negotiated.media) {
        if (media.accepted && !has_slot(media)) {
            local.media.push_back({media.index, ssrc(media.index), 0, ""});
        } else if (media.accepted) {
            // Content is a stream of its own, so that browsers do not tie it to the room's sound.
            const std::string stream = media.role == sdp::Role::content ? "content" : "room";
            const uint32_t rtx_ssrc = media.codecs.front().rtx_send_pt ? ssrc(media.index, true) : 0;
            local.media.push_back(
                {media.index, ssrc(media.index), rtx_ssrc, stream + " " + to_string(slot_of(media))});
        }
    }
    local.floor = local_floor(negotiated.floor);
    return local;
}

}  // namespace vmr::media
