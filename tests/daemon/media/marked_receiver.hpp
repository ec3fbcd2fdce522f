#pragma once
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

#include "tests/support/loopback.hpp"

namespace vmr::media {

// A socket on this machine that tells how each datagram was marked.
class MarkedReceiver {
public:
    MarkedReceiver() : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
        const int on = 1;
        const timeval limit{5, 0};
        setsockopt(socket_, IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        port_ = test::bind_to_loopback(socket_);
    }
    ~MarkedReceiver() { close(socket_); }
    MarkedReceiver(const MarkedReceiver&) = delete;
    MarkedReceiver& operator=(const MarkedReceiver&) = delete;

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

}  // namespace vmr::media
