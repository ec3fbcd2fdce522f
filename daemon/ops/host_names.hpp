#pragma once
#include <string>
#include <vector>

namespace vmr::ops {

// What this machine may be called in a certificate: localhost, and with `network` its name and addresses too.
std::vector<std::string> host_names(bool network);

// An IPv4 or IPv6 address, in digits.
bool is_address(const std::string& text);
// That, or a name as DNS has them; without port and brackets.
bool is_host(const std::string& text);

}  // namespace vmr::ops
