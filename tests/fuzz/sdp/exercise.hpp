// Drives the whole engine with one hostile text and checks what must always hold. For the libFuzzer entry,
// the corpus replay and the mutation test.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "daemon/sdp/negotiation.hpp"

namespace vmr::sdp::fuzz {

inline void check(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "sdp invariant broken: %s\n", what);
        std::abort();
    }
}

inline LocalParams local_params() {
    LocalParams local;
    local.cname = "fuzz";
    for (std::size_t id = 0; id < 2 * kMaxMedia; ++id) {
        auto& transport = local.transports.emplace_back();
        transport.id = id;
        transport.address = "192.0.2.99";
        transport.port = static_cast<std::uint16_t>(20000 + 2 * id);
        transport.rtcp_port = static_cast<std::uint16_t>(transport.port + 1);
        for (unsigned suite = 1; suite <= 6; ++suite) {
            const auto value = static_cast<CryptoSuite>(suite);
            transport.crypto.push_back(
                {suite, value, std::vector<std::uint8_t>(info(value).key_salt_size, 1)});
        }
        transport.fingerprints = {{"sha-256", std::vector<std::uint8_t>(32, 2)}};
        transport.ice_ufrag = "ufrag";
        transport.ice_pwd = "passwordpasswordpassword";
    }
    return local;
}

inline void check_plan(const Negotiated& plan, const Policy& policy, std::size_t m_lines) {
    check(plan.media.size() == m_lines, "one plan per m-line");
    check(!plan.transports.empty(), "something is accepted");
    for (const auto& media : plan.media) {
        if (!media.accepted) {
            continue;
        }
        check(!media.codecs.empty() && media.codecs.front().codec != Codec::none, "accepted means a codec");
        const auto& transport = plan.transports.at(media.transport);
        check(!is_secure(media.proto) || transport.keying != KeyManagement::none,
              "a secure profile has keys");
        check(transport.keying != KeyManagement::sdes ||
                  transport.sdes.remote.key.size() == info(transport.sdes.suite).key_salt_size,
              "key length");
        check(transport.keying != KeyManagement::dtls || !transport.dtls.remote_fingerprints.empty(),
              "fingerprint");
        check(policy.encryption != Encryption::required || transport.counts_as_encrypted, "required is kept");
    }
}

// Whether some policy led to an answer.
inline bool exercise(std::string_view text) {
    static const LocalParams local = local_params();
    (void)parse_candidate(text);
    const auto offer = parse(text);
    if (!offer) {
        return false;
    }
    bool any = false;
    for (const auto kind : {LegKind::sip, LegKind::webrtc}) {
        for (const auto encryption : {Encryption::required, Encryption::best_effort, Encryption::off}) {
            Policy policy;
            policy.kind = kind;
            policy.encryption = encryption;
            policy.signalling_encrypted = true;
            const auto plan = answer(*offer, policy);
            if (!plan) {
                continue;
            }
            any = true;
            check_plan(*plan, policy, offer->media.size());
            const auto written = write_answer(*plan, local);
            const auto back = parse(written);
            check(back.ok() || written.size() > kMaxSize, "our answer is well formed");
            const auto again = answer(*offer, policy, &*plan);
            check(again.ok() && again->transports.size() == plan->transports.size(),
                  "the same offer, the same answer");
            check(!again->transports.front().is_new && !again->transports.front().rekeyed, "nothing changed");
            const auto reoffer = plan_offer(policy, OfferWish{}, &*plan);
            check(parse(write_offer(reoffer, local)).ok(), "our re-offer is well formed");
            if (const auto applied = apply_answer(reoffer, local, *offer, &*plan)) {
                check_plan(*applied, policy, offer->media.size());
            }
        }
    }
    return any;
}

}  // namespace vmr::sdp::fuzz
