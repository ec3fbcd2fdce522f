// Answers an offer: RFC 3264 section 6, RFC 8843 section 7.3 (BUNDLE), RFC 8643 (best-effort SRTP).
#include <algorithm>
#include <tuple>

#include "daemon/sdp/codec_choice.hpp"
#include "daemon/sdp/payload_numbers.hpp"
#include "daemon/sdp/plan_parts.hpp"

namespace vmr::sdp {

namespace {

constexpr std::size_t kNoBundle = static_cast<std::size_t>(-1);

// What one m-line could become, were it accepted.
struct Prospect {
    std::size_t index = 0;
    std::optional<Keying> keying;
    std::optional<CodecPlan> codec;
    bool ice = false;
    bool viable() const { return keying && codec; }
};

class Answerer {
public:
    Answerer(const Session& offer, const Policy& policy, const Negotiated* previous)
        : offer_(offer), policy_(policy), previous_(previous) {}

    Outcome<Negotiated> run() {
        // RFC 3264 section 8: m-lines are switched off, never taken away.
        if (previous_ != nullptr && offer_.media.size() < previous_->media.size()) {
            return Refusal{Refusal::Reason::malformed, "the offer has fewer m-lines than the one before"};
        }
        result_.kind = policy_.kind;
        result_.extmap_allow_mixed = offer_.extmap_allow_mixed;
        assign_bundles();
        describe_media();
        for (const auto kind : {MediaKind::audio, MediaKind::video}) {
            accept_best(kind, Role::main);
        }
        accept_best(MediaKind::video, Role::content);
        accept_best(MediaKind::camera, Role::main);
        accept_floor();
        if (std::none_of(result_.media.begin(), result_.media.end(),
                         [](const auto& m) { return m.accepted && m.kind != MediaKind::camera; })) {
            return refusal();
        }
        build_transports();
        relate_to_previous(result_, previous_, false);
        share_bandwidth(result_, offer_);
        conclude(result_);
        return std::move(result_);
    }

private:
    // bundle_source_[i]: the m-line whose transport attributes hold for m-line i; kNoBundle when it stands
    // alone.
    void assign_bundles() {
        bundle_source_.assign(offer_.media.size(), kNoBundle);
        for (const auto& group : offer_.bundle_groups) {
            std::vector<std::size_t> members;
            for (const auto& mid : group) {
                const auto found = std::find_if(offer_.media.begin(), offer_.media.end(),
                                                [&](const Media& m) { return m.mid == mid; });
                const auto index = static_cast<std::size_t>(found - offer_.media.begin());
                if (found != offer_.media.end() && bundle_source_[index] == kNoBundle) {
                    members.push_back(index);
                }
            }
            // The first with a port and RTP carries the transport; BUNDLE without rtcp-mux is none
            // (section 9.2).
            const auto source = std::find_if(members.begin(), members.end(), [&](std::size_t index) {
                return offer_.media[index].port != 0 && offer_.media[index].proto != Proto::other;
            });
            if (source == members.end() || !offer_.media[*source].rtcp_mux) {
                continue;
            }
            // One transport has one keying: a member of another profile would pass as what it is not.
            for (const auto index : members) {
                if (offer_.media[index].proto == offer_.media[*source].proto) {
                    bundle_source_[index] = *source;
                }
            }
        }
    }

    const Media& source_of(std::size_t index) const {
        return offer_.media[bundle_source_[index] == kNoBundle ? index : bundle_source_[index]];
    }

    void describe_media() {
        std::size_t videos = 0;
        for (std::size_t i = 0; i < offer_.media.size(); ++i) {
            const auto& media = offer_.media[i];
            auto& plan = result_.media.emplace_back();
            const auto* before =
                previous_ != nullptr && i < previous_->media.size() ? &previous_->media[i] : nullptr;
            plan.index = i;
            plan.kind = media.kind;
            plan.mid = media.mid;
            plan.proto = media.proto;
            plan.kind_name = media.kind_name;
            plan.proto_name = media.proto_name;
            plan.format_names = media.format_names;
            plan.label = media.label;
            plan.content = media.content;
            videos += media.kind == MediaKind::video ? 1 : 0;
            // Browsers do not write a=content: their second video is the content by agreement.
            const bool content = policy_.kind == LegKind::webrtc ? videos == 2 : is_content(i);
            plan.role = media.kind == MediaKind::video && content ? Role::content : Role::main;
            if (before != nullptr && media.disabled() && media.kind_name == before->kind_name) {
                plan.kind = before->kind;  // what is switched off need not say what it was
                plan.role = before->role;
            }
            note_numbers(plan, before, media, nullptr);
        }
    }

    // By its a=content (RFC 4796), or because a floor is of it (RFC 8856 section 5): not of a picture that is
    // the only one. What was the content stays it, should the floor go.
    bool is_content(std::size_t index) const {
        const auto& media = offer_.media[index];
        if (!media.content.empty()) {
            return media.content == "slides";
        }
        if (previous_ != nullptr && index < previous_->media.size() && previous_->media[index].accepted) {
            return previous_->media[index].role == Role::content;
        }
        const auto pictures = std::ranges::count(offer_.media, MediaKind::video, &Media::kind);
        return pictures > 1 && !media.label.empty() &&
               std::ranges::any_of(offer_.media, [&](const Media& other) {
                   return floor_of(other) && other.floor.client && other.floor.stream == media.label;
               });
    }

    bool wanted(const MediaPlan& plan) const {
        if (plan.kind == MediaKind::camera) {
            return policy_.far_end_camera && policy_.kind == LegKind::sip;
        }
        return plan.kind == MediaKind::audio || (plan.kind == MediaKind::video && policy_.video &&
                                                 (plan.role == Role::main || policy_.content));
    }

    bool was_accepted(std::size_t index) const {
        return previous_ != nullptr && index < previous_->media.size() && previous_->media[index].accepted;
    }

    static std::ptrdiff_t offered_at(const Media& media, Codec codec) {
        const auto found =
            std::find_if(media.formats.begin(), media.formats.end(),
                         [&](const Format& format) { return codec_of(format, media.kind) == codec; });
        return found - media.formats.begin();
    }

    // The codec in use stays first while the peer still offers it: a re-offer is no reason for a new encoder.
    std::vector<Codec> preference(const MediaPlan& plan) const {
        auto list = codecs_of(plan.kind, policy_);
        if (policy_.kind == LegKind::webrtc) {
            // Browsers' pages choose by the order of the offer (RFC 3264 section 6.1, setCodecPreferences).
            const auto& offered = offer_.media[plan.index];
            std::stable_sort(list.begin(), list.end(), [&](Codec one, Codec other) {
                return offered_at(offered, one) < offered_at(offered, other);
            });
        }
        if (was_accepted(plan.index) && !previous_->media[plan.index].codecs.empty()) {
            const auto current = previous_->media[plan.index].codecs.front().codec;
            const auto found = std::find(list.begin(), list.end(), current);
            if (found != list.end()) {
                std::rotate(list.begin(), found, found + 1);
            }
        }
        return list;
    }

    Prospect consider(const MediaPlan& plan) {
        const auto& media = offer_.media[plan.index];
        const auto& source = source_of(plan.index);
        Prospect prospect;
        prospect.index = plan.index;
        prospect.ice = uses_ice(source, policy_);
        if (policy_.kind == LegKind::webrtc && (!prospect.ice || !source.rtcp_mux)) {
            no_ice_ = true;
            return prospect;
        }
        prospect.codec = choose_codec(media, preference(plan));
        if (media.proto != Proto::other && prospect.codec) {
            prospect.keying = choose_keying(source, policy_, kept_dtls_role(previous_, plan.index));
            encryption_missing_ |= !prospect.keying;
        }
        return prospect;
    }

    // Several m-lines of one kind and role are alternatives (RTP/SAVP beside RTP/AVP): the best protected one
    // is taken, then the one in use, then the first.
    void accept_best(MediaKind kind, Role role) {
        std::optional<Prospect> best;
        const auto rank = [this](const Prospect& p) {
            const bool protects = p.keying->kind != KeyManagement::none;
            const bool plain_wanted = policy_.encryption == Encryption::off;
            return std::tuple(p.keying->counts_as_encrypted != plain_wanted, protects != plain_wanted,
                              was_accepted(p.index));
        };
        for (const auto& plan : result_.media) {
            const auto& media = offer_.media[plan.index];
            const bool alive =
                media.port != 0 || (media.bundle_only && bundle_source_[plan.index] != kNoBundle);
            if (plan.kind != kind || plan.role != role || !alive || !wanted(plan)) {
                continue;
            }
            auto prospect = consider(plan);
            // Not in the clear beside what is not.
            const bool exposed = kind == MediaKind::camera && prospect.keying &&
                                 prospect.keying->kind == KeyManagement::none &&
                                 std::ranges::any_of(accepted_, [](const Prospect& other) {
                                     return other.keying->kind != KeyManagement::none;
                                 });
            if (prospect.viable() && !exposed && (!best || rank(prospect) > rank(*best))) {
                best = std::move(prospect);
            }
        }
        if (best) {
            accept(*best);
        }
    }

    // The server's part is ours; a peer that would only be the server itself gets no floor control.
    void accept_floor() {
        const auto content = std::ranges::find_if(
            result_.media, [](const auto& m) { return m.accepted && m.role == Role::content; });
        if (!policy_.floor || policy_.kind != LegKind::sip || content == result_.media.end()) {
            return;
        }
        for (const auto& media : offer_.media) {
            if (auto floor = floor_of(media); floor && media.floor.client) {
                if (content->label.empty()) {
                    content->label = media.floor.stream.empty() ? kContentLabel : media.floor.stream;
                }
                floor->index = static_cast<std::size_t>(&media - offer_.media.data());
                floor->stream = content->label;
                result_.floor = std::move(floor);
                return;
            }
        }
    }

    void accept(const Prospect& prospect) {
        const auto& media = offer_.media[prospect.index];
        auto& plan = result_.media[prospect.index];
        plan.accepted = true;
        plan.codecs = {*prospect.codec};
        if (plan.kind == MediaKind::audio) {
            plan.dtmf = choose_dtmf(media, *prospect.codec);
        }
        if (policy_.kind == LegKind::webrtc) {
            plan.fec = choose_fec(media, prospect.codec->rtx_receive_pt.has_value());
        }
        if (const auto* format = media.format(prospect.codec->receive_pt)) {
            plan.feedback = format->feedback;
        }
        // Sound goes past rtpbin, which counts for congestion control: to its reports it would be lost.
        plan.feedback.transport_cc &= plan.kind == MediaKind::video;
        plan.extmaps = choose_extmaps(media, plan.feedback.transport_cc);
        plan.feedback.transport_cc = plan.extmaps.transport_cc != 0;
        fill_from_remote(plan, media, policy_, Direction::sendrecv);
        accepted_.push_back(prospect);
    }

    void build_transports() {
        std::sort(accepted_.begin(), accepted_.end(), [](auto& a, auto& b) { return a.index < b.index; });
        std::vector<std::size_t> sources;  // of each transport
        for (const auto& prospect : accepted_) {
            const bool bundled = bundle_source_[prospect.index] != kNoBundle;
            const auto source = bundled ? bundle_source_[prospect.index] : prospect.index;
            auto at =
                static_cast<std::size_t>(std::find(sources.begin(), sources.end(), source) - sources.begin());
            if (at == sources.size()) {
                const auto& media = offer_.media[source];
                result_.transports.push_back(
                    make_transport(media, *prospect.keying, prospect.ice, media.rtcp_mux));
                if (prospect.ice) {
                    // The offerer controls, unless only we can (RFC 8445 section 6.1.1).
                    result_.transports.back().ice->controlling = media.ice.lite;
                }
                sources.push_back(source);
            }
            result_.transports[at].media.push_back(prospect.index);
            result_.transports[at].bundled = bundled;
            result_.media[prospect.index].transport = at;
            result_.bundle |= bundled;
        }
    }

    Refusal refusal() const {
        if (encryption_missing_) {
            return {Refusal::Reason::encryption_required, "no m-line is protected as the policy asks"};
        }
        if (no_ice_) {
            return {Refusal::Reason::malformed, "WebRTC media without ICE and rtcp-mux"};
        }
        return {Refusal::Reason::no_common_codec, "no m-line with a codec of ours"};
    }

    const Session& offer_;
    const Policy& policy_;
    const Negotiated* previous_;
    Negotiated result_;
    std::vector<std::size_t> bundle_source_;
    std::vector<Prospect> accepted_;
    bool encryption_missing_ = false;
    bool no_ice_ = false;
};

}  // namespace

Outcome<Negotiated> answer(const Session& offer, const Policy& policy, const Negotiated* previous) {
    return Answerer(offer, policy, previous).run();
}

}  // namespace vmr::sdp
