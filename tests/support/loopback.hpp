#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace vmr::test {

// Binds to a port of an address of this machine, 0: any free one; which one.
inline std::uint16_t bind_to(int socket, const char* ip, std::uint16_t port = 0) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, ip, &address.sin_addr);
    socklen_t size = sizeof address;
    if (::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::runtime_error("cannot bind");
    }
    return ntohs(address.sin_port);
}

inline std::uint16_t bind_to_loopback(int socket) {
    return bind_to(socket, "127.0.0.1");
}

inline void send_to_loopback(int socket, std::uint16_t port, const void* bytes, std::size_t size) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    (void)::sendto(socket, bytes, size, 0, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace vmr::test
