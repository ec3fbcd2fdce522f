#include "daemon/legs/sip/dialog/turn_down.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace vmr::sip {
namespace {

struct StatusRow {
    int status;
    EndCause cause;
    int q850;  // RFC 3398 section 8.2.6.1
};

constexpr std::array kStatuses{
    StatusRow{400, EndCause::malformed, 41},       StatusRow{401, EndCause::unauthorized, 21},
    StatusRow{402, EndCause::forbidden, 21},       StatusRow{403, EndCause::forbidden, 21},
    StatusRow{404, EndCause::not_found, 1},        StatusRow{405, EndCause::not_acceptable, 63},
    StatusRow{406, EndCause::not_acceptable, 79},  StatusRow{407, EndCause::unauthorized, 21},
    StatusRow{408, EndCause::no_answer, 102},      StatusRow{410, EndCause::not_found, 22},
    StatusRow{413, EndCause::not_acceptable, 127}, StatusRow{414, EndCause::not_acceptable, 127},
    StatusRow{415, EndCause::not_acceptable, 79},  StatusRow{416, EndCause::not_acceptable, 127},
    StatusRow{420, EndCause::not_acceptable, 127}, StatusRow{421, EndCause::not_acceptable, 127},
    StatusRow{422, EndCause::not_acceptable, 127}, StatusRow{480, EndCause::no_answer, 18},
    StatusRow{481, EndCause::unreachable, 41},     StatusRow{482, EndCause::unreachable, 25},
    StatusRow{483, EndCause::unreachable, 25},     StatusRow{484, EndCause::not_found, 28},
    StatusRow{485, EndCause::not_found, 1},        StatusRow{486, EndCause::busy, 17},
    StatusRow{487, EndCause::no_answer, 127},      StatusRow{488, EndCause::not_acceptable, 65},
    StatusRow{500, EndCause::unreachable, 41},     StatusRow{501, EndCause::not_acceptable, 79},
    StatusRow{502, EndCause::unreachable, 38},     StatusRow{503, EndCause::overload, 41},
    StatusRow{504, EndCause::unreachable, 102},    StatusRow{505, EndCause::not_acceptable, 127},
    StatusRow{513, EndCause::not_acceptable, 127}, StatusRow{600, EndCause::busy, 17},
    StatusRow{603, EndCause::declined, 21},        StatusRow{604, EndCause::not_found, 1},
    StatusRow{606, EndCause::not_acceptable, 65},
};

StatusRow row_of(int status) {
    if (status < 400) {
        return {status, EndCause::redirected, 23};
    }
    const auto found = std::ranges::find(kStatuses, status, &StatusRow::status);
    if (found != kStatuses.end()) {
        return *found;
    }
    return status < 500   ? StatusRow{status, EndCause::forbidden, 31}
           : status < 600 ? StatusRow{status, EndCause::unreachable, 41}
                          : StatusRow{status, EndCause::declined, 21};
}

int reason_cause(const Message& response) {
    for (const std::string& reason : response.values("reason")) {
        const std::size_t semicolon = std::min(reason.find(';'), reason.size());
        if (!equal_nocase(trim(std::string_view(reason).substr(0, semicolon)), "Q.850")) {
            continue;
        }
        const std::string text = parameter(std::string_view(reason).substr(semicolon), "cause");
        int cause = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cause);
        if (error == std::errc() && end == text.data() + text.size() && cause > 0 && cause < 128) {
            return cause;
        }
    }
    return 0;
}

// What strangers write, made fit for a record: printable, one line, 80 bytes.
std::string tidy(std::string_view text) {
    std::string tidied(text.substr(0, 80));
    std::erase_if(tidied, [](unsigned char c) { return c < 0x20 || c > 0x7e; });
    return tidied;
}

}  // namespace

const char* q850_text(int cause) noexcept {
    static constexpr std::array<std::pair<int, const char*>, 27> kTexts{{
        {1, "unallocated number"},
        {3, "no route to destination"},
        {8, "preemption"},
        {16, "normal call clearing"},
        {17, "user busy"},
        {18, "no user responding"},
        {19, "no answer from user"},
        {20, "subscriber absent"},
        {21, "call rejected"},
        {22, "number changed"},
        {23, "redirection to new destination"},
        {25, "exchange routing error"},
        {27, "destination out of order"},
        {28, "invalid number format"},
        {31, "normal, unspecified"},
        {34, "no circuit available"},
        {38, "network out of order"},
        {41, "temporary failure"},
        {42, "switching equipment congestion"},
        {57, "bearer capability not authorized"},
        {58, "bearer capability not available"},
        {63, "service or option not available"},
        {65, "bearer capability not implemented"},
        {79, "service or option not implemented"},
        {102, "recovery on timer expiry"},
        {111, "protocol error"},
        {127, "interworking, unspecified"},
    }};
    const auto found = std::ranges::find(kTexts, cause, &std::pair<int, const char*>::first);
    return found != kTexts.end() ? found->second : "unspecified";
}

Refusal read_refusal(const Message& response) {
    const StatusRow row = row_of(response.status);
    Refusal refusal{row.cause, {response.status, row.q850, {}}, response.status == 503};
    if (is_preemption(response)) {
        refusal.cause = EndCause::preempted;
        refusal.why.q850 = sip_cause(EndCause::preempted).q850;
    }
    if (const int cause = reason_cause(response); cause != 0) {
        refusal.why.q850 = cause;
    }
    refusal.why.text = std::to_string(response.status) + " " + tidy(response.reason) + "; Q.850 " +
                       std::to_string(refusal.why.q850) + " " + q850_text(refusal.why.q850);
    return refusal;
}

std::string reason_of(EndCause cause) {
    if (cause == EndCause::preempted) {
        return "preemption;cause=1;text=\"UA Preemption\"";  // RFC 4411 section 5
    }
    return "Q.850;cause=" + std::to_string(sip_cause(cause).q850) + ";text=\"" + to_string(cause) + "\"";
}

bool is_preemption(const Message& message) {
    return std::ranges::any_of(message.values("reason"), [](const std::string& reason) {
        return equal_nocase(trim(std::string_view(reason).substr(0, reason.find(';'))), "preemption");
    });
}

Refusal local_refusal(EndCause cause, const std::string& text, bool try_next) {
    const int q850 = sip_cause(cause).q850;
    return {
        cause, {0, q850, tidy(text) + "; Q.850 " + std::to_string(q850) + " " + q850_text(q850)}, try_next};
}

}  // namespace vmr::sip
