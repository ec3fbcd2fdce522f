// SIP, SIPS and tel URIs and name-addr (RFC 3261 section 25, RFC 3966). Pure.
#pragma once
#include <optional>
#include <string_view>

#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

// host or host:port, an IPv6 address in brackets.
bool is_host_port(std::string_view text);
std::optional<Uri> parse_uri(std::string_view text);
// "Name" <uri>;params, or uri;params (then the parameters belong to the header,
// RFC 3261 section 20).
std::optional<NameAddr> parse_name_addr(std::string_view text);

}  // namespace vmr::sip
