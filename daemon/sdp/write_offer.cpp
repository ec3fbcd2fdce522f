#include <algorithm>
#include <stdexcept>

#include "daemon/sdp/write_media.hpp"

namespace vmr::sdp {

namespace {

std::vector<CryptoLine> crypto_lines(const OfferTransport& transport, const LocalTransport& local) {
    std::vector<CryptoLine> lines;
    for (const auto& crypto : local.crypto) {
        const bool planned = std::find(transport.suites.begin(), transport.suites.end(), crypto.suite) !=
                             transport.suites.end();
        if (planned && crypto.key.size() == info(crypto.suite).key_salt_size) {
            lines.push_back({crypto.tag, info(crypto.suite).name, &crypto.key, true, transport.mki});
        }
    }
    if (lines.empty()) {
        throw std::logic_error("sdp: no local key for an offered suite");
    }
    return lines;
}

MediaText text_of(const OfferPlan& plan, const OfferMedia& media, const LocalTransport& local) {
    const auto& transport = plan.transports.at(media.transport);
    MediaText text;
    text.kind_name = media.kind_name;
    text.proto_name = media.proto_name;
    text.mid = media.mid;
    text.label = media.label;
    // RFC 4796: only where there is something to tell apart, and never to a browser.
    const bool content_there = std::any_of(plan.media.begin(), plan.media.end(), [](const OfferMedia& m) {
        return m.enabled && m.role == Role::content;
    });
    if (plan.policy.kind == LegKind::sip && media.kind == MediaKind::video && content_there) {
        text.content = media.role == Role::content ? "slides" : "main";
    }
    text.codecs = &media.codecs;
    text.dtmf = &media.dtmf;
    text.fec = media.fec;
    text.extmaps = media.extmaps;
    text.feedback = media.feedback;
    text.direction = media.direction;
    text.max_receive_bitrate = media.max_receive_bitrate;
    text.rtcp_rsize = plan.policy.kind == LegKind::webrtc;
    text.transport = &local;
    text.rtcp_mux = transport.rtcp_mux;
    text.rtcp_line = local.rtcp_port != 0;
    text.ice = transport.ice;
    text.trickle = transport.ice && !local.end_of_candidates;
    const auto first = std::find_if(plan.media.begin(), plan.media.end(), [&](const OfferMedia& m) {
        return m.enabled && m.transport == media.transport;
    });
    text.candidates = transport.ice && &*first == &media;
    if (transport.keying == KeyManagement::sdes) {
        text.cryptos = crypto_lines(transport, local);
    } else if (transport.keying == KeyManagement::dtls) {
        text.setup = transport.setup;
    }
    return text;
}

}  // namespace

std::string write_offer(const OfferPlan& plan, const LocalParams& local) {
    if (plan.transports.empty()) {
        throw std::logic_error("sdp: an offer without transports");
    }
    std::vector<std::vector<std::string>> bundles(plan.transports.size());
    for (const auto& media : plan.media) {
        if (media.enabled && plan.transports.at(media.transport).bundled) {
            bundles[media.transport].push_back(media.mid);
        }
    }
    const auto& address = local_transport(local, plan.transports.front().id).address;
    auto out = head_text(local, address, std::ranges::any_of(plan.transports, &OfferTransport::ice), bundles);
    for (std::size_t i = 0; i < plan.media.size(); ++i) {
        const auto& media = plan.media[i];
        if (plan.floor && local.floor && plan.floor->index == i) {
            out += floor_text(*plan.floor, *local.floor);
            continue;
        }
        if (!media.enabled) {
            out += refused_text(media.kind_name, media.proto_name, media.format_names, media.mid);
            continue;
        }
        const auto& transport = local_transport(local, plan.transports.at(media.transport).id);
        out += media_text(text_of(plan, media, transport), local, i, address);
    }
    return out;
}

}  // namespace vmr::sdp
