// Applies the answer to an offer of ours: RFC 3264 section 7.
#include <algorithm>

#include "daemon/sdp/codec_choice.hpp"
#include "daemon/sdp/payload_numbers.hpp"
#include "daemon/sdp/plan_parts.hpp"

namespace vmr::sdp {

namespace {

Refusal malformed(std::string detail) {
    return {Refusal::Reason::malformed, std::move(detail)};
}
Refusal unprotected(std::string detail) {
    return {Refusal::Reason::encryption_required, std::move(detail)};
}

class Applier {
public:
    Applier(const OfferPlan& offer, const LocalParams& local, const Session& answer,
            const Negotiated* previous)
        : offer_(offer), local_(local), answer_(answer), previous_(previous) {}

    Outcome<Negotiated> run() {
        if (answer_.media.size() != offer_.media.size()) {
            return malformed("the answer's m-lines are not the offer's");
        }
        result_.kind = offer_.policy.kind;
        owner_.assign(offer_.transports.size(), kNone);
        bool accepted = false;
        for (std::size_t i = 0; i < offer_.media.size(); ++i) {
            if (auto problem = apply(i)) {
                return *problem;
            }
            accepted |= result_.media.back().accepted;
        }
        leave_exposed_camera();
        if (!accepted) {
            return Refusal{Refusal::Reason::no_common_codec, "the answer takes no m-line"};
        }
        relate_to_previous(result_, previous_, true);
        if (changes_what_is_in_use()) {
            return malformed("the answer leaves what the call is protected or reached by");
        }
        share_bandwidth(result_, answer_);
        conclude(result_);
        return std::move(result_);
    }

private:
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

    // Not in the clear beside what is not.
    void leave_exposed_camera() {
        for (auto& plan : result_.media) {
            const bool exposed = plan.kind == MediaKind::camera && plan.accepted &&
                                 result_.transports[plan.transport].keying == KeyManagement::none &&
                                 std::ranges::any_of(result_.transports, [](const auto& other) {
                                     return other.keying != KeyManagement::none;
                                 });
            if (exposed) {
                plan.accepted = false;
                leave_transport(plan.transport, plan.index);
            }
        }
    }

    void leave_transport(std::size_t transport, std::size_t media) {
        std::erase(result_.transports[transport].media, media);
        if (!result_.transports[transport].media.empty()) {
            return;
        }
        result_.transports.erase(result_.transports.begin() + static_cast<std::ptrdiff_t>(transport));
        for (auto& plan : result_.media) {
            plan.transport -= plan.accepted && plan.transport > transport ? 1 : 0;
        }
    }

    // We offered what was there: who answers with another kind of keys, or without ICE, breaks that.
    bool changes_what_is_in_use() const {
        return previous_ != nullptr && std::ranges::any_of(result_.transports, [&](const auto& now) {
                   return now.is_new && std::ranges::any_of(previous_->transports, [&](const auto& before) {
                              return before.id == now.id;
                          });
               });
    }

    bool bundled(const Media& media) const {
        return offer_.bundle && !media.mid.empty() &&
               std::any_of(answer_.bundle_groups.begin(), answer_.bundle_groups.end(),
                           [&](const auto& group) {
                               return std::find(group.begin(), group.end(), media.mid) != group.end();
                           });
    }

    std::optional<Refusal> apply(std::size_t i) {
        const auto& ours = offer_.media[i];
        const auto& media = answer_.media[i];
        auto& plan = result_.media.emplace_back();
        plan.index = i;
        plan.kind = ours.kind;
        plan.role = ours.role;
        plan.mid = ours.mid;
        plan.proto = ours.proto;
        plan.kind_name = ours.kind_name;
        plan.proto_name = ours.proto_name;
        plan.format_names = media.format_names;
        plan.label = ours.label;
        note_numbers(plan,
                     previous_ != nullptr && i < previous_->media.size() ? &previous_->media[i] : nullptr,
                     media, &ours);
        if (media.kind_name != ours.kind_name || (!media.mid.empty() && media.mid != ours.mid)) {
            return malformed("an m-line of the answer is of another kind");
        }
        if (offer_.floor && local_.floor && offer_.floor->index == i) {
            if (auto floor = floor_of(media)) {
                floor->index = i;
                floor->stream = offer_.floor->stream;
                result_.floor = std::move(floor);
            }
            return std::nullopt;
        }
        if (!ours.enabled || media.disabled()) {
            return std::nullopt;
        }
        if (media.proto == Proto::other) {
            return malformed("an m-line of the answer is no RTP");
        }
        plan.content = media.content;
        match_formats(plan, ours, media);
        if (plan.codecs.empty()) {
            return std::nullopt;  // taken, but with nothing that we offered: no media flows
        }
        plan.accepted = true;
        fill_from_remote(plan, media, offer_.policy, ours.direction);
        plan.max_receive_bitrate = ours.max_receive_bitrate;
        return attach(plan, ours, media);
    }

    static void match_formats(MediaPlan& plan, const OfferMedia& ours, const Media& media) {
        for (const auto& format : media.formats) {
            const auto codec = std::ranges::find_if(
                ours.codecs, [&](const CodecPlan& c) { return is_answer_to(c, format, media.kind); });
            if (codec != ours.codecs.end()) {
                auto& taken = plan.codecs.emplace_back(*codec);
                taken.send_pt = format.pt;
                take_remote(taken, format);
                taken.rtx_send_pt = codec->rtx_receive_pt ? rtx_for(media, format.pt) : std::nullopt;
            }
            for (const auto& dtmf : ours.dtmf) {
                if (is_telephone_event(format) && format.clock_rate == dtmf.clock_rate) {
                    plan.dtmf.push_back({format.pt, dtmf.receive_pt, dtmf.clock_rate});
                }
            }
        }
        if (plan.codecs.empty()) {
            return;
        }
        expect_own_numbers(plan, ours);
        if (ours.fec) {
            match_fec(plan, *ours.fec, media);
        }
        const auto& theirs = media.format(plan.codecs.front().send_pt)->feedback;
        plan.feedback = {.nack = ours.feedback.nack && theirs.nack,
                         .nack_pli = ours.feedback.nack_pli && theirs.nack_pli,
                         .ccm_fir = ours.feedback.ccm_fir && theirs.ccm_fir,
                         .transport_cc = ours.feedback.transport_cc && theirs.transport_cc,
                         .goog_remb = ours.feedback.goog_remb && theirs.goog_remb,
                         .ccm_tmmbr = ours.feedback.ccm_tmmbr && theirs.ccm_tmmbr};
        const auto extmaps = choose_extmaps(media, plan.feedback.transport_cc);
        plan.extmaps.mid = ours.extmaps.mid == extmaps.mid ? extmaps.mid : 0;
        plan.extmaps.audio_level = ours.extmaps.audio_level == extmaps.audio_level ? extmaps.audio_level : 0;
        plan.extmaps.transport_cc =
            ours.extmaps.transport_cc == extmaps.transport_cc ? extmaps.transport_cc : 0;
        plan.feedback.transport_cc = plan.extmaps.transport_cc != 0;
    }

    // Who leaves out what tells one format of ours from another (packetization-mode) sends with the number
    // that its answer has, whichever of ours it is taken for.
    static void expect_own_numbers(MediaPlan& plan, const OfferMedia& ours) {
        const std::size_t answered = plan.codecs.size();
        for (std::size_t i = 0; i < answered; ++i) {
            const auto number = plan.codecs[i].send_pt;
            const auto offered = std::ranges::find(ours.codecs, number, &CodecPlan::receive_pt);
            if (offered != ours.codecs.end() && offered->codec == plan.codecs[i].codec &&
                std::ranges::find(plan.codecs, number, &CodecPlan::receive_pt) == plan.codecs.end()) {
                auto& expected = plan.codecs.emplace_back(*offered);
                expected.send_pt = number;
                expected.remote_fmtp = plan.codecs[i].remote_fmtp;
            }
        }
    }

    static void match_fec(MediaPlan& plan, const FecPlan& ours, const Media& media) {
        plan.fec = choose_fec(media, ours.rtx_receive_pt && plan.codecs.front().rtx_send_pt);
        if (plan.fec) {
            plan.fec->red_receive_pt = ours.red_receive_pt;
            plan.fec->ulpfec_receive_pt = ours.ulpfec_receive_pt;
            plan.fec->rtx_receive_pt = plan.fec->rtx_send_pt ? ours.rtx_receive_pt : std::nullopt;
        }
    }

    // Puts the m-line on its transport: that of the bundle, or one of its own.
    std::optional<Refusal> attach(MediaPlan& plan, const OfferMedia& ours, const Media& media) {
        const auto& offered = offer_.transports[ours.transport];
        const bool in_bundle = bundled(media);
        if (auto& owner = owner_[ours.transport]; owner != kNone) {
            if (!in_bundle) {
                return malformed("the answer leaves the bundle that was agreed");
            }
            plan.transport = owner;
            result_.transports[owner].media.push_back(plan.index);
            return std::nullopt;
        }
        Keying keying;
        if (auto problem = choose_keys(ours, offered, media, keying)) {
            return problem;
        }
        Policy policy = offer_.policy;
        policy.ice = offered.ice;
        const bool ice = offered.ice && uses_ice(media, policy);
        auto transport = make_transport(media, keying, ice, offered.rtcp_mux && media.rtcp_mux);
        transport.id = offered.id;
        transport.bundled = in_bundle;
        transport.media = {plan.index};
        if (transport.ice) {
            transport.ice->controlling = true;
        }
        plan.transport = owner_[ours.transport] = result_.transports.size();
        result_.bundle |= in_bundle;
        result_.transports.push_back(std::move(transport));
        return std::nullopt;
    }

    std::optional<Refusal> choose_keys(const OfferMedia& ours, const OfferTransport& offered,
                                       const Media& media, Keying& keying) const {
        if (offered.keying == KeyManagement::dtls) {
            if (media.fingerprints.empty() || media.setup == Setup::holdconn) {
                return unprotected("the answer has no usable fingerprint");
            }
            keying.kind = KeyManagement::dtls;
            keying.dtls.remote_fingerprints = media.fingerprints;
            keying.dtls.tls_id = media.tls_id;
            keying.dtls.min_key_bits = offer_.policy.min_key_bits;
            // Who answers actpass, or nothing, is wrong (RFC 5763 section 5) and takes the client's part
            // mostly.
            keying.dtls.local_setup = media.setup == Setup::passive ? Setup::active : Setup::passive;
            keying.counts_as_encrypted = dtls_counts(offer_.policy);
        } else if (offered.keying == KeyManagement::sdes && !media.cryptos.empty()) {
            if (!take_crypto(offered, media.cryptos.front(), keying)) {
                return unprotected("the answer's a=crypto is none that was offered");
            }
        } else if (is_secure(ours.proto) || is_secure(media.proto)) {
            return unprotected("the answer has no a=crypto");
        }
        if (offer_.policy.encryption == Encryption::required && !keying.counts_as_encrypted) {
            return unprotected("the answer is not protected as the policy asks");
        }
        return std::nullopt;
    }

    bool take_crypto(const OfferTransport& offered, const Crypto& crypto, Keying& keying) const {
        const auto transport = std::find_if(local_.transports.begin(), local_.transports.end(),
                                            [&](const LocalTransport& t) { return t.id == offered.id; });
        const bool known =
            transport != local_.transports.end() &&
            std::any_of(transport->crypto.begin(), transport->crypto.end(),
                        [&](const auto& own) { return own.tag == crypto.tag && own.suite == crypto.suite; });
        if (!crypto.usable || !known) {
            return false;
        }
        keying.kind = KeyManagement::sdes;
        keying.sdes = {crypto.tag, crypto.suite, crypto.suite_name, crypto.key, offered.mki};
        keying.counts_as_encrypted = sdes_counts(crypto.suite, offer_.policy);
        return true;
    }

    const OfferPlan& offer_;
    const LocalParams& local_;
    const Session& answer_;
    const Negotiated* previous_;
    Negotiated result_;
    std::vector<std::size_t> owner_;  // by offered transport: the one in result_ that came of it
};

}  // namespace

Outcome<Negotiated> apply_answer(const OfferPlan& plan, const LocalParams& local, const Session& answer,
                                 const Negotiated* previous) {
    return Applier(plan, local, answer, previous).run();
}

}  // namespace vmr::sdp
