// Numbers as a trunk writes them, who calls by it, and what the network says of that (RFC 3323, RFC 3325,
// RFC 8224). Pure.
#pragma once
#include <string>
#include <string_view>

#include "daemon/legs/sip/message/message.hpp"
#include "daemon/legs/sip/routing/trunk_profile.hpp"

namespace vmr::sip {

// "+49 (30) 123-45" -> "+493012345"; empty when it is not a telephone number.
std::string normalise_number(std::string_view text);
// A number as the trunk writes it -> E.164 with a plus, where its settings tell how; else as it is.
std::string to_e164(std::string_view text, const TrunkSettings& settings);
// An E.164 number -> as the trunk wants it.
std::string from_e164(const std::string& number, const TrunkSettings& settings);

struct TrunkCaller {
    std::string number;  // or "anonymous"
    bool withheld = false;
    std::string verification;  // STIR/SHAKEN as the trunk's operator found it: "passed", "failed", "none";
                               // empty: it does not say
    std::string identity;      // Identity headers (RFC 8224): kept, never verified here
};
// P-Asserted-Identity where the trunk is trusted with it, then From.
TrunkCaller trunk_caller(const Message& invite, const TrunkSettings& settings);

inline constexpr std::size_t kMaxIdentity = 4096;  // bytes of an Identity header that are kept

}  // namespace vmr::sip
