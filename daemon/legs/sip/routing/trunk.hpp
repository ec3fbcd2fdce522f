// Which calls come from a telephone trunk, and where their numbers lead. Pure. Deny by
// default: with no trunk configured no number leads anywhere, and an incoming call never
// leads to another trunk.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/cidr.hpp"
#include "base/result.hpp"
#include "daemon/legs/sip/message/digest.hpp"
#include "daemon/legs/sip/message/message.hpp"
#include "daemon/legs/sip/routing/config_fault.hpp"
#include "daemon/legs/sip/routing/trunk_profile.hpp"

namespace vmr::sip {

struct TrunkConfig {
    std::string name;
    std::vector<std::string> sources;  // "192.0.2.0/24", "2001:db8::/32" or one address
    std::string user, secret;          // digest; empty: the source alone identifies the trunk
    DigestAlgorithms algorithms = DigestAlgorithms::both;
    // Dialled number ("+4930123") -> room alias, or "" for the virtual reception.
    std::map<std::string, std::string> numbers;
    DigestIdentity account;  // who we are to the trunk
    TrunkSettings settings;

    bool operator==(const TrunkConfig&) const = default;
};

// A proxy of the trunk, or its domain.
bool is_host_of(const TrunkSettings& settings, const std::string& host);

// In their order; keys are those of the configuration.
std::vector<ConfigFault> faults_of(const std::vector<TrunkConfig>& configs);

class Trunks {
public:
    // The first fault is the error.
    static Result<Trunks> make(std::vector<TrunkConfig> configs);

    struct Match {
        enum class Kind {
            none,       // no trunk: an ordinary SIP call
            trunk,      // from this trunk
            challenge,  // a digest trunk has this number: ask for credentials
            denied      // a trunk's source, but not to a number that it may call
        } kind = Kind::none;
        const TrunkConfig* trunk = nullptr;
        std::string alias;  // of a matched number; "" = virtual reception
    };
    // `user`: the digest user that was verified, or empty.
    Match match(const Message& invite, const std::string& user) const;
    // The secret of a digest user.
    std::optional<std::string> secret_of(const std::string& user, DigestAlgorithms answer) const;
    bool is_source(const std::string& ip) const;
    // Where the trunk's proxies were found: calls from there are its calls.
    void learn(const std::string& name, const std::set<std::string>& addresses);
    const TrunkConfig* find(const std::string& name) const;
    // The first trunk that has this address.
    const TrunkConfig* at(const std::string& ip) const;
    bool is_proxy(const std::string& host) const;  // of any trunk
    std::vector<TrunkConfig> configs() const;

private:
    struct Trunk {
        TrunkConfig config;
        std::vector<Cidr> sources;
        std::set<std::string> learned;
        bool has(const std::string& ip) const;
        const std::string* alias_of(const Message& invite) const;
        const std::string* entry_of(const Uri& uri) const;
    };
    std::vector<Trunk> trunks_;
};

}  // namespace vmr::sip
