// Networks of addresses: "192.0.2.0/24", "2001:db8::/32", or one address.
#pragma once
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace vmr {

// 4 or 16 bytes; none of what is no address. IPv4-mapped IPv6 counts as IPv4.
inline std::vector<unsigned char> address_bytes(const std::string& ip) {
    unsigned char bytes[16];
    if (inet_pton(AF_INET, ip.c_str(), bytes) == 1) {
        return {bytes, bytes + 4};
    }
    if (inet_pton(AF_INET6, ip.c_str(), bytes) != 1) {
        return {};
    }
    static constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::memcmp(bytes, kMapped, sizeof kMapped) == 0
               ? std::vector<unsigned char>(bytes + 12, bytes + 16)
               : std::vector<unsigned char>(bytes, bytes + 16);
}

struct Cidr {
    std::vector<unsigned char> address;  // 4 or 16 bytes
    unsigned bits = 0;

    bool contains(const std::string& ip) const {
        const std::vector<unsigned char> other = address_bytes(ip);
        if (other.size() != address.size()) {
            return false;
        }
        for (unsigned bit = 0; bit < bits; bit += 8) {
            const unsigned left = std::min(8U, bits - bit);
            const unsigned mask = 0xffU & (0xffU << (8U - left));
            if (((other[bit / 8] ^ address[bit / 8]) & mask) != 0) {
                return false;
            }
        }
        return !address.empty();
    }
};

inline Result<Cidr> parse_cidr(const std::string& text) {
    const std::size_t slash = text.find('/');
    Cidr cidr;
    cidr.address = address_bytes(text.substr(0, slash));
    cidr.bits = static_cast<unsigned>(cidr.address.size() * 8);
    if (cidr.address.empty()) {
        return Error{"not an address or network: " + text};
    }
    if (slash != std::string::npos) {
        unsigned bits = 0;
        const char* last = text.data() + text.size();
        const auto [end, error] = std::from_chars(text.data() + slash + 1, last, bits);
        if (error != std::errc() || end != last || bits > cidr.bits) {
            return Error{"not a network: " + text};
        }
        cidr.bits = bits;
    }
    return cidr;
}

}  // namespace vmr
