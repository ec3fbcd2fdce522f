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
// `precedence`: there is a trunk that knows Resource-Priority.
std::optional<Reply> early_answer(const Message& request, bool precedence = false);

// Why a call of a trunk may not come as it does, by the trunk's settings.
std::optional<Reply> trunk_refusal(const Message& invite, const TrunkSettings& settings);

// What the bridge is told of an INVITE. `salt`: secret bytes; callers whose number is not even to be recorded
// are told apart by a hash.
Arrival describe(const Message& invite, const Trunks::Match& match, const std::string& leg,
                 const std::string& salt = {});
// What a trunk asks of the media of its calls.
MediaTerms media_terms(const TrunkSettings& settings, int rank);

}  // namespace vmr::sip
