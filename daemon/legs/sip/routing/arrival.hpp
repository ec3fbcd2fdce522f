// Checks on a request that starts something, before any state is made for it. Pure.
#pragma once
#include <optional>

#include "daemon/legs/leg.hpp"
#include "daemon/legs/sip/message/message.hpp"
#include "daemon/legs/sip/message/writer.hpp"
#include "daemon/legs/sip/routing/trunk.hpp"

namespace vmr::sip {

// The refusal of a request outside dialogs, or the 200 to OPTIONS; nothing for an INVITE
// that may go on (RFC 3261 section 8.2).
std::optional<Reply> early_answer(const Message& request);

// What the bridge is told of an INVITE.
Arrival describe(const Message& invite, const Trunks::Match& match, const std::string& leg);

}  // namespace vmr::sip
