#include "socket_address.hpp"

#include <arpa/inet.h>

#include <array>
#include <cstring>

namespace vmr::rtp_io {

std::optional<SocketAddress> SocketAddress::from(const std::string& ip, std::uint16_t port) {
    SocketAddress address;
    if (inet_pton(AF_INET, ip.c_str(), &address.v4_.sin_addr) == 1) {
        address.v4_.sin_family = AF_INET;
        address.length_ = sizeof(sockaddr_in);
    } else if (inet_pton(AF_INET6, ip.c_str(), &address.v6_.sin6_addr) == 1) {
        address.v6_.sin6_family = AF_INET6;
        address.length_ = sizeof(sockaddr_in6);
    } else {
        return std::nullopt;
    }
    return address.with_port(port);
}

std::uint16_t SocketAddress::port() const {
    return ntohs(v4_.sin_port);  // sin_port and sin6_port are at the same place
}

SocketAddress SocketAddress::with_port(std::uint16_t port) const {
    SocketAddress changed = *this;
    changed.v4_.sin_port = htons(port);
    return changed;
}

std::string SocketAddress::ip() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (!valid()) {
        return {};
    }
    const void* bytes = family() == AF_INET ? static_cast<const void*>(&v4_.sin_addr) : &v6_.sin6_addr;
    return inet_ntop(family(), bytes, text.data(), text.size()) == nullptr ? std::string() : text.data();
}

bool SocketAddress::same_host(const SocketAddress& other) const {
    if (!valid() || !other.valid() || family() != other.family()) {
        return false;
    }
    return family() == AF_INET ? v4_.sin_addr.s_addr == other.v4_.sin_addr.s_addr
                               : std::memcmp(&v6_.sin6_addr, &other.v6_.sin6_addr, sizeof(in6_addr)) == 0;
}

bool SocketAddress::operator==(const SocketAddress& other) const {
    return same_host(other) && v4_.sin_port == other.v4_.sin_port;
}

}  // namespace vmr::rtp_io
