// A bound, non-blocking UDP socket.
#pragma once
#include <memory>
#include <string>

#include "base/result.hpp"
#include "socket_address.hpp"

namespace vmr::rtp_io {

class UdpSocket {
public:
    // Port 0: a free one. `dscp` 0 to 63.
    static Result<std::shared_ptr<UdpSocket>> open(const SocketAddress& local, unsigned dscp);
    UdpSocket(const UdpSocket&) = delete;
    UdpSocket& operator=(const UdpSocket&) = delete;
    ~UdpSocket();

    int fd() const { return fd_; }
    int family() const { return family_; }
    std::uint16_t port() const { return port_; }
    void mark(unsigned dscp);
    // From now on each datagram is received with the time at which it arrived.
    void note_arrivals();

    // From now on the kernel drops what others send, and a packet sent needs no route to be looked up.
    // False: the kernel refused (no route); the socket is as before.
    bool connect(const SocketAddress& peer);
    // Hears everybody again.
    void disconnect();

private:
    UdpSocket(int fd, int family) : fd_(fd), family_(family) {}
    bool bind(const SocketAddress& local);

    int fd_;
    int family_;
    std::uint16_t port_ = 0;
};

}  // namespace vmr::rtp_io
