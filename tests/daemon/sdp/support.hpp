// Samples and made-up local parameters for the tests of the offer/answer engine.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "daemon/sdp/negotiation.hpp"

namespace vmr::sdp::test {

// samples/<name>.sdp with the line ends that SDP has on the wire.
inline std::string sample(const std::string& name) {
    const char* root = std::getenv("VMR_SOURCE_ROOT");
    std::ifstream file(std::string(root == nullptr ? "." : root) + "/tests/daemon/sdp/samples/" + name +
                       ".sdp");
    EXPECT_TRUE(file.good()) << name;
    std::string text, line;
    while (std::getline(file, line)) {
        text += line + "\r\n";
    }
    return text;
}

inline Session parsed(const std::string& text) {
    auto session = parse(text);
    EXPECT_TRUE(session.ok()) << (session.ok() ? "" : session.error()) << "\n" << text;
    return session.ok() ? *session : Session{};
}

inline std::string replaced(std::string text, const std::string& what, const std::string& with) {
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + with.size())) {
        text.replace(at, what.size(), with);
    }
    return text;
}

inline std::size_t count(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) {
        ++n;
    }
    return n;
}

inline LocalTransport local_transport(std::size_t id) {
    LocalTransport local;
    local.id = id;
    local.address = "192.0.2.99";
    local.port = static_cast<std::uint16_t>(20000 + 2 * id);
    local.rtcp_port = static_cast<std::uint16_t>(local.port + 1);
    unsigned tag = 0;
    for (const auto suite : {CryptoSuite::aead_aes_256_gcm, CryptoSuite::aes_256_cm_hmac_sha1_80,
                             CryptoSuite::aes_256_cm_hmac_sha1_32, CryptoSuite::aead_aes_128_gcm,
                             CryptoSuite::aes_cm_128_hmac_sha1_80, CryptoSuite::aes_cm_128_hmac_sha1_32}) {
        local.crypto.push_back({++tag, suite, std::vector<std::uint8_t>(info(suite).key_salt_size, 0x5a)});
    }
    local.fingerprints = {{"sha-256", std::vector<std::uint8_t>(32, 0xab)}};
    local.ice_ufrag = "vmrufrag";
    local.ice_pwd = "vmrpasswordvmrpassword";
    local.candidates = {*parse_candidate("1 1 udp 2130706431 192.0.2.99 20000 typ host")};
    local.end_of_candidates = true;
    return local;
}

inline LocalParams local_for(std::size_t transports, std::size_t media = 0) {
    LocalParams local;
    local.session_id = 42;
    local.session_version = 1;
    local.cname = "vmr-cname";
    for (std::size_t id = 0; id < transports; ++id) {
        local.transports.push_back(local_transport(id));
    }
    for (std::size_t index = 0; index < media; ++index) {
        const auto ssrc = static_cast<std::uint32_t>(1000 + index);
        local.media.push_back(
            {index, ssrc, index > 0 ? ssrc + 100 : 0, "room track" + std::to_string(index)});
    }
    return local;
}

inline Policy webrtc_policy() {
    Policy policy;
    policy.kind = LegKind::webrtc;
    policy.encryption = Encryption::required;
    policy.signalling_encrypted = true;
    policy.video_codecs = {Codec::vp8, Codec::h264};
    return policy;
}

inline Policy sip_policy(Encryption encryption = Encryption::best_effort, bool tls = true) {
    Policy policy;
    policy.encryption = encryption;
    policy.signalling_encrypted = tls;
    return policy;
}

inline Negotiated answered(const std::string& offer, const Policy& policy,
                           const Negotiated* previous = nullptr) {
    auto outcome = answer(parsed(offer), policy, previous);
    EXPECT_TRUE(outcome.ok()) << (outcome.ok() ? "" : outcome.refusal().detail);
    return outcome.ok() ? *outcome : Negotiated{};
}

struct Offered {
    OfferPlan plan;
    LocalParams local;
    std::string text;
};

// With the m-lines, transports and keys that local_for() makes.
inline Offered offered(const Policy& policy, const OfferWish& wish = {},
                       const Negotiated* current = nullptr) {
    Offered result{plan_offer(policy, wish, current), {}, {}};
    result.local = local_for(8, 4);
    result.text = write_offer(result.plan, result.local);
    return result;
}

}  // namespace vmr::sdp::test
