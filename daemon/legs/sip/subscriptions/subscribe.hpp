// A SUBSCRIBE as we may grant it (RFC 6665 section 4.2.1). Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/legs/sip/message/message.hpp"
#include "daemon/legs/sip/message/writer.hpp"

namespace vmr::sip {

inline constexpr std::uint32_t kMinSubscription = 60;    // seconds
inline constexpr std::uint32_t kMaxSubscription = 3600;  // seconds; also where none is asked for (RFC 4575)

// As Event names it, without parameters.
std::string event_package(const Message& message);
// 400, 406, 423 or 489; nothing for one that may go on.
std::optional<Reply> refusal_of_subscribe(const Message& subscribe);
std::uint32_t granted_seconds(const Message& subscribe);
// Value of Event in the NOTIFYs: "conference", "conference;id=7".
std::string event_of(const Message& subscribe);

// Which dialog it refers to (RFC 4538), as Dialog::key(); empty: none, or none that can be read.
std::string target_dialog(const Message& request);

}  // namespace vmr::sip
