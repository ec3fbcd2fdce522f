// What answering an offer and applying an answer have in common.
#pragma once
#include "daemon/sdp/keying.hpp"
#include "daemon/sdp/negotiation.hpp"

namespace vmr::sdp {

// Direction, hold, bandwidth, ssrcs and what is echoed, from the peer's m-line. `may`: what we would
// do.
void fill_from_remote(MediaPlan& plan, const Media& media, const Policy& policy, Direction may);
// The session's bandwidth: what sound leaves of it, in equal parts to the pictures that we may send at once.
void share_bandwidth(Negotiated& now, const Session& remote);
// Whether ICE runs: the peer wants it, we may, and nobody between rewrote the address (RFC 8839
// section 4.2.5).
bool uses_ice(const Media& media, const Policy& policy);
TransportPlan make_transport(const Media& source, const Keying& keying, bool ice, bool rtcp_mux);
// Our DTLS role on the transport of m-line `index` before.
std::optional<Setup> kept_dtls_role(const Negotiated* previous, std::size_t index);
// Gives each transport its id, unless an offer of ours gave it, and says what changed.
void relate_to_previous(Negotiated& now, const Negotiated* previous, bool ids_are_given);
// What a live m-line of BFCP over UDP or TCP says; empty: it is none.
std::optional<FloorPlan> floor_of(const Media& media);
inline constexpr const char* kContentLabel = "content";
void conclude(Negotiated& now);  // the fields that sum up

}  // namespace vmr::sdp
