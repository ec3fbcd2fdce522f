// Plans our own offers: RFC 3264 sections 5 and 8.
#include <algorithm>
#include <iterator>

#include "daemon/sdp/codec_choice.hpp"
#include "daemon/sdp/keying.hpp"
#include "daemon/sdp/payload_numbers.hpp"
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
        : policy_(policy), wish_(wish), current_(current), numbers_(current, bundles()) {
        plan_.policy = policy;
        plan_.bundle = bundles();
    }

    OfferPlan run() {
        if (current_ != nullptr) {
            keep_transports();
            for (const auto& media : current_->media) {
                keep_media(media);
            }
        }
        if (current_ == nullptr || wish_.anew) {
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
    bool bundles() const { return current_ != nullptr ? current_->bundle : policy_.kind == LegKind::webrtc; }

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
                if (wish_.anew) {
                    std::ranges::remove_copy(offered_suites(policy_), std::back_inserter(kept.suites),
                                             transport.sdes.suite);
                }
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
        if (wish_.anew) {
            add_formats(kept, media.index);
        }
    }

    // One more m-line, unless there is a live one of its kind, or nobody wants it. One that was switched off
    // comes back in its place (RFC 3264 section 8.1).
    void add(MediaKind kind, Role role) {
        const auto is_alike = [&](const OfferMedia& m) { return m.kind == kind && m.role == role; };
        const bool there =
            std::ranges::any_of(plan_.media, [&](const OfferMedia& m) { return m.enabled && is_alike(m); });
        if (there || wished(kind, role) == Direction::inactive) {
            return;
        }
        const auto off = std::ranges::find_if(plan_.media, is_alike);
        const auto line = static_cast<std::size_t>(off - plan_.media.begin());
        if (line == kMaxMedia) {
            return;
        }
        OfferMedia media;
        if (off != plan_.media.end()) {
            media.mid = off->mid;
            media.label = off->label;
        }
        media.kind = kind;
        media.role = role;
        media.kind_name = kind == MediaKind::audio   ? "audio"
                          : kind == MediaKind::video ? "video"
                                                     : "application";
        media.mid = plan_.bundle && media.mid.empty() ? free_mid() : media.mid;
        media.direction = wished(kind, role);
        media.max_receive_bitrate = kind == MediaKind::video ? policy_.max_bitrate : 0;
        add_formats(media, line);
        add_extensions(media);
        media.transport = transport_for_new();
        media.proto = proto_over(plan_.transports[media.transport]);
        media.proto_name = to_string(media.proto);
        plan_.media.resize(std::max(plan_.media.size(), line + 1));
        plan_.media[line] = std::move(media);
    }

    // Keeps its m-line, or adds one where there is content to control.
    void plan_floor() {
        if (current_ != nullptr && (current_->floor || !wish_.anew)) {
            plan_.floor = current_->floor;
            return;
        }
        const auto content = std::ranges::find_if(
            plan_.media, [](const OfferMedia& m) { return m.enabled && m.role == Role::content; });
        if (!policy_.floor || policy_.kind != LegKind::sip || content == plan_.media.end()) {
            return;
        }
        const auto off = std::ranges::find_if(plan_.media, [](const OfferMedia& m) {
            return m.kind_name == "application" && m.proto_name.ends_with("/BFCP");
        });
        const auto line = static_cast<std::size_t>(off - plan_.media.begin());
        if (line == kMaxMedia) {
            return;
        }
        if (content->label.empty()) {
            content->label = kContentLabel;
        }
        plan_.floor = FloorPlan{.index = line, .stream = content->label};
        if (off == plan_.media.end()) {
            auto& added = plan_.media.emplace_back();
            added.enabled = false;
            added.kind_name = "application";
            added.proto_name = "UDP/BFCP";
            added.format_names = {"*"};
        }
    }

    std::string free_mid() const {
        for (std::size_t number = plan_.media.size();; ++number) {
            auto mid = std::to_string(number);
            if (std::none_of(plan_.media.begin(), plan_.media.end(), [&](auto& m) { return m.mid == mid; })) {
                return mid;
            }
        }
    }

    void add_codec(OfferMedia& media, std::size_t line, CodecPlan codec) {
        const auto meaning = meaning_of(codec);
        const auto there = std::ranges::find_if(
            media.codecs, [&](const CodecPlan& other) { return meaning_of(other) == meaning; });
        if (there != media.codecs.end()) {
            there->local_fmtp = codec.local_fmtp;  // what is in use may be a lower level
            return;
        }
        const auto number = numbers_.take(line, meaning, codec.receive_pt);
        if (!number) {
            return;
        }
        codec.send_pt = codec.receive_pt = *number;
        if (policy_.kind == LegKind::webrtc && media.kind == MediaKind::video) {
            codec.rtx_receive_pt = static_cast<std::uint8_t>(*number + 10);
        }
        media.codecs.push_back(std::move(codec));
    }

    void add_dtmf(OfferMedia& media, std::size_t line, DtmfPlan dtmf) {
        const bool there =
            std::ranges::find(media.dtmf, dtmf.clock_rate, &DtmfPlan::clock_rate) != media.dtmf.end();
        const auto number = there ? std::nullopt : numbers_.take(line, meaning_of(dtmf), dtmf.receive_pt);
        if (number) {
            media.dtmf.push_back({*number, *number, dtmf.clock_rate});
        }
    }

    // All that we can do, behind what the m-line has.
    void add_formats(OfferMedia& media, std::size_t line) {
        const bool webrtc = policy_.kind == LegKind::webrtc;
        const bool audio = media.kind == MediaKind::audio;
        for (const auto codec : codecs_of(media.kind, policy_)) {
            add_codec(media, line, own_codec(codec, own_pt(codec)));
            if (!webrtc && codec == Codec::h264) {
                add_codec(media, line, own_h264_single_nal(kSingleNalPt));
                add_codec(media, line, own_h264_high(kHighProfilePt));
            }
        }
        if (audio) {
            if (std::ranges::find(media.codecs, Codec::opus, &CodecPlan::codec) != media.codecs.end()) {
                add_dtmf(media, line, {100, 100, 48000});
            }
            add_dtmf(media, line, {101, 101, 8000});
        } else if (media.kind == MediaKind::video) {
            auto& feedback = media.feedback;
            feedback.nack = feedback.nack_pli = feedback.ccm_fir = feedback.ccm_tmmbr = true;
            feedback.transport_cc |= webrtc;
            feedback.goog_remb |= webrtc;
        }
    }

    // Of a new m-line.
    void add_extensions(OfferMedia& media) const {
        const bool webrtc = policy_.kind == LegKind::webrtc;
        const bool audio = media.kind == MediaKind::audio;
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
        // What the session has is what its peer can do.
        const auto* beside = plan_.transports.empty() ? nullptr : &plan_.transports.front();
        transport.ice = wish_.ice || policy_.kind == LegKind::webrtc || (beside != nullptr && beside->ice);
        choose_keys(transport, beside == nullptr ? KeyManagement::none : beside->keying);
        plan_.transports.push_back(std::move(transport));
        return plan_.transports.size() - 1;
    }

    void choose_keys(OfferTransport& transport, KeyManagement beside) const {
        // SDES in clear signalling would not count: where encryption is a must, that leaves DTLS.
        const bool sdes_counts = policy_.signalling_encrypted;
        const bool must = policy_.encryption == Encryption::required;
        if (policy_.kind == LegKind::webrtc || wish_.dtls || (must && !sdes_counts) ||
            beside == KeyManagement::dtls) {
            transport.keying = KeyManagement::dtls;
        } else if (policy_.encryption != Encryption::off || beside == KeyManagement::sdes) {
            transport.keying = KeyManagement::sdes;
            transport.suites = offered_suites(policy_);
            if (transport.suites.empty()) {
                transport.keying = KeyManagement::dtls;  // the floor is above all that a trunk takes
            }
        }
    }

    // As that of another m-line with such keys; best effort is RFC 8643: the plain profile, with a=crypto
    // beside it.
    Proto proto_over(const OfferTransport& transport) const {
        const auto alike = std::ranges::find_if(plan_.media, [&](const OfferMedia& other) {
            return other.enabled && plan_.transports[other.transport].keying == transport.keying;
        });
        if (alike != plan_.media.end()) {
            return alike->proto;
        }
        if (transport.keying == KeyManagement::dtls) {
            return Proto::udp_tls_savpf;
        }
        return policy_.encryption == Encryption::required ? Proto::rtp_savp : Proto::rtp_avp;
    }

    const Policy& policy_;
    const OfferWish& wish_;
    const Negotiated* current_;
    NumberBook numbers_;
    OfferPlan plan_;
};

}  // namespace

OfferPlan plan_offer(const Policy& policy, const OfferWish& wish, const Negotiated* current) {
    return Planner(policy, wish, current).run();
}

}  // namespace vmr::sdp
