// Resource-Priority (RFC 4412), and which calls give way to which (RFC 4411). Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/legs/sip/dialog/required.hpp"
#include "daemon/legs/sip/message/message.hpp"
#include "daemon/legs/sip/message/writer.hpp"
#include "daemon/legs/sip/routing/trunk_profile.hpp"

namespace vmr::sip {

// From 0, routine, up; nothing for a value that its namespace does not have. "uc-000000.4", "dsn.flash".
std::optional<int> rank_of(std::string_view value);

// Of a call that came by a trunk: the highest of the values whose namespace is known; 0 without any.
int precedence_of(const Message& request, const TrunkSettings& settings);
// 417 or 420 for a call that requires what is not known (RFC 4412 section 4.6.2).
std::optional<Reply> precedence_refusal(const Message& request, const TrunkSettings* settings);

// The marking for a precedence of what a list gives from routine on; -1 for an empty list.
int marking(const std::vector<std::int64_t>& list, int rank);

struct StandingCall {
    std::string key;
    int rank = 0;
    bool may_end = false;  // by a call of higher precedence
    std::uint64_t order = 0;
};
struct Admission {
    bool admitted = false;
    std::string gives_way;  // key of the call that ends for it; empty: none has to
};
// One more call beside those that stand, of which there may be `limit`: the latest of the lowest precedence
// gives way, if that is lower.
Admission admit(const std::vector<StandingCall>& standing, std::size_t limit, int rank, bool preempts);

}  // namespace vmr::sip
