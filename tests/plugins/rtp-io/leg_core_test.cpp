// Who is believed, and what is counted, without a network.
#include "plugins/rtp-io/leg_core.hpp"

#include <gtest/gtest.h>

using namespace vmr;
using namespace vmr::rtp_io;

namespace {

std::vector<std::uint8_t> rtp(std::uint16_t sequence, std::uint32_t timestamp = 0, std::uint32_t ssrc = 7) {
    std::vector<std::uint8_t> packet{0x80, 0, static_cast<std::uint8_t>(sequence >> 8),
                                     static_cast<std::uint8_t>(sequence)};
    for (const std::uint32_t word : {timestamp, ssrc}) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            packet.push_back(static_cast<std::uint8_t>(word >> shift));
        }
    }
    packet.resize(172, 1);
    return packet;
}

SocketAddress at(const char* ip, std::uint16_t port) {
    return SocketAddress::from(ip, port).value();
}

class LegCoreTest : public testing::Test {
protected:
    DatagramKind receive(std::vector<std::uint8_t> packet, const SocketAddress& from, std::int64_t now = 1) {
        std::size_t size = 0;
        return core_.receive(packet, size, from, now);
    }
    LegCore core_;
};

}  // namespace

TEST_F(LegCoreTest, HearsNobodyWithoutARemoteAddress) {
    EXPECT_EQ(receive(rtp(1), at("10.0.0.1", 5000)), DatagramKind::garbage);
    core_.set_remote("example.com", 5000);
    EXPECT_EQ(receive(rtp(1), at("10.0.0.1", 5000)), DatagramKind::garbage);
    EXPECT_FALSE(core_.target().valid());
    EXPECT_EQ(core_.counts().wrong_source, 2u);
}

TEST_F(LegCoreTest, FollowsAnotherPortOfTheSignalledHostOnce) {
    core_.set_remote("10.0.0.1", 5000);
    EXPECT_EQ(receive(rtp(1), at("10.0.0.2", 5000)), DatagramKind::garbage);
    EXPECT_EQ(receive(rtp(1), at("10.0.0.1", 6000)), DatagramKind::rtp);
    EXPECT_EQ(core_.target().port(), 6000);
    EXPECT_EQ(receive(rtp(2), at("10.0.0.1", 5000)), DatagramKind::garbage);
    core_.set_remote("10.0.0.1", 5000);  // nothing new
    EXPECT_TRUE(core_.latched());
    core_.set_remote("10.0.0.3", 5000);
    EXPECT_FALSE(core_.latched());
    EXPECT_EQ(receive(rtp(3), at("10.0.0.1", 6000)), DatagramKind::garbage);
}

TEST_F(LegCoreTest, WithoutSymmetryOnlyTheVeryAddressIsHeard) {
    core_.set_symmetric(false);
    core_.set_remote("2001:db8::1", 5000);
    EXPECT_TRUE(core_.exclusive());
    EXPECT_EQ(receive(rtp(1), at("2001:db8::1", 5001)), DatagramKind::garbage);
    EXPECT_EQ(receive(rtp(1), at("2001:db8::1", 5000)), DatagramKind::rtp);
}

TEST_F(LegCoreTest, ForgettingAnySourceForgetsAForeignSource) {
    core_.set_any_source(true);
    core_.set_remote("10.0.0.1", 5000);
    EXPECT_EQ(receive(rtp(1), at("10.9.9.9", 1)), DatagramKind::rtp);
    EXPECT_TRUE(core_.latched());
    core_.set_any_source(false);
    EXPECT_FALSE(core_.latched());
}

TEST_F(LegCoreTest, ASuiteThatComesLaterForgetsTheSource) {
    core_.set_remote("10.0.0.1", 5000);
    EXPECT_EQ(receive(rtp(1), at("10.0.0.1", 6000)), DatagramKind::rtp);
    core_.set_suite(srtp::Suite::aead_aes_128_gcm);
    EXPECT_FALSE(core_.latched());
    EXPECT_EQ(receive(rtp(2), at("10.0.0.1", 6000)), DatagramKind::garbage);
    EXPECT_EQ(core_.counts().not_keyed, 1u);
}

TEST_F(LegCoreTest, TheSameKeyAgainDoesNotRepeatPacketIndices) {
    const std::string key(40, 'A');  // 30 zero bytes
    core_.set_suite(srtp::Suite::aes_cm_128_hmac_sha1_80);
    core_.set_send_key(key);
    auto packet = rtp(1);
    std::size_t size = packet.size();
    packet.resize(size + srtp::kMaxTrailer);
    EXPECT_TRUE(core_.protect(DatagramKind::rtp, packet, size));
    core_.set_send_key(key);
    packet = rtp(1);
    size = packet.size();
    packet.resize(size + srtp::kMaxTrailer);
    EXPECT_FALSE(core_.protect(DatagramKind::rtp, packet, size));
}

TEST_F(LegCoreTest, CountsLossOverTheRollOverAndOverANewSsrc) {
    core_.set_remote("10.0.0.1", 5000);
    for (const std::uint16_t sequence : {65533, 65534, 1, 0, 3}) {  // 65535 and 2 are lost, 0 is late
        receive(rtp(sequence), at("10.0.0.1", 5000));
    }
    EXPECT_EQ(core_.quality().lost(), 2);
    receive(rtp(900, 0, 8), at("10.0.0.1", 5000));
    receive(rtp(902, 0, 8), at("10.0.0.1", 5000));
    EXPECT_EQ(core_.quality().lost(), 3);
}

// 20 ms apart, every second packet 8 ms late: transit differs by 64 units of an 8 kHz clock each time.
TEST_F(LegCoreTest, MeasuresJitter) {
    core_.set_remote("10.0.0.1", 5000);
    core_.set_clock_rate(8000);
    for (std::uint16_t i = 0; i < 200; ++i) {
        receive(rtp(i, i * 160u), at("10.0.0.1", 5000),
                1'000'000'000 + i * 20'000'000ll + i % 2 * 8'000'000ll);
    }
    EXPECT_NEAR(core_.quality().jitter(), 64, 1);
}
