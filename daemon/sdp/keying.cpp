#include "daemon/sdp/keying.hpp"

#include <algorithm>

namespace vmr::sdp {

namespace {

// The strongest usable suite; of equals one without MKI, then the first.
const Crypto* strongest(const Media& offer, const Policy& policy) {
    const Crypto* best = nullptr;
    for (const auto& crypto : offer.cryptos) {
        const bool better = best == nullptr || crypto.suite > best->suite ||
                            (crypto.suite == best->suite && crypto.key.mki.empty() && !best->key.mki.empty());
        if (crypto.usable && better && may_use(crypto.suite, policy)) {
            best = &crypto;
        }
    }
    return best;
}

std::optional<Keying> sdes_keying(const Media& offer, const Policy& policy) {
    const Crypto* crypto =
        policy.kind == LegKind::webrtc || is_dtls(offer.proto) ? nullptr : strongest(offer, policy);
    if (crypto == nullptr) {
        return std::nullopt;
    }
    Keying keying;
    keying.kind = KeyManagement::sdes;
    keying.sdes = {crypto->tag, crypto->suite, crypto->suite_name, crypto->key, crypto->key.mki};
    keying.counts_as_encrypted = sdes_counts(crypto->suite, policy);
    return keying;
}

// RFC 5763 section 5: who is offered the choice (actpass) would rather be the server here, because the server
// picks the SRTP suite.
std::optional<Keying> dtls_keying(const Media& offer, const Policy& policy, std::optional<Setup> kept_role) {
    if (offer.fingerprints.empty() || offer.setup == Setup::holdconn) {
        return std::nullopt;
    }
    Keying keying;
    keying.kind = KeyManagement::dtls;
    keying.dtls.remote_fingerprints = offer.fingerprints;
    keying.dtls.tls_id = offer.tls_id;
    keying.dtls.min_key_bits = policy.min_key_bits;
    keying.dtls.local_setup = offer.setup == Setup::passive  ? Setup::active
                              : offer.setup == Setup::active ? Setup::passive
                                                             : kept_role.value_or(Setup::passive);
    keying.counts_as_encrypted = dtls_counts(policy);
    return keying;
}

}  // namespace

bool may_use(CryptoSuite suite, const Policy& policy) {
    return policy.sdes_suites.empty() ||
           std::ranges::find(policy.sdes_suites, suite) != policy.sdes_suites.end();
}

bool sdes_counts(CryptoSuite suite, const Policy& policy) {
    return policy.signalling_encrypted && info(suite).key_bits >= policy.min_key_bits &&
           suite != CryptoSuite::none;
}

bool dtls_counts(const Policy& policy) {
    return policy.min_key_bits <= 256;
}

std::optional<Keying> choose_keying(const Media& offer, const Policy& policy,
                                    std::optional<Setup> kept_role) {
    std::optional<Keying> chosen;
    if (is_secure(offer.proto) || policy.encryption != Encryption::off) {
        auto sdes = sdes_keying(offer, policy);
        auto dtls = dtls_keying(offer, policy, kept_role);
        const bool prefer_dtls = dtls && (!sdes || !sdes->counts_as_encrypted);
        chosen = prefer_dtls ? std::move(dtls) : std::move(sdes);
    }
    if (!chosen && !is_secure(offer.proto) && policy.kind != LegKind::webrtc) {
        chosen = Keying{};  // plain RTP; RFC 8643 with nothing usable in it too
    }
    if (chosen && policy.encryption == Encryption::required && !chosen->counts_as_encrypted) {
        return std::nullopt;
    }
    return chosen;
}

}  // namespace vmr::sdp
