// Which calls come from a telephone trunk, and where their numbers lead. Pure. Deny by
// default: with no trunk configured no number leads anywhere, and an incoming call never
// leads to another trunk (we place no calls).
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/legs/sip/message/digest.hpp"
#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

struct TrunkConfig {
    std::string name;
    std::vector<std::string> sources;  // "192.0.2.0/24", "2001:db8::/32" or one address
    std::string user, secret;          // digest; empty: the source alone identifies the trunk
    DigestAlgorithms algorithms = DigestAlgorithms::both;
    // Dialled number ("+4930123") -> room alias, or "" for the virtual reception.
    std::map<std::string, std::string> numbers;
};

struct Cidr {
    std::vector<unsigned char> address;  // 4 or 16 bytes
    unsigned bits = 0;
    bool contains(const std::string& ip) const;
};
Result<Cidr> parse_cidr(const std::string& text);

// "+49 (30) 123-45" -> "+493012345"; empty when it is not a telephone number.
std::string normalise_number(std::string_view text);

class Trunks {
public:
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

private:
    struct Trunk {
        TrunkConfig config;
        std::vector<Cidr> sources;
    };
    std::vector<Trunk> trunks_;
};

// E.164 caller of a trunk call: P-Asserted-Identity (the trunk is trusted), then From.
std::string trunk_caller(const Message& invite);

}  // namespace vmr::sip
