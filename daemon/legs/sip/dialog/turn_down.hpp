// What a refusal of our call means: the cause for the room, SIP status and Q.850 cause for people and
// records. Pure.
#pragma once
#include "daemon/legs/leg.hpp"
#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

struct Refusal {
    EndCause cause = EndCause::internal_error;
    TurnDown why;
    bool try_next = false;  // this target did not serve: another one may (RFC 3263 section 4.3)
};

// A final response of 300 or more. A Q.850 cause in its Reason (RFC 6432) says it better than the status.
Refusal read_refusal(const Message& response);
// No response at all, or no way there; `text` says which.
Refusal local_refusal(EndCause cause, const std::string& text, bool try_next);
// Why we refuse or hang up: the value of a Reason header (RFC 3326, RFC 4411).
std::string reason_of(EndCause cause);
// A Reason that says so (RFC 4411).
bool is_preemption(const Message& message);
// Q.850 table 1; "unspecified" for those that it lacks.
const char* q850_text(int cause) noexcept;

}  // namespace vmr::sip
