#pragma once
#include <gtest/gtest.h>
#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#include <array>
#include <string>
#include <vector>

namespace vmr::media::test {

// The peer: libnice's own STUN.
class StunPeer {
public:
    StunPeer() {
        static const uint16_t known[] = {STUN_ATTRIBUTE_MAPPED_ADDRESS,     STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
                                         STUN_ATTRIBUTE_USERNAME,           STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
                                         STUN_ATTRIBUTE_ERROR_CODE,         STUN_ATTRIBUTE_PRIORITY,
                                         STUN_ATTRIBUTE_USE_CANDIDATE,      STUN_ATTRIBUTE_ICE_CONTROLLED,
                                         STUN_ATTRIBUTE_ICE_CONTROLLING,    STUN_ATTRIBUTE_FINGERPRINT,
                                         STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES, 0};
        stun_agent_init(&agent_, known, STUN_COMPATIBILITY_RFC5389,
                        static_cast<StunAgentUsageFlags>(STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS |
                                                         STUN_AGENT_USAGE_USE_FINGERPRINT));
    }
    std::vector<uint8_t> check(const std::string& username, const std::string& password,
                               bool nominate = false, bool controlling = true, uint32_t priority = 12345) {
        StunMessage message;
        const size_t size = stun_usage_ice_conncheck_create(
            &agent_, &message, buffer_.data(), buffer_.size(),
            reinterpret_cast<const uint8_t*>(username.data()), username.size(),
            reinterpret_cast<const uint8_t*>(password.data()), password.size(), nominate, controlling,
            priority, 7, nullptr, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
        return {buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size)};
    }
    // What libnice makes of an answer to its last check.
    StunUsageIceReturn take(const std::vector<uint8_t>& answer, sockaddr_storage& mapped) {
        StunMessage message;
        EXPECT_EQ(stun_agent_validate(&agent_, &message, answer.data(), answer.size(), nullptr, nullptr),
                  STUN_VALIDATION_SUCCESS);
        socklen_t length = sizeof mapped;
        return stun_usage_ice_conncheck_process(&message, &mapped, &length,
                                                STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    }

private:
    StunAgent agent_{};
    std::array<uint8_t, 1024> buffer_{};
};

}  // namespace vmr::media::test
