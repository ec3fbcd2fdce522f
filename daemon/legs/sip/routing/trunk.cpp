#include "daemon/legs/sip/routing/trunk.hpp"

#include <algorithm>

#include "daemon/legs/sip/message/uri.hpp"
#include "daemon/legs/sip/network/resolver.hpp"
#include "daemon/legs/sip/routing/caller.hpp"

namespace vmr::sip {
namespace {

std::string without_plus(const std::string& number) {
    return number.starts_with("+") ? number.substr(1) : number;
}

// Of a user part, without its parameters and a plus.
std::string number_in(std::string_view user) {
    return without_plus(normalise_number(user.substr(0, user.find(';'))));
}

// As it was dialled, and as E.164; both without a plus.
std::vector<std::string> numbers_of(const Uri& uri, const TrunkSettings& settings) {
    const std::string_view text = std::string_view(uri.user).substr(0, uri.user.find(';'));
    std::vector<std::string> numbers{number_in(text), without_plus(to_e164(text, settings))};
    std::erase(numbers, std::string());
    return numbers;
}

Status check_proxy(const std::string& text, bool tls) {
    const std::optional<Uri> uri = parse_uri(text);
    const Result<Destination> destination =
        uri && uri->user.empty() ? destination_of(*uri) : Result<Destination>(Error{"no"});
    if (!destination) {
        return Error{"not a SIP URI without a user: " + text};
    }
    const bool secure = destination->secure || destination->transport == Transport::tls;
    return tls && !secure ? Status(Error{"tls, but not so " + text}) : Status(Ok{});
}

class FaultsOfOne {
public:
    FaultsOfOne(std::vector<ConfigFault>& faults, std::size_t index) : faults_(faults), index_(index) {}
    void operator()(const std::string& key, const std::string& text) {
        faults_.push_back({index_, key, text});
    }

private:
    std::vector<ConfigFault>& faults_;
    std::size_t index_;
};

void check(const TrunkConfig& config, FaultsOfOne fault) {
    const TrunkSettings& settings = config.settings;
    const bool digest = !config.user.empty() && !config.secret.empty();
    if (config.sources.empty() && !digest && settings.proxies.empty()) {
        fault("", "needs addresses, username and secret, or proxies");
    }
    for (std::size_t i = 0; i < config.sources.size(); ++i) {
        if (const Result<Cidr> cidr = parse_cidr(config.sources[i]); !cidr) {
            fault("addresses/" + std::to_string(i), cidr.error());
        }
    }
    for (std::size_t i = 0; i < settings.proxies.size(); ++i) {
        if (const Status usable = check_proxy(settings.proxies[i], settings.tls); !usable) {
            fault("proxies/" + std::to_string(i), usable.error());
        }
    }
    if (settings.mutual_tls && settings.peer_names.empty() && settings.proxies.empty()) {
        fault("mutual_tls", "needs peer_names or proxies: whose certificate?");
    }
    if (settings.registers && (!config.account.given() || settings.proxies.empty())) {
        fault("register", "needs proxies, account and password");
    }
    for (const auto& [number, alias] : config.numbers) {
        if (without_plus(normalise_number(number)).empty()) {
            fault("numbers/" + number, "not a telephone number: " + number);
        }
    }
}

}  // namespace

bool is_host_of(const TrunkSettings& settings, const std::string& host) {
    return (!settings.proxies.empty() && equal_nocase(settings.domain, host)) ||
           std::ranges::any_of(settings.proxies, [&host](const std::string& proxy) {
               const std::optional<Uri> uri = parse_uri(proxy);
               return uri && uri->host == host;
           });
}

std::vector<ConfigFault> faults_of(const std::vector<TrunkConfig>& configs) {
    std::vector<ConfigFault> faults;
    std::set<std::string> users;
    for (std::size_t i = 0; i < configs.size(); ++i) {
        check(configs[i], {faults, i});
        if (!configs[i].user.empty() && !users.insert(configs[i].user).second) {
            faults.push_back({i, "username", "belongs to another trunk, too"});
        }
    }
    return faults;
}

Result<Trunks> Trunks::make(std::vector<TrunkConfig> configs) {
    if (const auto faults = faults_of(configs); !faults.empty()) {
        const ConfigFault& first = faults.front();
        return Error{"trunk " + configs[first.index].name + ": " + first.key +
                     (first.key.empty() ? "" : ": ") + first.text};
    }
    Trunks trunks;
    for (TrunkConfig& config : configs) {
        Trunk trunk;
        for (const std::string& source : config.sources) {
            trunk.sources.push_back(parse_cidr(source).value());
        }
        std::map<std::string, std::string> numbers;
        for (const auto& [number, alias] : config.numbers) {
            numbers[without_plus(normalise_number(number))] = alias;
        }
        config.numbers = std::move(numbers);
        trunk.config = std::move(config);
        trunks.trunks_.push_back(std::move(trunk));
    }
    return trunks;
}

bool Trunks::Trunk::has(const std::string& ip) const {
    return learned.contains(ip) ||
           std::ranges::any_of(sources, [&ip](const Cidr& source) { return source.contains(ip); });
}

const std::string* Trunks::Trunk::entry_of(const Uri& uri) const {
    for (const std::string& number : numbers_of(uri, config.settings)) {
        if (const auto entry = config.numbers.find(number); entry != config.numbers.end()) {
            return &entry->second;
        }
    }
    return nullptr;
}

// Where the number that was called leads, or null. The Request-URI says it, unless a registrar wrote our
// Contact over it: then P-Called-Party-ID (RFC 7315 section 4.2) or To has what it was.
const std::string* Trunks::Trunk::alias_of(const Message& invite) const {
    const std::string called = number_in(invite.uri.user);
    if (called.empty() || called == number_in(config.account.user)) {
        const std::vector<std::string> before = invite.values("p-called-party-id");
        const std::optional<NameAddr> party = before.empty() ? std::nullopt : parse_name_addr(before.front());
        const std::string* alias = party ? entry_of(party->uri) : nullptr;
        alias = alias == nullptr ? entry_of(invite.to.uri) : alias;
        if (alias != nullptr) {
            return alias;
        }
    }
    return entry_of(invite.uri);
}

Trunks::Match Trunks::match(const Message& invite, const std::string& user) const {
    Match result;
    for (const Trunk& trunk : trunks_) {
        const bool from_source = trunk.has(invite.flow.remote.ip);
        if (!from_source && (!trunk.sources.empty() || trunk.config.user.empty())) {
            continue;
        }
        const std::string* alias = trunk.alias_of(invite);
        const bool known = alias != nullptr;
        const bool digest = !trunk.config.user.empty();
        if (known && (!digest || user == trunk.config.user)) {
            return {Match::Kind::trunk, &trunk.config, *alias};
        }
        if (known) {
            result = {Match::Kind::challenge, &trunk.config, {}};
        } else if (result.kind == Match::Kind::none &&
                   (from_source || (digest && user == trunk.config.user))) {
            result = {Match::Kind::denied, &trunk.config, {}};
        }
    }
    return result;
}

std::optional<std::string> Trunks::secret_of(const std::string& user, DigestAlgorithms answer) const {
    for (const Trunk& trunk : trunks_) {
        const bool allowed =
            trunk.config.algorithms == DigestAlgorithms::both || trunk.config.algorithms == answer;
        if (!user.empty() && trunk.config.user == user && allowed) {
            return trunk.config.secret;
        }
    }
    return std::nullopt;
}

bool Trunks::is_source(const std::string& ip) const {
    return std::ranges::any_of(trunks_, [&ip](const Trunk& trunk) { return trunk.has(ip); });
}

void Trunks::learn(const std::string& name, const std::set<std::string>& addresses) {
    for (Trunk& trunk : trunks_) {
        if (trunk.config.name == name) {
            trunk.learned = addresses;
        }
    }
}

const TrunkConfig* Trunks::at(const std::string& ip) const {
    const auto found = std::ranges::find_if(trunks_, [&ip](const Trunk& trunk) { return trunk.has(ip); });
    return found != trunks_.end() ? &found->config : nullptr;
}

bool Trunks::is_proxy(const std::string& host) const {
    return std::ranges::any_of(
        trunks_, [&host](const Trunk& trunk) { return is_host_of(trunk.config.settings, host); });
}

std::vector<TrunkConfig> Trunks::configs() const {
    std::vector<TrunkConfig> all;
    for (const Trunk& trunk : trunks_) {
        all.push_back(trunk.config);
    }
    return all;
}

const TrunkConfig* Trunks::find(const std::string& name) const {
    const auto found =
        std::ranges::find_if(trunks_, [&name](const Trunk& trunk) { return trunk.config.name == name; });
    return found != trunks_.end() ? &found->config : nullptr;
}

}  // namespace vmr::sip
