// What counts as one source where something is limited per source.
#pragma once
#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace vmr {

// "2001:db8:0:1::5" → "2001:db8:0:1::/64": whoever has one IPv6 address has at least its /64 (RFC 6177), so
// that counting addresses would limit nobody. An IPv4-mapped address is its IPv4 address; IPv4 addresses and
// anything else stay as they are. Without a port.
inline std::string source_network(const std::string& address) {
    unsigned char bytes[16];
    const std::string plain = address.substr(0, address.find('%'));  // a link-local address may name its link
    if (inet_pton(AF_INET6, plain.c_str(), bytes) != 1) {
        return address;
    }
    char text[INET6_ADDRSTRLEN];
    static constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::memcmp(bytes, kMapped, sizeof kMapped) == 0) {
        return inet_ntop(AF_INET, bytes + 12, text, sizeof text);
    }
    std::fill(bytes + 8, bytes + 16, static_cast<unsigned char>(0));
    return inet_ntop(AF_INET6, bytes, text, sizeof text) + std::string("/64");
}

}  // namespace vmr
