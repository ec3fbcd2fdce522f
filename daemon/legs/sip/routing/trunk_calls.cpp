#include "daemon/legs/sip/routing/trunk_calls.hpp"

#include "daemon/legs/sip/message/uri.hpp"
#include "daemon/legs/sip/routing/caller.hpp"
#include "daemon/legs/sip/routing/precedence.hpp"

namespace vmr::sip {
namespace {

std::string bracketed(const std::string& host) {
    return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

std::string host_of(const std::string& proxy) {
    const std::optional<Uri> uri = parse_uri(proxy);
    return uri ? uri->host : std::string();
}

}  // namespace

std::string trunk_request_uri(const std::string& called, const TrunkSettings& settings,
                              const std::string& proxy) {
    if (called.starts_with("sip:") || called.starts_with("sips:")) {
        return called;
    }
    const std::optional<Uri> uri = parse_uri(proxy);
    const std::string transport = uri ? lower(parameter(uri->params, "transport")) : std::string();
    std::string host = settings.domain;
    if (host.empty() && uri) {
        host = bracketed(uri->host) + (uri->port == 0 ? "" : ":" + std::to_string(uri->port));
    }
    return (uri ? uri->scheme : "sip") + ":" + from_e164(called, settings) + "@" + host +
           (transport.empty() ? "" : ";transport=" + transport) + ";user=phone";
}

void by_trunk(Invite& invite, const TrunkConfig& trunk, const std::string& caller) {
    const TrunkSettings& settings = trunk.settings;
    const std::string number = normalise_number(caller);
    if (!number.empty()) {
        invite.from_user = from_e164(number, settings);
    } else if (trunk.account.given()) {
        invite.from_user = trunk.account.user;
    }
    if (!settings.domain.empty()) {
        invite.from_host = settings.domain;
    } else if (trunk.account.given()) {
        invite.from_host = host_of(settings.proxies.front());
    } else if (!settings.contact_host.empty()) {
        invite.from_host = settings.contact_host;
    }
    if (trunk.account.given()) {
        invite.identity = trunk.account;
    }
    if (!settings.contact_host.empty()) {
        invite.contact_host = settings.contact_host;
    }
    invite.terms = dialog_terms(settings);
    invite.dscp = marking(settings.dscp_signalling, rank_of(settings.precedence).value_or(0));
    if (settings.caller_header != CallerHeader::none) {
        const bool asserted = settings.caller_header == CallerHeader::asserted;
        const std::string host = invite.from_host.empty() ? "anonymous.invalid" : bracketed(invite.from_host);
        invite.headers.push_back(
            {asserted ? "P-Asserted-Identity" : "P-Preferred-Identity",
             "<sip:" + invite.from_user + "@" + host + (number.empty() ? ">" : ";user=phone>")});
    }
    if (settings.hide_caller) {  // RFC 3323 section 4.1.1.3
        invite.headers.push_back({"Privacy", "id"});
        invite.from_name = "Anonymous";
        invite.from_user = "anonymous";
        invite.from_host = "anonymous.invalid";
    }
    if (!settings.precedence.empty()) {
        invite.headers.push_back({"Resource-Priority", settings.precedence});
        if (settings.require_precedence) {
            invite.require.emplace_back(kResourcePriority);
        }
    }
}

DialogTerms dialog_terms(const TrunkSettings& settings) {
    DialogTerms terms;
    terms.reliable = settings.reliable;
    terms.session_expires = static_cast<std::uint32_t>(settings.session_expires);
    terms.min_se = static_cast<std::uint32_t>(settings.min_se);
    terms.precedence = !settings.namespaces.empty();
    return terms;
}

}  // namespace vmr::sip
