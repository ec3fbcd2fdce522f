#include "daemon/legs/sip/routing/arrival.hpp"

#include <algorithm>
#include <array>
#include <string_view>

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

}  // namespace

std::optional<Reply> early_answer(const Message& request) {
    if (std::optional<Reply> answer = method_answer(request.method); answer && answer->status >= 300) {
        return answer;
    }
    if (request.uri.scheme != "sip" && request.uri.scheme != "sips" && request.uri.scheme != "tel") {
        return Reply{.status = 416};
    }
    std::string unsupported;
    for (const std::string& option : request.values("require")) {
        constexpr std::array<std::string_view, 5> kKnown{"100rel", "timer", "replaces", "norefersub",
                                                         "tdialog"};
        if (std::ranges::none_of(kKnown, [&](auto known) { return equal_nocase(option, known); })) {
            unsupported += (unsupported.empty() ? "" : ", ") + option;
        }
    }
    if (!unsupported.empty()) {
        return Reply{.status = 420, .headers = {{"Unsupported", unsupported}}};
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

Arrival describe(const Message& invite, const Trunks::Match& match, const std::string& leg) {
    Arrival arrival;
    arrival.leg = leg;
    const bool phone = match.kind == Trunks::Match::Kind::trunk;
    arrival.kind = phone ? LegKind::phone : LegKind::sip;
    if (phone) {
        arrival.alias = match.alias;
        arrival.ask_meeting_number = match.alias.empty();
        arrival.trunk = match.trunk->name;
        arrival.caller = trunk_caller(invite);
    } else {
        arrival.alias = lower(printable(invite.uri.user.empty() ? invite.to.uri.user : invite.uri.user));
        arrival.caller = printable(invite.from.uri.user + "@" + invite.from.uri.host);
    }
    arrival.trusted = phone || !invite.flow.peer_certificate.empty();
    arrival.display_name = printable(invite.from.display);
    arrival.remote_address = invite.flow.remote.text();
    if (const std::string* agent = invite.header("user-agent")) {
        arrival.user_agent = printable(agent->substr(0, 256));
    }
    arrival.signalling = invite.flow.protection;
    return arrival;
}

}  // namespace vmr::sip
