// What a request requires of us (RFC 3261 section 8.2.2.3). Pure.
#pragma once
#include <optional>

#include "daemon/legs/sip/message/message.hpp"
#include "daemon/legs/sip/message/writer.hpp"

namespace vmr::sip {

inline constexpr const char* kResourcePriority = "resource-priority";  // option tag (RFC 4412)

// 420 with what we do not know; `precedence`: Resource-Priority is known there.
std::optional<Reply> refusal_of_required(const Message& request, bool precedence);

}  // namespace vmr::sip
