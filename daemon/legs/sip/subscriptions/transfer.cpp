#include "daemon/legs/sip/subscriptions/transfer.hpp"

#include <algorithm>

#include "daemon/legs/sip/message/writer.hpp"
#include "daemon/legs/sip/subscriptions/refer.hpp"
#include "daemon/legs/sip/subscriptions/subscribe.hpp"

namespace vmr::sip {

RequestParts Transfer::request(const std::string& uri) {
    // A number that a trunk is to call has no scheme.
    const std::string target = uri.find(':') == std::string::npos ? "tel:" + uri : uri;
    return {.method = "REFER", .headers = {{"Refer-To", "<" + target + ">"}, {"Supported", kSupported}}};
}

void Transfer::begin(std::uint64_t id, std::uint32_t cseq, std::int64_t now) {
    refer_ = id;
    cseq_ = cseq;
    give_up_at_ = now + kLongest;
}

void Transfer::report(int status, const std::string& reason) {
    if (over_ || status == last_) {
        return;
    }
    last_ = status;
    over_ = status >= 200;
    const OnCallStatus on_status = on_status_;  // what it does may end the call, and this
    on_status(status, reason);
}

void Transfer::fail(int status, const std::string& reason) {
    report(status, reason);
}

void Transfer::receive_response(const Message& response) {
    if (response.status < 200) {
        return;
    }
    refer_ = 0;
    const std::string* subscribed = response.header("refer-sub");
    if (response.status >= 300) {
        report(response.status, response.reason);
    } else if (subscribed != nullptr && equal_nocase(trim(*subscribed), "false")) {
        report(202, "Accepted");  // nothing more will be told (RFC 4488)
    } else {
        report(100, "Trying");
    }
}

bool Transfer::is_told_by(const Message& notify) const {
    if (over_ || event_package(notify) != kReferEvent) {
        return false;
    }
    const std::string& event = *notify.header("event");
    const std::string id =
        parameter(std::string_view(event).substr(std::min(event.find(';'), event.size())), "id");
    return id.empty() || id == std::to_string(cseq_);
}

void Transfer::receive_notify(const Message& notify) {
    const std::string* state = notify.header("subscription-state");
    const bool last = state != nullptr && lower(trim(state->substr(0, state->find(';')))) == "terminated";
    const std::optional<Fragment> told = read_fragment(notify.body);
    if (told) {
        report(told->status, told->reason);
    }
    if (last && !over_) {
        report(480, "Ended without a result");
    }
}

void Transfer::tick(std::int64_t now) {
    if (!over_ && now >= give_up_at_) {
        report(408, "No result in time");
    }
}

}  // namespace vmr::sip
