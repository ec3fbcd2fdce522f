#include "daemon/legs/sip/routing/trunk.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "daemon/legs/sip/message/uri.hpp"
#include "daemon/legs/sip/network/resolver.hpp"
#include "daemon/legs/sip/routing/caller.hpp"

namespace vmr::sip {
namespace {

// IPv4-mapped IPv6 counts as IPv4.
std::vector<unsigned char> address_bytes(const std::string& ip) {
    unsigned char bytes[16];
    if (inet_pton(AF_INET, ip.c_str(), bytes) == 1) {
        return {bytes, bytes + 4};
    }
    if (inet_pton(AF_INET6, ip.c_str(), bytes) != 1) {
        return {};
    }
    static constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::memcmp(bytes, kMapped, sizeof kMapped) == 0
               ? std::vector<unsigned char>(bytes + 12, bytes + 16)
               : std::vector<unsigned char>(bytes, bytes + 16);
}

std::string without_plus(const std::string& number) {
    return number.starts_with("+") ? number.substr(1) : number;
}

// As it was dialled, and as E.164; both without a plus.
std::vector<std::string> numbers_of(const Uri& uri, const TrunkSettings& settings) {
    const std::string_view text = std::string_view(uri.user).substr(0, uri.user.find(';'));
    std::vector<std::string> numbers{without_plus(normalise_number(text)),
                                     without_plus(to_e164(text, settings))};
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

Status check(const TrunkConfig& config) {
    const TrunkSettings& settings = config.settings;
    const bool digest = !config.user.empty() && !config.secret.empty();
    if (config.sources.empty() && !digest && settings.proxies.empty()) {
        return Error{"needs sources, a user and a secret, or proxies"};
    }
    for (const std::string& proxy : settings.proxies) {
        if (const Status usable = check_proxy(proxy, settings.tls); !usable) {
            return usable;
        }
    }
    if (settings.mutual_tls && settings.peer_names.empty() && settings.proxies.empty()) {
        return Error{"with mutual_tls it needs peer_names or proxies: whose certificate?"};
    }
    if (settings.registers && (!config.account.given() || settings.proxies.empty())) {
        return Error{"to register it needs proxies, account and password"};
    }
    return Ok{};
}

}  // namespace

bool Cidr::contains(const std::string& ip) const {
    const std::vector<unsigned char> other = address_bytes(ip);
    if (other.size() != address.size()) {
        return false;
    }
    for (unsigned bit = 0; bit < bits; bit += 8) {
        const unsigned left = std::min(8U, bits - bit);
        const unsigned mask = 0xffU & (0xffU << (8U - left));
        if (((other[bit / 8] ^ address[bit / 8]) & mask) != 0) {
            return false;
        }
    }
    return !address.empty();
}

Result<Cidr> parse_cidr(const std::string& text) {
    const std::size_t slash = text.find('/');
    Cidr cidr;
    cidr.address = address_bytes(text.substr(0, slash));
    cidr.bits = static_cast<unsigned>(cidr.address.size() * 8);
    if (cidr.address.empty()) {
        return Error{"not an address or network: " + text};
    }
    if (slash != std::string::npos) {
        unsigned bits = 0;
        const char* last = text.data() + text.size();
        const auto [end, error] = std::from_chars(text.data() + slash + 1, last, bits);
        if (error != std::errc() || end != last || bits > cidr.bits) {
            return Error{"not a network: " + text};
        }
        cidr.bits = bits;
    }
    return cidr;
}

Result<Trunks> Trunks::make(std::vector<TrunkConfig> configs) {
    Trunks trunks;
    for (TrunkConfig& config : configs) {
        if (const Status complete = check(config); !complete) {
            return Error{"trunk " + config.name + ": " + complete.error()};
        }
        const bool taken = !config.user.empty() && std::any_of(trunks.trunks_.begin(), trunks.trunks_.end(),
                                                               [&config](const Trunk& other) {
                                                                   return other.config.user == config.user;
                                                               });
        if (taken) {
            return Error{"trunk " + config.name + ": its user belongs to another trunk too"};
        }
        Trunk trunk;
        for (const std::string& source : config.sources) {
            const Result<Cidr> cidr = parse_cidr(source);
            if (!cidr) {
                return Error{"trunk " + config.name + ": " + cidr.error()};
            }
            trunk.sources.push_back(*cidr);
        }
        std::map<std::string, std::string> numbers;
        for (const auto& [number, alias] : config.numbers) {
            const std::string plain = normalise_number(number);
            if (plain.empty()) {
                return Error{"trunk " + config.name + ": not a telephone number: " + number};
            }
            numbers[without_plus(plain)] = alias;
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

// Where the number that was called leads, or null: the Request-URI says it, or else To.
const std::string* Trunks::Trunk::alias_of(const Message& invite) const {
    std::vector<std::string> numbers = numbers_of(invite.uri, config.settings);
    if (numbers.empty()) {
        numbers = numbers_of(invite.to.uri, config.settings);
    }
    for (const std::string& number : numbers) {
        if (const auto entry = config.numbers.find(number); entry != config.numbers.end()) {
            return &entry->second;
        }
    }
    return nullptr;
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

void Trunks::learn(const std::string& name, std::set<std::string> addresses) {
    for (Trunk& trunk : trunks_) {
        if (trunk.config.name == name) {
            trunk.learned = std::move(addresses);
        }
    }
}

const TrunkConfig* Trunks::at(const std::string& ip) const {
    const auto found = std::ranges::find_if(trunks_, [&ip](const Trunk& trunk) { return trunk.has(ip); });
    return found != trunks_.end() ? &found->config : nullptr;
}

bool Trunks::is_proxy(const std::string& host) const {
    return std::ranges::any_of(trunks_, [&host](const Trunk& trunk) {
        const TrunkSettings& settings = trunk.config.settings;
        return (!settings.proxies.empty() && settings.domain == host) ||
               std::ranges::any_of(settings.proxies, [&host](const std::string& proxy) {
                   const std::optional<Uri> uri = parse_uri(proxy);
                   return uri && uri->host == host;
               });
    });
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
