// One complete message, as it came along a flow (RFC 3261 section 7 and 25).
#pragma once
#include <string_view>

#include "base/result.hpp"
#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

// The error is one line.
Result<Message> parse_message(std::string_view bytes, const Flow& flow);

}  // namespace vmr::sip
