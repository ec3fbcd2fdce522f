// An IP address and port, without names and without DNS.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

namespace vmr::rtp_io {

class SocketAddress {
public:
    SocketAddress() = default;
    // Empty: `ip` is neither an IPv4 nor an IPv6 address.
    static std::optional<SocketAddress> from(const std::string& ip, std::uint16_t port);

    bool valid() const { return length_ != 0; }
    int family() const { return common_.ss_family; }
    std::uint16_t port() const;
    std::string ip() const;
    bool same_host(const SocketAddress& other) const;
    bool operator==(const SocketAddress& other) const;
    SocketAddress with_port(std::uint16_t port) const;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&common_); }
    // For calls that fill it in.
    sockaddr* room() { return reinterpret_cast<sockaddr*>(&common_); }
    socklen_t length() const { return length_; }
    void set_length(socklen_t length) { length_ = length; }
    static constexpr socklen_t kRoom = sizeof(sockaddr_in6);

private:
    // sockaddr_storage would be 128 bytes for each datagram of a batch.
    union {
        sockaddr_in6 v6_{};
        sockaddr_in v4_;
        struct {
            sa_family_t ss_family;
        } common_;
    };
    socklen_t length_ = 0;
};

}  // namespace vmr::rtp_io
