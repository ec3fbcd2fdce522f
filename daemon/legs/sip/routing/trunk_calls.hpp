// What our calls by a trunk look like. Pure.
#pragma once
#include <string>

#include "daemon/legs/sip/dialog/invitation.hpp"
#include "daemon/legs/sip/routing/trunk.hpp"

namespace vmr::sip {

// The Request-URI by one of the trunk's proxies: a number as the trunk writes it, or an address as it is.
std::string trunk_request_uri(const std::string& called, const TrunkSettings& settings,
                              const std::string& proxy);
// Who calls, with what credentials, how private, of what precedence.
void by_trunk(Invite& invite, const TrunkConfig& trunk, const std::string& caller);
DialogTerms dialog_terms(const TrunkSettings& settings);

}  // namespace vmr::sip
