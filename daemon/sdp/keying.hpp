// How media gets its keys: the choice between none, SDES and DTLS, under the room's policy.
#pragma once
#include <optional>

#include "daemon/sdp/negotiation.hpp"

namespace vmr::sdp {

struct Keying {
    KeyManagement kind = KeyManagement::none;
    SdesPlan sdes;
    DtlsPlan dtls;
    bool counts_as_encrypted = false;
};

bool may_use(CryptoSuite suite, const Policy& policy);
// Room rules 20 and 21.
bool sdes_counts(CryptoSuite suite, const Policy& policy);
bool dtls_counts(const Policy& policy);

// As the answerer. None: the policy refuses what `offer` holds, or it holds no usable keying at all although
// its profile needs one. `kept_role`: our DTLS role in the session so far, kept while the peer leaves us the
// choice.
std::optional<Keying> choose_keying(const Media& offer, const Policy& policy, std::optional<Setup> kept_role);

}  // namespace vmr::sdp
