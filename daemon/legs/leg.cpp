#include "daemon/legs/leg.hpp"

#include <array>

namespace vmr {
namespace {

struct CauseRow {
    EndCause cause;
    const char* name;
    SipCause sip;
};

// Q.850 causes: 1 unallocated, 3 no route, 8 preemption, 16 normal clearing, 17 busy, 19 no answer, 21
// rejected, 23 redirected, 31 normal unspecified, 38 out of order, 41 temporary failure, 42 congestion, 57
// not authorised, 58 capability not available, 102 timer expiry, 111 protocol error.
constexpr std::array kCauses{
    CauseRow{EndCause::hangup, "hangup", {480, 16, "Call Ended"}},
    CauseRow{EndCause::cancelled, "cancelled", {487, 16, "Request Terminated"}},
    CauseRow{EndCause::no_answer, "no_answer", {480, 19, "Temporarily Unavailable"}},
    CauseRow{EndCause::declined, "declined", {603, 21, "Decline"}},
    CauseRow{EndCause::redirected, "redirected", {480, 23, "Redirected"}},
    CauseRow{EndCause::unreachable, "unreachable", {480, 3, "Unreachable"}},
    CauseRow{EndCause::not_found, "not_found", {404, 1, "Not Found"}},
    CauseRow{EndCause::forbidden, "forbidden", {403, 21, "Forbidden"}},
    CauseRow{EndCause::unauthorized, "unauthorized", {403, 57, "Forbidden"}},
    CauseRow{EndCause::busy, "busy", {486, 17, "Busy Here"}},
    CauseRow{EndCause::wrong_pin, "wrong_pin", {403, 21, "Wrong PIN"}},
    CauseRow{EndCause::pin_timeout, "pin_timeout", {480, 102, "No PIN Entered"}},
    CauseRow{EndCause::lobby_timeout, "lobby_timeout", {480, 19, "Not Admitted In Time"}},
    CauseRow{EndCause::lone_timeout, "lone_timeout", {480, 16, "Alone Too Long"}},
    CauseRow{EndCause::max_duration, "max_duration", {480, 16, "Time Is Over"}},
    CauseRow{EndCause::spend_limit, "spend_limit", {480, 16, "Call Ended"}},
    CauseRow{EndCause::removed, "removed", {603, 21, "Removed By A Host"}},
    CauseRow{EndCause::room_ended, "room_ended", {480, 16, "Meeting Ended"}},
    CauseRow{EndCause::replaced, "replaced", {480, 16, "Joined Elsewhere"}},
    CauseRow{EndCause::transferred, "transferred", {480, 16, "Transferred"}},
    CauseRow{EndCause::malformed, "malformed", {400, 111, "Bad Session Description"}},
    CauseRow{EndCause::not_acceptable, "not_acceptable", {488, 58, "Not Acceptable Here"}},
    CauseRow{EndCause::encryption_required, "encryption_required", {488, 58, "Encryption Required"}},
    CauseRow{EndCause::media_timeout, "media_timeout", {480, 102, "No Media"}},
    CauseRow{EndCause::media_failed, "media_failed", {500, 41, "Media Failed"}},
    CauseRow{EndCause::signalling_timeout, "signalling_timeout", {408, 102, "Timeout"}},
    CauseRow{EndCause::signalling_lost, "signalling_lost", {480, 41, "Signalling Lost"}},
    CauseRow{EndCause::preempted, "preempted", {486, 8, "Preempted"}},
    CauseRow{EndCause::overload, "overload", {503, 42, "Service Unavailable"}},
    CauseRow{EndCause::shutdown, "shutdown", {503, 38, "Shutting Down"}},
    CauseRow{EndCause::internal_error, "internal_error", {500, 41, "Server Internal Error"}},
};

constexpr bool in_order() {
    for (std::size_t index = 0; index < kCauses.size(); ++index) {
        if (static_cast<std::size_t>(kCauses[index].cause) != index) {
            return false;
        }
    }
    return kCauses.size() == static_cast<std::size_t>(EndCause::internal_error) + 1;
}
static_assert(in_order(), "one row for each EndCause, in its order");

}  // namespace

const char* to_string(LegKind kind) noexcept {
    switch (kind) {
        case LegKind::webrtc:
            return "webrtc";
        case LegKind::sip:
            return "sip";
        case LegKind::phone:
            return "phone";
        case LegKind::h323:
            return "h323";
    }
    return "sip";
}

const char* to_string(EndCause cause) noexcept {
    return kCauses[static_cast<std::size_t>(cause)].name;
}

SipCause sip_cause(EndCause cause) noexcept {
    return kCauses[static_cast<std::size_t>(cause)].sip;
}

EndCause end_cause(MediaProblem::Kind kind) noexcept {
    switch (kind) {
        case MediaProblem::Kind::malformed:
            return EndCause::malformed;
        case MediaProblem::Kind::not_acceptable:
            return EndCause::not_acceptable;
        case MediaProblem::Kind::encryption_required:
            return EndCause::encryption_required;
        case MediaProblem::Kind::internal:
            break;
    }
    return EndCause::internal_error;
}

}  // namespace vmr
