// The connectivity checks that an ICE lite agent answers, and those that it does not.
#include "daemon/media/transport/stun_responder.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "tests/daemon/media/transport/stun_peer.hpp"

namespace vmr::media::test {
namespace {

sockaddr_storage source(const char* address, uint16_t port) {
    sockaddr_storage storage{};
    if (std::string(address).find(':') != std::string::npos) {
        auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        inet_pton(AF_INET6, address, &v6.sin6_addr);
    } else {
        auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        inet_pton(AF_INET, address, &v4.sin_addr);
    }
    return storage;
}

class StunResponderTest : public testing::Test {
protected:
    std::vector<uint8_t> check(bool nominate = false, bool controlling = true) {
        return peer_.check(responder_.ufrag() + ":theirs", responder_.password(), nominate, controlling);
    }
    std::optional<StunResponder::Answer> answer(const std::vector<uint8_t>& bytes) const {
        return responder_.answer(bytes, "theirs", source("192.0.2.7", 40000));
    }
    StunResponder responder_;
    StunPeer peer_;
};

TEST_F(StunResponderTest, AChecksSourceIsToldBack) {
    for (const char* address : {"192.0.2.7", "2001:db8::7"}) {
        const auto from = source(address, 40000);
        const auto made = responder_.answer(check(), "theirs", from);
        ASSERT_TRUE(made);
        EXPECT_TRUE(made->valid);
        EXPECT_FALSE(made->nominated);
        sockaddr_storage mapped{};
        EXPECT_EQ(peer_.take(made->bytes, mapped), STUN_USAGE_ICE_RETURN_SUCCESS);
        const auto size = from.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        EXPECT_EQ(memcmp(&mapped, &from, size), 0) << address;
    }
    EXPECT_TRUE(answer(check(true))->nominated);
    EXPECT_EQ(answer(check(true))->priority, 12345U);
    EXPECT_TRUE(responder_.answer(check(), "", source("192.0.2.7", 1))->valid)
        << "before the answer is there";
}

TEST_F(StunResponderTest, WhoThinksThatItIsControlledIsToldToControl) {
    const auto made = answer(check(true, false));
    ASSERT_TRUE(made);
    EXPECT_FALSE(made->valid || made->nominated);
    sockaddr_storage mapped{};
    EXPECT_EQ(peer_.take(made->bytes, mapped), STUN_USAGE_ICE_RETURN_ROLE_CONFLICT);
}

TEST_F(StunResponderTest, AStrangerGetsNoAnswer) {
    EXPECT_FALSE(answer(peer_.check(responder_.ufrag() + ":theirs", "another password of 24 b")));
    EXPECT_FALSE(answer(peer_.check(responder_.ufrag() + ":other", responder_.password())));
    EXPECT_FALSE(answer(peer_.check("ours:theirs", responder_.password())));
    EXPECT_FALSE(answer(peer_.check("", responder_.password())));
}

TEST_F(StunResponderTest, NothingBrokenIsAnswered) {
    const auto good = check(true);
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(answer({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)})) << size;
    }
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        auto damaged = good;
        damaged[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
        EXPECT_FALSE(answer(damaged)) << bit;
    }
    auto longer = good;
    longer.resize(2000);
    EXPECT_FALSE(answer(longer));
    EXPECT_FALSE(answer(std::vector<uint8_t>(20)));
    EXPECT_FALSE(answer({}));
}

TEST_F(StunResponderTest, CredentialsAreLongEnoughAndDiffer) {
    const StunResponder other;
    EXPECT_GE(responder_.ufrag().size(), 4U);
    EXPECT_GE(responder_.password().size(), 22U);
    EXPECT_NE(responder_.password(), other.password());
}

}  // namespace
}  // namespace vmr::media::test
