// What a packet is marked with when it arrives: the DSCP is in the upper six bits of TOS (RFC 2474 section
// 3).
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "daemon/media/transport/ice_channel.hpp"
#include "daemon/media/transport/udp_channel.hpp"

namespace vmr::media {
namespace {

struct NoEvents : ChannelEvents {
    void on_datagram_received(Component, Bytes) override {}
    void on_oversized_received() override {}
    void on_stranger_received() override {}
    void on_path_connected() override {}
    void on_path_failed(const std::string&) override {}
    void on_local_candidate_found(const std::string&) override {}
};

// A socket on this machine that tells how each datagram was marked.
class Receiver {
public:
    Receiver() : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
        const int on = 1;
        const timeval limit{5, 0};
        setsockopt(socket_, IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), length), 0);
        EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length), 0);
        port_ = ntohs(address.sin_port);
    }
    ~Receiver() { close(socket_); }
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;

    uint16_t port() const { return port_; }
    // Of the next datagram; -1: none came.
    int dscp() const {
        char data[2048];
        alignas(cmsghdr) char control[64];
        iovec part{data, sizeof data};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        if (recvmsg(socket_, &message, 0) < 0) {
            return -1;
        }
        for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
            if (one->cmsg_level == IPPROTO_IP && one->cmsg_type == IP_TOS) {
                return *CMSG_DATA(one) >> 2;
            }
        }
        return -1;
    }

private:
    int socket_;
    uint16_t port_ = 0;
};

class DscpTest : public testing::TestWithParam<uint8_t> {};

TEST_P(DscpTest, UdpSocketsMark) {
    Receiver receiver;
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
    Receiver receiver;
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
