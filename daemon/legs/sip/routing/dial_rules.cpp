#include "daemon/legs/sip/routing/dial_rules.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <optional>
#include <utility>

#include "daemon/legs/sip/message/uri.hpp"
#include "daemon/legs/sip/network/resolver.hpp"
#include "daemon/legs/sip/routing/arrival.hpp"
#include "daemon/legs/sip/routing/caller.hpp"
#include "daemon/legs/sip/routing/precedence.hpp"
#include "daemon/legs/sip/routing/trunk_calls.hpp"

namespace vmr::sip {
namespace {

constexpr std::size_t kMaxDialled = 256;

const Error kDenied{"calls to this address are not allowed"};

bool covers(const std::string& domain, const std::string& host) {
    if (domain.starts_with("*.")) {
        return host.size() > domain.size() - 1 && host.ends_with(domain.substr(1));
    }
    return domain == host;
}

// RFC 3261 section 25: unreserved characters and those that a user part may hold besides.
std::string escaped_user(const std::string& user) {
    std::string text;
    for (const unsigned char c : user) {
        if (std::isalnum(c) != 0 ||
            std::string_view("-_.!~*'()&=+$,/").find(static_cast<char>(c)) != std::string_view::npos) {
            text += static_cast<char>(c);
        } else {
            char code[4];
            std::snprintf(code, sizeof code, "%%%02X", c);
            text += code;
        }
    }
    return text;
}

std::string host_text(const Uri& uri) {
    const std::string host = uri.host.find(':') == std::string::npos ? uri.host : "[" + uri.host + "]";
    return uri.port == 0 ? host : host + ":" + std::to_string(uri.port);
}

std::string transport_text(const Uri& uri) {
    const std::string transport = lower(parameter(uri.params, "transport"));
    return transport.empty() ? transport : ";transport=" + transport;
}

// Written anew: of what a stranger gave only user, host, port and transport are left.
std::string rewritten(const Uri& uri) {
    const std::string user = uri.user.empty() ? std::string() : escaped_user(uri.user) + "@";
    return uri.scheme + ":" + user + host_text(uri) + transport_text(uri);
}

std::string plain(std::string text) {
    std::erase_if(text, [](unsigned char c) {
        return std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.' && c != '+';
    });
    return text.empty() ? "room" : text;
}

bool is_domain(const std::string& text) {
    return !text.empty() && text != "*" && text != "*." && text.find('*', 1) == std::string::npos;
}

void check(const DialRule& rule, std::size_t index, std::vector<ConfigFault>& faults) {
    const auto fault = [&](const std::string& key, const std::string& text) {
        faults.push_back({index, key, text});
    };
    if (rule.name == kDeviceRule) {
        fault("name", "stands for devices that register");
    }
    if (rule.domains.empty() && rule.prefixes.empty()) {
        fault("", "needs domains or prefixes");
    }
    for (std::size_t i = 0; i < rule.domains.size(); ++i) {
        if (!is_domain(rule.domains[i])) {
            fault("domains/" + std::to_string(i), "not a domain: " + rule.domains[i]);
        }
    }
    for (std::size_t i = 0; i < rule.prefixes.size(); ++i) {
        if (normalise_number(rule.prefixes[i]).empty()) {
            fault("prefixes/" + std::to_string(i), "not the beginning of a number: " + rule.prefixes[i]);
        }
    }
    const std::optional<Uri> gateway = parse_uri(rule.gateway);
    if (!rule.trunk.empty() && !rule.gateway.empty()) {
        fault("gateway", "either a trunk or a gateway");
    } else if (rule.trunk.empty() && !rule.prefixes.empty() &&
               (!gateway || !gateway->user.empty() || !destination_of(*gateway))) {
        fault("gateway", "numbers need a gateway: a SIP URI without a user");
    }
    const auto quotes = [](unsigned char c) { return c == '"' || c == '\\' || c < 0x20; };
    if (std::ranges::any_of(rule.identity.user, quotes)) {
        fault("username", "must be without quotes and control characters");
    }
}

// Bytes of `prefix` that begin `number`, which is as its trunk's settings have it in full: so is the prefix.
std::size_t covered(const std::string& number, const std::string& prefix, const TrunkSettings& settings) {
    const std::string full = to_e164(prefix, settings);
    if (full != "+" && number.starts_with(full)) {
        return full.size();
    }
    const bool digits = settings.number_format == NumberFormat::digits;
    return digits && number.starts_with("+" + prefix) ? prefix.size() + 1 : 0;
}

// What the trunk would take for another number, as +49 0… written nationally is 00…, gets past no prefix.
bool stays_itself(const std::string& number, const TrunkSettings& settings) {
    const std::string there = to_e164(from_e164(number, settings), settings);
    return !number.starts_with("+0") && (there == number || !there.starts_with("+"));
}

DialPlan by_rule(const DialRule& rule, LegKind kind, std::string shown, std::string uri) {
    DialPlan plan{kind, std::move(shown), std::move(uri), rule.name, rule.max_duration};
    plan.price = rule.price;
    return plan;
}

// `plan.uri` is what is called; each proxy makes a Request-URI of it.
DialPlan through(const TrunkConfig& trunk, DialPlan plan) {
    plan.kind = trunk.settings.video ? LegKind::sip : plan.kind;
    plan.trunk = trunk.name;
    plan.terms = media_terms(trunk.settings, rank_of(trunk.settings.precedence).value_or(0));
    return plan;
}

Result<DialPlan> by_rules_trunk(DialPlan plan, const DialRule& rule, const Trunks& trunks) {
    const TrunkConfig* trunk = trunks.find(rule.trunk);
    if (trunk == nullptr || trunk->settings.proxies.empty()) {
        return Error{"trunk " + rule.trunk + " has no proxies"};
    }
    return through(*trunk, std::move(plan));
}

}  // namespace

std::vector<ConfigFault> faults_of(const std::vector<DialRule>& rules) {
    std::vector<ConfigFault> faults;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        check(rules[i], i, faults);
    }
    return faults;
}

Result<DialRules> DialRules::make(DialConfig config) {
    if (const auto faults = faults_of(config.rules); !faults.empty()) {
        const ConfigFault& first = faults.front();
        return Error{"dial rule " + config.rules[first.index].name + ": " + first.key +
                     (first.key.empty() ? "" : ": ") + first.text};
    }
    for (DialRule& rule : config.rules) {
        std::ranges::transform(rule.domains, rule.domains.begin(), lower);
        std::ranges::transform(rule.prefixes, rule.prefixes.begin(), normalise_number);
    }
    DialRules rules;
    rules.config_ = std::move(config);
    return rules;
}

bool DialRules::is_gateway(const std::string& host, const Trunks& trunks) const {
    return trunks.is_proxy(host) || std::ranges::any_of(config_.rules, [&host](const DialRule& rule) {
               const std::optional<Uri> gateway = parse_uri(rule.gateway);
               return gateway && gateway->host == host;
           });
}

Result<DialPlan> DialRules::plan(const std::string& address, const Trunks& trunks) const {
    std::string_view text = trim(address);
    const bool printable = std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
    if (text.empty() || text.size() > kMaxDialled || !printable) {
        return Error{"not an address"};
    }
    // As people write them: a tel: URI has no spaces (RFC 3966).
    const bool tel = text.size() > 4 && equal_nocase(text.substr(0, 4), "tel:");
    const std::string bare = normalise_number(tel ? text.substr(4, text.find(';') - 4) : text);
    if (!bare.empty()) {
        return plan_number(bare, trunks);
    }
    const std::string_view head = text.substr(0, text.find_first_of(":@"));
    const bool scheme = head.size() < text.size() && text[head.size()] == ':';
    const std::optional<Uri> uri = parse_uri(scheme ? std::string(text) : "sip:" + std::string(text));
    if (!uri) {
        return Error{"not an address"};
    }
    if (uri->scheme != "sip" && uri->scheme != "sips") {
        return Error{"not a SIP or telephone address"};
    }
    return plan_uri(*uri, trunks);
}

Result<DialPlan> DialRules::plan_number(const std::string& number, const Trunks& trunks) const {
    const TrunkSettings as_dialled;  // a gateway's numbers are not known better
    const DialRule* best = nullptr;
    const TrunkSettings* settings = nullptr;
    std::string called;
    std::size_t length = 0;
    for (const DialRule& rule : config_.rules) {
        const TrunkConfig* trunk = rule.trunk.empty() ? nullptr : trunks.find(rule.trunk);
        const TrunkSettings& writes = trunk != nullptr ? trunk->settings : as_dialled;
        const std::string full = to_e164(number, writes);
        for (const std::string& prefix : rule.prefixes) {
            if (const std::size_t matched = covered(full, prefix, writes); matched > length) {
                best = &rule;
                settings = &writes;
                called = full;
                length = matched;
            }
        }
    }
    if (best == nullptr || !stays_itself(called, *settings)) {
        return kDenied;
    }
    if (!best->trunk.empty()) {
        return by_rules_trunk(by_rule(*best, LegKind::phone, called, called), *best, trunks);
    }
    const Uri gateway = *parse_uri(best->gateway);
    return by_rule(
        *best, LegKind::phone, number,
        gateway.scheme + ":" + number + "@" + host_text(gateway) + transport_text(gateway) + ";user=phone");
}

Result<DialPlan> DialRules::plan_uri(const Uri& uri, const Trunks& trunks) const {
    if (const Result<Destination> usable = destination_of(uri); !usable) {
        return Error{usable.error()};
    }
    // A number behind a gateway or a trunk is a number, however it is written: prefixes decide.
    const std::string number = normalise_number(uri.user.substr(0, uri.user.find(';')));
    if (is_gateway(uri.host, trunks)) {
        return number.empty() ? Result<DialPlan>(kDenied) : plan_number(number, trunks);
    }
    for (const DialRule& rule : config_.rules) {
        const bool allowed = std::ranges::any_of(
            rule.domains, [&uri](const std::string& domain) { return covers(domain, uri.host); });
        if (allowed && !rule.trunk.empty() && !number.empty()) {
            return plan_number(number, trunks);
        }
        if (allowed) {
            const std::string shown = uri.user.empty() ? uri.host : uri.user + "@" + uri.host;
            DialPlan plan = by_rule(rule, LegKind::sip, shown, rewritten(uri));
            return rule.trunk.empty() ? plan : by_rules_trunk(std::move(plan), rule, trunks);
        }
    }
    return kDenied;
}

std::optional<DialPlan> DialRules::plan_within(const TrunkConfig& trunk, const std::string& address) const {
    const std::optional<Uri> uri = parse_uri(address);
    if (!uri || uri->scheme != "sip" || !is_host_of(trunk.settings, uri->host)) {
        return std::nullopt;
    }
    const std::string user = uri->user.substr(0, uri->user.find(';'));
    const std::string number = normalise_number(user);
    const std::string shown = !number.empty() ? number : user.empty() ? uri->host : user + "@" + uri->host;
    const auto rule = std::ranges::find(config_.rules, trunk.name, &DialRule::trunk);
    const DialRule& terms = rule != config_.rules.end() ? *rule : DialRule();
    DialPlan plan = by_rule(terms, LegKind::phone, shown, address);
    for (const DialRule& priced : config_.rules) {
        if (rule == config_.rules.end() || priced.trunk == trunk.name) {
            plan.price = std::max(plan.price, priced.price);
        }
    }
    return through(trunk, std::move(plan));
}

Invite DialRules::invite(const Placement& placement, const std::string& contact_host,
                         const Trunks& trunks) const {
    Invite invite;
    invite.uri = placement.plan.uri;
    invite.from_name = placement.caller_name;
    invite.from_user = plain(placement.caller_alias);
    invite.from_host = config_.from_host;
    invite.contact_host = contact_host;
    invite.replaces = placement.replaces;
    invite.focus = placement.plan.kind == LegKind::sip;
    invite.ring_timeout = std::chrono::milliseconds(config_.ring_timeout).count();
    const auto rule = std::ranges::find(config_.rules, placement.plan.rule, &DialRule::name);
    if (rule != config_.rules.end()) {
        invite.from_user = rule->caller.empty() ? invite.from_user : plain(rule->caller);
        invite.identity = rule->identity;
        invite.late_offer = rule->late_offer;
    }
    if (const TrunkConfig* trunk = trunks.find(placement.plan.trunk)) {
        by_trunk(invite, *trunk, rule != config_.rules.end() ? rule->caller : "");
    }
    if (!placement.plan.referred_by.empty()) {
        invite.headers.push_back({"Referred-By", placement.plan.referred_by});
    }
    return invite;
}

}  // namespace vmr::sip
