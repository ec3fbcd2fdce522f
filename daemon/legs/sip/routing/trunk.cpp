#include "daemon/legs/sip/routing/trunk.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "daemon/legs/sip/message/uri.hpp"

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

std::string number_of(const Uri& uri) {
    return normalise_number(std::string_view(uri.user).substr(0, uri.user.find(';')));
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

std::string normalise_number(std::string_view text) {
    std::string number;
    for (const char c : text) {
        if ((c >= '0' && c <= '9') || (c == '+' && number.empty())) {
            number += c;
        } else if (std::string_view(" -.()").find(c) == std::string_view::npos) {
            return {};
        }
    }
    return number == "+" || number.size() > 32 ? std::string() : number;
}

Result<Trunks> Trunks::make(std::vector<TrunkConfig> configs) {
    Trunks trunks;
    for (TrunkConfig& config : configs) {
        if (config.sources.empty() && (config.user.empty() || config.secret.empty())) {
            return Error{"trunk " + config.name + " needs sources, or a user and a secret"};
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

Trunks::Match Trunks::match(const Message& invite, const std::string& user) const {
    std::string number = number_of(invite.uri);
    if (number.empty()) {
        number = number_of(invite.to.uri);
    }
    number = without_plus(number);
    Match result;
    for (const Trunk& trunk : trunks_) {
        const bool from_source =
            std::any_of(trunk.sources.begin(), trunk.sources.end(),
                        [&](const Cidr& source) { return source.contains(invite.flow.remote.ip); });
        if (!from_source && !trunk.sources.empty()) {
            continue;
        }
        const auto entry = trunk.config.numbers.find(number);
        const bool known = !number.empty() && entry != trunk.config.numbers.end();
        const bool digest = !trunk.config.user.empty();
        if (known && (!digest || user == trunk.config.user)) {
            return {Match::Kind::trunk, &trunk.config, entry->second};
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
    return std::any_of(trunks_.begin(), trunks_.end(), [&ip](const Trunk& trunk) {
        return std::any_of(trunk.sources.begin(), trunk.sources.end(),
                           [&ip](const Cidr& source) { return source.contains(ip); });
    });
}

std::string trunk_caller(const Message& invite) {
    for (const std::string& value : invite.values("p-asserted-identity")) {
        const std::optional<NameAddr> identity = parse_name_addr(value);
        const std::string number = identity ? number_of(identity->uri) : std::string();
        if (!number.empty()) {
            return number;
        }
    }
    const std::string number = number_of(invite.from.uri);
    return number.empty() ? "anonymous" : number;
}

}  // namespace vmr::sip
