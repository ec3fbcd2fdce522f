// Marks what leaves a socket (RFC 2474): the DSCP is the upper six bits of the octet.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

namespace vmr::sip {

inline void mark_socket(int descriptor, bool ipv6, int dscp) noexcept {
    const int octet = dscp << 2;
    (void)setsockopt(descriptor, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_TCLASS : IP_TOS, &octet,
                     sizeof octet);
}

}  // namespace vmr::sip
