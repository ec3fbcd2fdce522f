#include "udp_socket.hpp"

#include <netinet/ip.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vmr::rtp_io {
namespace {

constexpr int kReceiveBufferBytes = 256 * 1024;
constexpr int kPortAttempts = 16;

}  // namespace

Result<std::shared_ptr<UdpSocket>> UdpSocket::open(const SocketAddress& local, unsigned dscp) {
    for (int attempt = 0;; ++attempt) {
        const int fd = ::socket(local.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            return Error{std::string("no UDP socket: ") + std::strerror(errno)};
        }
        const std::shared_ptr<UdpSocket> socket(new UdpSocket(fd, local.family()));
        if (socket->bind(local)) {
            const int size = kReceiveBufferBytes;  // refused: the system's default still works
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
            socket->mark(dscp);
            return socket;
        }
        if (local.port() != 0 || attempt == kPortAttempts) {
            return Error{"cannot bind UDP port " + std::to_string(local.port()) + ": " +
                         std::strerror(errno)};
        }
    }
}

// A port that the kernel chose at bind() is lost when a connected socket is disconnected; one that was
// named is kept. So a free one is asked for with a second socket, and then named.
bool UdpSocket::bind(const SocketAddress& local) {
    SocketAddress wanted = local;
    if (local.port() == 0) {
        const int probe = ::socket(family_, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        SocketAddress found;
        socklen_t length = SocketAddress::kRoom;
        const bool free = probe >= 0 && ::bind(probe, local.get(), local.length()) == 0 &&
                          getsockname(probe, found.room(), &length) == 0;
        if (probe >= 0) {
            ::close(probe);
        }
        if (!free) {
            return false;
        }
        wanted = local.with_port(found.port());
    }
    if (::bind(fd_, wanted.get(), wanted.length()) != 0) {
        return false;
    }
    port_ = wanted.port();
    return true;
}

UdpSocket::~UdpSocket() {
    ::close(fd_);
}

void UdpSocket::mark(unsigned dscp) {
    const int value = static_cast<int>(dscp << 2);
    if (family_ == AF_INET) {
        setsockopt(fd_, IPPROTO_IP, IP_TOS, &value, sizeof value);
    } else {
        setsockopt(fd_, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof value);
    }
}

void UdpSocket::note_arrivals() {
    const int on = 1;  // refused: whoever receives has to take the time then
    setsockopt(fd_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

bool UdpSocket::connect(const SocketAddress& peer) {
    return ::connect(fd_, peer.get(), peer.length()) == 0;
}

void UdpSocket::disconnect() {
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    (void)::connect(fd_, &nobody, sizeof nobody);
}

}  // namespace vmr::rtp_io
