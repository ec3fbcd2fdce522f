#pragma once
#include <string>

namespace vmr::media {

// The local address from which the kernel would reach `remote` (an IP address); nothing is sent. Loopback
// when there is no route.
std::string route_to(const std::string& remote);

}  // namespace vmr::media
