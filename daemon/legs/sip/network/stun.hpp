// STUN as SIP's keep-alive over UDP (RFC 5626 section 4.4.2): Binding requests, nothing else. Pure.
#pragma once
#include <string>
#include <string_view>

#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

// No SIP message begins like this (RFC 5626 section 8.1).
bool looks_like_stun(std::string_view bytes) noexcept;
// The Binding response, or empty where there is nothing to answer.
std::string stun_answer(std::string_view request, const Address& source);

}  // namespace vmr::sip
