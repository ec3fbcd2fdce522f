// What a packet is marked with when it arrives: the DSCP is in the upper six bits of TOS (RFC 2474 section
// 3).
#include <gtest/gtest.h>

#include "daemon/media/transport/ice_channel.hpp"
#include "daemon/media/transport/udp_channel.hpp"
#include "tests/daemon/media/marked_receiver.hpp"

namespace vmr::media {
namespace {

struct NoEvents : ChannelEvents {
    void on_datagram_received(Component, Bytes) override {}
    void on_oversized_received() override {}
    void on_stranger_received() override {}
    void on_path_connected() override {}
    void on_path_failed(const std::string&) override {}
    void on_local_candidate_found(const std::string&, const std::string&) override {}
};

class DscpTest : public testing::TestWithParam<uint8_t> {};

TEST_P(DscpTest, UdpSocketsMark) {
    MarkedReceiver receiver;
    const auto io = std::make_shared<MediaIo>();
    NoEvents events;
    UdpParams params;
    params.local_address = "127.0.0.1";
    params.dscp = GetParam();
    auto channel = UdpChannel::open(io, params, events);
    ASSERT_TRUE(channel) << (channel ? "" : channel.error());
    UdpRemote remote;
    remote.address = "127.0.0.1";
    remote.rtp_port = remote.rtcp_port = receiver.port();
    ASSERT_TRUE((*channel)->set_remote(remote));
    const uint8_t packet[12] = {0x80};
    for (const Component component : {Component::rtp, Component::rtcp}) {
        ASSERT_TRUE((*channel)->send(component, packet));
        EXPECT_EQ(receiver.dscp(), GetParam());
    }
}

// Its connectivity checks leave by the socket that media leaves by.
TEST_P(DscpTest, IceSocketsMark) {
    MarkedReceiver receiver;
    const auto io = std::make_shared<MediaIo>();
    NoEvents events;
    IceParams params;
    params.local_addresses = {"127.0.0.1"};
    params.controlling = true;
    params.dscp = GetParam();
    auto channel = IceChannel::open(io, params, events);
    ASSERT_TRUE(channel) << (channel ? "" : channel.error());
    IceRemote remote;
    remote.ufrag = "abcd";
    remote.password = "0123456789012345678901";
    remote.candidates = {"candidate:1 1 UDP 2130706431 127.0.0.1 " + std::to_string(receiver.port()) +
                         " typ host"};
    ASSERT_TRUE((*channel)->set_remote(remote));
    EXPECT_EQ(receiver.dscp(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Markings, DscpTest, testing::Values(uint8_t{46}, uint8_t{34}, uint8_t{0}));

}  // namespace
}  // namespace vmr::media
