// Plans our own offers: RFC 3264 sections 5 and 8.
#include <algorithm>

#include "daemon/sdp/codec_choice.hpp"
#include "daemon/sdp/keying.hpp"
#include "daemon/sdp/plan_parts.hpp"

namespace vmr::sdp {

namespace {

constexpr std::uint8_t kSingleNalPt = 102, kHighProfilePt = 103;  // of H.264

std::uint8_t own_pt(Codec codec) {
    switch (codec) {
        case Codec::pcmu:
            return 0;
        case Codec::pcma:
            return 8;
        case Codec::g722:
            return 9;
        case Codec::opus:
            return 96;
        case Codec::h264:
            return 97;
        case Codec::h224:
            return 104;
        default:
            return 98;
    }
}

std::vector<CryptoSuite> offered_suites(const Policy& policy) {
    std::vector<CryptoSuite> suites;
    for (const auto suite : {CryptoSuite::aead_aes_256_gcm, CryptoSuite::aes_256_cm_hmac_sha1_80,
                             CryptoSuite::aes_256_cm_hmac_sha1_32, CryptoSuite::aead_aes_128_gcm,
                             CryptoSuite::aes_cm_128_hmac_sha1_80, CryptoSuite::aes_cm_128_hmac_sha1_32}) {
        const bool gcm = suite == CryptoSuite::aead_aes_256_gcm || suite == CryptoSuite::aead_aes_128_gcm;
        const bool strong = info(suite).key_bits >= policy.min_key_bits;
        if ((policy.sdes_gcm || !gcm) && may_use(suite, policy) &&
            (strong || policy.encryption != Encryption::required)) {
            suites.push_back(suite);
        }
    }
    return suites;
}

class Planner {
public:
    Planner(const Policy& policy, const OfferWish& wish, const Negotiated* current)
        : policy_(policy), wish_(wish), current_(current) {
        plan_.policy = policy;
        plan_.bundle = current != nullptr ? current->bundle : policy.kind == LegKind::webrtc;
    }

    OfferPlan run() {
        if (current_ != nullptr) {
            keep_transports();
            for (const auto& media : current_->media) {
                keep_media(media);
            }
        }
        if (current_ == nullptr || wish_.add_media) {
            add(MediaKind::audio, Role::main);
            if (policy_.video) {
                add(MediaKind::video, Role::main);
            }
            if (policy_.video && policy_.content) {
                add(MediaKind::video, Role::content);
            }
            if (policy_.far_end_camera && policy_.video && policy_.kind == LegKind::sip) {
                add(MediaKind::camera, Role::main);
            }
        }
        plan_floor();
        return std::move(plan_);
    }

private:
    Direction wished(MediaKind kind, Role role) const {
        return kind == MediaKind::audio ? wish_.audio : role == Role::main ? wish_.video : wish_.content;
    }

    void keep_transports() {
        for (const auto& transport : current_->transports) {
            auto& kept = plan_.transports.emplace_back();
            kept.id = transport.id;
            kept.bundled = transport.bundled;
            kept.rtcp_mux = transport.rtcp_mux;
            kept.keying = transport.keying;
            kept.ice = transport.ice.has_value();
            if (transport.keying == KeyManagement::sdes) {
                kept.suites = {transport.sdes.suite};
                kept.mki = transport.sdes.local_mki;
            }
        }
    }

    void keep_media(const MediaPlan& media) {
        auto& kept = plan_.media.emplace_back();
        kept.kind = media.kind;
        kept.role = media.role;
        kept.enabled = media.accepted;
        kept.mid = media.mid;
        kept.proto = media.proto;
        kept.kind_name = media.kind_name;
        kept.proto_name = media.proto_name;
        kept.format_names = media.format_names;
        kept.label = media.label;
        if (!media.accepted) {
            return;
        }
        kept.direction = wished(media.kind, media.role);
        kept.codecs = media.codecs;
        kept.dtmf = media.dtmf;
        kept.fec = media.fec;
        kept.extmaps = media.extmaps;
        kept.feedback = media.feedback;
        kept.max_receive_bitrate = media.kind == MediaKind::video ? policy_.max_bitrate : 0;
        kept.transport = media.transport;
    }

    // One more m-line, unless there is a live one of its kind, or nobody wants it.
    void add(MediaKind kind, Role role) {
        const bool there = std::any_of(plan_.media.begin(), plan_.media.end(), [&](const OfferMedia& m) {
            return m.enabled && m.kind == kind && m.role == role;
        });
        if (there || wished(kind, role) == Direction::inactive || plan_.media.size() == kMaxMedia) {
            return;
        }
        OfferMedia media;
        media.kind = kind;
        media.role = role;
        media.kind_name = kind == MediaKind::audio   ? "audio"
                          : kind == MediaKind::video ? "video"
                                                     : "application";
        media.mid = plan_.bundle ? free_mid() : "";
        media.direction = wished(kind, role);
        media.max_receive_bitrate = kind == MediaKind::video ? policy_.max_bitrate : 0;
        add_formats(media);
        media.transport = transport_for_new();
        media.proto = proto_over(plan_.transports[media.transport]);
        media.proto_name = to_string(media.proto);
        plan_.media.push_back(std::move(media));
    }

    // Keeps its m-line, or adds one where there is content to control.
    void plan_floor() {
        if (current_ != nullptr) {
            plan_.floor = current_->floor;
            return;
        }
        const auto content = std::ranges::find(plan_.media, Role::content, &OfferMedia::role);
        if (!policy_.floor || policy_.kind != LegKind::sip || content == plan_.media.end()) {
            return;
        }
        content->label = kContentLabel;
        plan_.floor = FloorPlan{.index = plan_.media.size(), .stream = kContentLabel};
        OfferMedia line;
        line.enabled = false;
        line.kind_name = "application";
        line.proto_name = "UDP/BFCP";
        line.format_names = {"*"};
        plan_.media.push_back(std::move(line));
    }

    std::string free_mid() const {
        for (std::size_t number = plan_.media.size();; ++number) {
            auto mid = std::to_string(number);
            if (std::none_of(plan_.media.begin(), plan_.media.end(), [&](auto& m) { return m.mid == mid; })) {
                return mid;
            }
        }
    }

    void add_formats(OfferMedia& media) const {
        const bool webrtc = policy_.kind == LegKind::webrtc;
        const bool audio = media.kind == MediaKind::audio;
        bool wideband_clock = false;
        for (const auto codec : codecs_of(media.kind, policy_)) {
            media.codecs.push_back(own_codec(codec, own_pt(codec)));
            wideband_clock |= codec == Codec::opus;
            if (!webrtc && codec == Codec::h264) {
                media.codecs.push_back(own_h264_single_nal(kSingleNalPt));
                media.codecs.push_back(own_h264_high(kHighProfilePt));
            }
            if (webrtc && !audio) {
                media.codecs.back().rtx_receive_pt = static_cast<std::uint8_t>(own_pt(codec) + 10);
            }
        }
        if (audio) {
            if (wideband_clock) {
                media.dtmf.push_back({100, 100, 48000});
            }
            media.dtmf.push_back({101, 101, 8000});
        } else if (media.kind == MediaKind::video) {
            media.feedback = {.nack = true,
                              .nack_pli = true,
                              .ccm_fir = true,
                              .transport_cc = webrtc,
                              .goog_remb = webrtc,
                              .ccm_tmmbr = true};
        }
        if (webrtc && !audio) {
            media.fec = {102, 102, 103, 103, 112, 112};
        }
        if (webrtc) {
            media.extmaps = {.mid = 1, .audio_level = audio ? 2U : 0U, .transport_cc = audio ? 0U : 3U};
        } else if (audio) {
            media.extmaps.audio_level = 2;  // whoever tells it is decoded only while heard
        }
    }

    std::size_t transport_for_new() {
        for (std::size_t i = 0; i < plan_.transports.size(); ++i) {
            if (plan_.transports[i].bundled) {
                return i;
            }
        }
        OfferTransport transport;
        transport.bundled = plan_.bundle;
        transport.id = current_ == nullptr ? 0 : current_->next_transport;
        for (const auto& other : plan_.transports) {
            transport.id = std::max(transport.id, other.id + 1);
        }
        transport.ice = wish_.ice || policy_.kind == LegKind::webrtc;
        // SDES in clear signalling would not count: where encryption is a must, that leaves DTLS.
        const bool sdes_counts = policy_.signalling_encrypted;
        const bool must = policy_.encryption == Encryption::required;
        if (policy_.kind == LegKind::webrtc || wish_.dtls || (must && !sdes_counts)) {
            transport.keying = KeyManagement::dtls;
        } else if (policy_.encryption != Encryption::off) {
            transport.keying = KeyManagement::sdes;
            transport.suites = offered_suites(policy_);
            if (transport.suites.empty()) {
                transport.keying = KeyManagement::dtls;  // the floor is above all that a trunk takes
            }
        }
        plan_.transports.push_back(std::move(transport));
        return plan_.transports.size() - 1;
    }

    // Best effort is RFC 8643: the plain profile, with a=crypto beside it.
    Proto proto_over(const OfferTransport& transport) const {
        if (transport.keying == KeyManagement::dtls) {
            return Proto::udp_tls_savpf;
        }
        return policy_.encryption == Encryption::required ? Proto::rtp_savp : Proto::rtp_avp;
    }

    const Policy& policy_;
    const OfferWish& wish_;
    const Negotiated* current_;
    OfferPlan plan_;
};

}  // namespace

OfferPlan plan_offer(const Policy& policy, const OfferWish& wish, const Negotiated* current) {
    return Planner(policy, wish, current).run();
}

}  // namespace vmr::sdp
