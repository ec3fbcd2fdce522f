// Which door a call is led to: the room of its name, or the reception. Pure.
#pragma once
#include <optional>
#include <string>

#include "daemon/legs/leg.hpp"
#include "daemon/room/types.hpp"
#include "daemon/sdp/negotiation.hpp"

namespace vmr::bridge {

struct SipMedia;

// What media may be agreed on with a leg that arrives at this room; null: at the reception.
sdp::Policy policy_for(const Arrival& arrival, const SipMedia& sip, const room::RoomConfig* room);

// Whoever calls in without being known by trunk, registration or certificate.
bool is_stranger(const Arrival& arrival);

// Whether what the call offers would be protected as the room demands. A call that describes nothing can
// still be asked to.
bool offers_enough(const Arrival& arrival, const SipMedia& sip, const room::RoomConfig& room);

// Why what the call offers could not be answered; empty: it can, or the offer is to be ours.
std::optional<EndCause> refusal_of_offer(const Arrival& arrival, const SipMedia& sip,
                                         const room::RoomConfig& room);

}  // namespace vmr::bridge
