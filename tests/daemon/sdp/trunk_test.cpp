// What trunks ask of descriptions: Direct Routing's published rules, beside
// tests/daemon/legs/sip/teams_test.cpp.
#include "support.hpp"

namespace vmr::sdp::test {
namespace {

Policy direct_routing() {
    Policy policy = sip_policy(Encryption::required);
    policy.video = policy.content = false;
    policy.sdes_suites = {CryptoSuite::aes_cm_128_hmac_sha1_80};
    policy.audio_codecs = {Codec::g722, Codec::pcma, Codec::pcmu};
    return policy;
}

std::string offered(const Policy& policy, const OfferWish& wish = {}) {
    return write_offer(plan_offer(policy, wish), local_for(4, 4));
}

TEST(DirectRouting, OurOfferHasTheOneSuiteWithALifetimeAndNoMki) {
    const std::string text = offered(direct_routing());
    EXPECT_NE(text.find("m=audio 20000 RTP/SAVP 9 8 0 101\r\n"), std::string::npos) << text;
    EXPECT_EQ(count(text, "a=crypto:"), 1U);
    const auto at = text.find("AES_CM_128_HMAC_SHA1_80 inline:");
    ASSERT_NE(at, std::string::npos) << text;
    EXPECT_EQ(text.substr(text.find('|', at), 7), "|2^31\r\n");
    EXPECT_EQ(count(text, "a=rtcp-mux"), 1U);
    EXPECT_EQ(count(text, "m=video"), 0U);
}

TEST(DirectRouting, OurAnswerTakesTheOneSuiteBesideStrongerOnes) {
    const std::string strong =
        "a=crypto:2 AES_256_CM_HMAC_SHA1_80 "
        "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v|2^31\r\n";
    const std::string offer =
        replaced(sample("teams-direct-routing"), "a=sendrecv\r\n", strong + "a=sendrecv\r\n");
    const auto plan = answer(parsed(offer), direct_routing());
    ASSERT_TRUE(plan.ok()) << plan.refusal().detail;
    EXPECT_EQ(plan->transports.at(0).sdes.suite, CryptoSuite::aes_cm_128_hmac_sha1_80);
    EXPECT_TRUE(plan->transports.at(0).rtcp_mux);
    EXPECT_EQ(plan->media.at(0).codecs.at(0).codec, Codec::g722);
    const std::string text = write_answer(*plan, local_for(4, 4));
    EXPECT_NE(text.find(" RTP/SAVP "), std::string::npos);
    EXPECT_NE(text.find("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"), std::string::npos) << text;
    EXPECT_NE(text.find("|2^31\r\n"), std::string::npos);
}

TEST(DirectRouting, WithoutTheSuiteThereIsNoCall) {
    const std::string offer =
        replaced(sample("teams-direct-routing"), "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32");
    const auto plan = answer(parsed(offer), direct_routing());
    ASSERT_FALSE(plan.ok());
    EXPECT_EQ(plan.refusal().reason, Refusal::Reason::encryption_required);
}

TEST(DirectRouting, AFloorAboveTheSuiteLeavesDtls) {
    Policy policy = direct_routing();
    policy.min_key_bits = 256;
    const std::string text = offered(policy);
    EXPECT_EQ(count(text, "a=crypto:"), 0U);
    EXPECT_NE(text.find("a=fingerprint:"), std::string::npos);
}

TEST(DirectRouting, AHoldByInactiveIsAnsweredByInactive) {
    const auto plan = answer(parsed(replaced(sample("teams-direct-routing"), "a=sendrecv", "a=inactive")),
                             direct_routing());
    ASSERT_TRUE(plan.ok());
    EXPECT_NE(write_answer(*plan, local_for(4, 4)).find("a=inactive\r\n"), std::string::npos);
}

TEST(DirectRouting, MediaBypassIsIceLiteWithOneCandidate) {
    Policy policy = direct_routing();
    policy.ice = policy.ice_lite = policy.ice_offers = true;
    const auto plan = answer(parsed(sample("teams-direct-routing")), policy);
    ASSERT_TRUE(plan.ok());
    LocalParams local = local_for(4, 4);
    local.ice_lite = true;
    const std::string text = write_answer(*plan, local);
    EXPECT_NE(text.find("a=ice-lite\r\n"), std::string::npos) << text;
    EXPECT_EQ(count(text, "a=candidate:"), 1U);
}

}  // namespace
}  // namespace vmr::sdp::test
