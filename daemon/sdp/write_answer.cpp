#include <algorithm>
#include <stdexcept>

#include "daemon/sdp/write_media.hpp"

namespace vmr::sdp {

namespace {

CryptoLine crypto_line(const SdesPlan& sdes, const LocalTransport& local) {
    const auto found = std::find_if(local.crypto.begin(), local.crypto.end(), [&](const LocalCrypto& crypto) {
        return crypto.suite == sdes.suite && crypto.key.size() == info(sdes.suite).key_salt_size;
    });
    if (found == local.crypto.end()) {
        throw std::logic_error("sdp: no local key for the chosen suite");
    }
    // The tag and the spelling of the offer; a lifetime only to those who wrote one.
    return {sdes.tag, sdes.suite_name, &found->key, sdes.remote.lifetime != 0, sdes.local_mki};
}

MediaText text_of(const MediaPlan& plan, const TransportPlan& transport, const LocalTransport& local) {
    MediaText text;
    text.kind_name = plan.kind_name;
    text.proto_name = plan.proto_name;
    text.mid = plan.mid;
    text.label = plan.label;
    text.content = plan.content;
    text.codecs = &plan.codecs;
    text.dtmf = &plan.dtmf;
    text.fec = plan.fec;
    text.extmaps = plan.extmaps;
    text.feedback = plan.feedback;
    text.direction = plan.direction;
    text.max_receive_bitrate = plan.max_receive_bitrate;
    text.rtcp_rsize = plan.rtcp_rsize;
    text.transport = &local;
    text.rtcp_mux = transport.rtcp_mux;
    text.rtcp_line = !transport.rtcp_mux && local.rtcp_port != 0;
    text.ice = transport.ice.has_value();
    text.trickle = text.ice && transport.ice->remote.trickle;
    text.candidates = text.ice && transport.media.front() == plan.index;
    if (transport.keying == KeyManagement::sdes) {
        text.cryptos = {crypto_line(transport.sdes, local)};
    } else if (transport.keying == KeyManagement::dtls) {
        text.setup = transport.dtls.local_setup;
    }
    return text;
}

}  // namespace

std::string write_answer(const Negotiated& negotiated, const LocalParams& local) {
    if (negotiated.transports.empty()) {
        throw std::logic_error("sdp: an answer without transports");
    }
    std::vector<std::vector<std::string>> bundles(negotiated.transports.size());
    for (const auto& plan : negotiated.media) {
        if (plan.accepted && negotiated.transports.at(plan.transport).bundled) {
            bundles[plan.transport].push_back(plan.mid);
        }
    }
    const auto& address = local_transport(local, negotiated.transports.front().id).address;
    const bool ice =
        std::ranges::any_of(negotiated.transports, [](const auto& t) { return t.ice.has_value(); });
    auto out = head_text(local, address, ice, bundles);
    for (const auto& plan : negotiated.media) {
        if (negotiated.floor && local.floor && plan.index == negotiated.floor->index) {
            out += floor_text(*negotiated.floor, *local.floor);
            continue;
        }
        if (!plan.accepted) {
            out += refused_text(plan.kind_name, plan.proto_name, plan.format_names, plan.mid);
            continue;
        }
        const auto& transport = negotiated.transports.at(plan.transport);
        out += media_text(text_of(plan, transport, local_transport(local, transport.id)), local, plan.index,
                          address);
    }
    return out;
}

}  // namespace vmr::sdp
