// Who may be called, and how: domains and numbers that the configuration names, and nothing else (toll
// fraud). Pure.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/legs/leg.hpp"
#include "daemon/legs/sip/dialog/invitation.hpp"
#include "daemon/legs/sip/message/digest.hpp"
#include "daemon/legs/sip/routing/trunk.hpp"

namespace vmr::sip {

// The rule of a DialPlan that leads to a device of ours, by the way that it registered.
inline constexpr const char* kDeviceRule = "device";

struct DialRule {
    std::string name;
    std::vector<std::string> domains;   // "example.org", "*.example.org", "192.0.2.7"
    std::vector<std::string> prefixes;  // "+4930": numbers that begin so
    std::string trunk;                  // numbers and domains go by its proxies
    std::string gateway;                // SIP URI without a user: "sip:gw.example.net;transport=tls"
    std::string caller;                 // user part of our From; empty: the room's alias
    DigestIdentity identity;            // for who asks
    bool late_offer = false;            // they are to offer
    std::chrono::seconds max_duration{4 * 3600};
    std::int64_t price = 0;  // as DialPlan's
};

struct DialConfig {
    std::vector<DialRule> rules;
    std::string from_host;  // of our From; empty: the address that we call from
    std::chrono::seconds ring_timeout{60};
    bool referrals = false;  // SIP participants may ask for calls (REFER)
};

// In their order; keys are those of the configuration.
std::vector<ConfigFault> faults_of(const std::vector<DialRule>& rules);

class DialRules {
public:
    DialRules() = default;
    // The first fault is the error.
    static Result<DialRules> make(DialConfig config);

    // "sip:alice@example.org", "alice@example.org", "tel:+49…", "+49 30 123". The longest prefix wins, then
    // the first rule. A number that goes by a trunk is E.164 from here on, where its settings tell how.
    Result<DialPlan> plan(const std::string& address, const Trunks& trunks = {}) const;
    Invite invite(const Placement& placement, const std::string& contact_host,
                  const Trunks& trunks = {}) const;
    // For an address at one of the trunk's proxies or in its domain, which stays as it is written; else
    // nothing. The caller and the duration are those of the first rule that leads there, the price is the
    // highest of such rules, or of all where there is none.
    std::optional<DialPlan> plan_within(const TrunkConfig& trunk, const std::string& address) const;
    bool takes_referrals() const { return config_.referrals; }

private:
    Result<DialPlan> plan_number(const std::string& number, const Trunks& trunks) const;
    Result<DialPlan> plan_uri(const Uri& uri, const Trunks& trunks) const;
    bool is_gateway(const std::string& host, const Trunks& trunks) const;

    DialConfig config_;
};

}  // namespace vmr::sip
