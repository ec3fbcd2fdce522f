#include "daemon/legs/sip/routing/arrival.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "daemon/legs/sip/message/uri.hpp"
#include "daemon/legs/sip/routing/caller.hpp"
#include "daemon/legs/sip/routing/precedence.hpp"

namespace vmr::sip {
namespace {

std::string printable(std::string text) {
    std::erase_if(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
    return text;
}

std::optional<Reply> method_answer(const std::string& method) {
    if (method == "INVITE" || method == "SUBSCRIBE") {
        return std::nullopt;
    }
    if (method == "OPTIONS") {
        return Reply{
            .headers = {{"Allow", kAllow}, {"Accept", "application/sdp"}, {"Supported", kSupported}}};
    }
    for (const std::string_view known : {"BYE", "UPDATE", "PRACK", "INFO"}) {
        if (method == known) {
            return Reply{.status = 481};
        }
    }
    // Known to exist, not ours: 405; unknown: 501 (sections 8.2.1 and 21.5.2).
    constexpr std::array<std::string_view, 5> kOthers{"MESSAGE", "NOTIFY", "PUBLISH", "REFER", "REGISTER"};
    const bool other = std::find(kOthers.begin(), kOthers.end(), method) != kOthers.end();
    return Reply{.status = other ? 405 : 501, .headers = {{"Allow", kAllow}}};
}

bool takes_sdp(const Message& invite) {
    const std::vector<std::string> types = invite.values("accept");
    return invite.header("accept") == nullptr ||
           std::any_of(types.begin(), types.end(), [](const std::string& type) {
               const std::string bare = lower(trim(std::string_view(type).substr(0, type.find(';'))));
               return bare == "application/sdp" || bare == "application/*" || bare == "*/*";
           });
}

// Section 8.1.1.8. RFC 2543 did not ask for a Contact: its clients are reached at their From, along their
// flow.
bool has_target(const Message& invite) {
    const Uri* target = &invite.from.uri;
    if (!invite.contacts.empty()) {
        target = &invite.contacts.front().uri;
    } else if (invite.has_unique_branch() || invite.header("contact") != nullptr) {
        return false;
    }
    return target->scheme == "sip" || target->scheme == "sips";
}

void describe_trunk_call(const Message& invite, const Trunks::Match& match, const std::string& salt,
                         Arrival& arrival) {
    const TrunkSettings& settings = match.trunk->settings;
    TrunkCaller caller = trunk_caller(invite, settings);
    arrival.kind = settings.video ? LegKind::sip : LegKind::phone;
    arrival.alias = match.alias;
    arrival.ask_meeting_number = match.alias.empty();
    arrival.trunk = match.trunk->name;
    arrival.withheld = caller.withheld;
    arrival.verification = caller.verification;
    arrival.identity = caller.identity;
    arrival.terms = media_terms(settings, precedence_of(invite, settings));
    if (caller.withheld) {
        arrival.display_name.clear();
    }
    arrival.caller = caller.withheld && !settings.withheld_in_record
                         ? "anonymous-" + hash_hex("SHA-256", salt + caller.number).substr(0, 8)
                         : caller.number;
    if (caller.withheld && !settings.withheld_in_record) {
        arrival.identity.clear();  // the number stands in it
    }
}

}  // namespace

std::optional<Reply> early_answer(const Message& request, bool precedence) {
    if (std::optional<Reply> answer = method_answer(request.method); answer && answer->status >= 300) {
        return answer;
    }
    if (request.uri.scheme != "sip" && request.uri.scheme != "sips" && request.uri.scheme != "tel") {
        return Reply{.status = 416};
    }
    if (std::optional<Reply> refusal = refusal_of_required(request, precedence)) {
        return refusal;
    }
    if (std::optional<Reply> answer = method_answer(request.method)) {
        return answer;
    }
    if (!has_target(request)) {
        return Reply{.status = 400, .reason = "Missing Or Unusable Contact"};
    }
    if (request.method == "SUBSCRIBE") {
        return std::nullopt;
    }
    if (!takes_sdp(request)) {
        return Reply{.status = 406, .headers = {{"Accept", "application/sdp"}}};
    }
    const std::string* encoding = request.header("content-encoding");
    if (!request.body.empty() && (request.content_type != "application/sdp" ||
                                  (encoding != nullptr && !equal_nocase(*encoding, "identity")))) {
        return Reply{.status = 415,
                     .headers = {{"Accept", "application/sdp"}, {"Accept-Encoding", "identity"}}};
    }
    return std::nullopt;
}

// Verified, and one of those that the trunk's servers have.
bool is_peer(const Flow& flow, const TrunkSettings& settings) {
    std::vector<std::string> names = settings.peer_names;
    for (const std::string& proxy : settings.proxies) {
        const std::optional<Uri> uri = settings.peer_names.empty() ? parse_uri(proxy) : std::nullopt;
        if (uri) {
            names.push_back(uri->host);
        }
    }
    return !flow.peer_certificate.empty() && std::ranges::any_of(names, [&flow](const std::string& name) {
        return std::ranges::any_of(flow.peer_domains,
                                   [&name](const std::string& domain) { return equal_nocase(domain, name); });
    });
}

std::optional<Reply> trunk_refusal(const Message& invite, const TrunkSettings& settings) {
    if (settings.tls && invite.flow.transport != Transport::tls) {
        return Reply{.status = 403, .reason = "TLS Required"};
    }
    if (settings.mutual_tls && !is_peer(invite.flow, settings)) {
        return Reply{.status = 403, .reason = "Client Certificate Required"};
    }
    if (settings.reliable == Reliable::required && !invite.has_token("supported", "100rel") &&
        !invite.has_token("require", "100rel")) {
        return Reply{.status = 421, .reason = "Extension Required", .headers = {{"Require", "100rel"}}};
    }
    return std::nullopt;
}

MediaTerms media_terms(const TrunkSettings& settings, int rank) {
    MediaTerms terms;
    terms.srtp_required = settings.srtp == SrtpUse::required;
    terms.srtp_suites = settings.srtp_suites;
    terms.audio_codecs = settings.audio_codecs;
    terms.ice_lite = settings.ice == IceUse::lite;
    terms.hold_inactive = settings.hold == HoldBy::inactive;
    terms.audio_dscp = marking(settings.dscp_audio, rank);
    terms.video_dscp = marking(settings.dscp_video, rank);
    return terms;
}

Arrival describe(const Message& invite, const Trunks::Match& match, const std::string& leg,
                 const std::string& salt) {
    Arrival arrival;
    arrival.leg = leg;
    arrival.display_name = printable(invite.from.display);
    const bool by_trunk = match.kind == Trunks::Match::Kind::trunk;
    if (by_trunk) {
        describe_trunk_call(invite, match, salt, arrival);
    } else {
        arrival.alias = lower(printable(invite.uri.user.empty() ? invite.to.uri.user : invite.uri.user));
        arrival.caller = printable(invite.from.uri.user + "@" + invite.from.uri.host);
    }
    // An authority of ours vouches for clients that connect here; the public ones do for anybody whom we
    // call.
    arrival.trusted = by_trunk || (!invite.flow.opened_by_us && !invite.flow.peer_certificate.empty());
    arrival.remote_address = invite.flow.remote.text();
    if (const std::string* agent = invite.header("user-agent")) {
        arrival.user_agent = printable(agent->substr(0, 256));
    }
    arrival.signalling = invite.flow.protection;
    return arrival;
}

}  // namespace vmr::sip
