// Where peers reach us.
#pragma once
#include <string>
#include <vector>

#include "base/cidr.hpp"

namespace vmr::media {

// The local address from which the kernel would reach `remote` (an IP address); nothing is sent. Loopback
// when there is no route.
std::string route_to(const std::string& remote);

// The addresses that a one-to-one NAT in front of us has for us; it keeps ports.
struct AdvertisedAddresses {
    std::string ipv4, ipv6;            // empty: there is no NAT for these
    std::vector<Cidr> local_networks;  // behind the NAT, as we are

    std::vector<std::string> all() const;
    // The one address that a description for this peer has. `heard_from` is where its signalling comes from,
    // `described` what its own description says (empty: nothing yet). Only who is local by both is: a far
    // peer behind a NAT of its own says a private address, a far peer behind a proxy of ours is heard from
    // one.
    std::string for_peer(const std::string& heard_from, const std::string& described) const;

private:
    bool is_local(const std::string& address) const;
};

}  // namespace vmr::media
