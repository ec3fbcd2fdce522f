#include "daemon/legs/sip/subscriptions/subscribe.hpp"

#include <algorithm>
#include <charconv>

#include "daemon/legs/sip/message/head.hpp"
#include "daemon/legs/sip/subscriptions/conference_document.hpp"

namespace vmr::sip {
namespace {

constexpr std::size_t kMaxEventId = 64;

std::string id_of(const std::string& event) {
    return parameter(std::string_view(event).substr(std::min(event.find(';'), event.size())), "id");
}

// Nothing: not a number.
std::optional<std::uint32_t> asked_seconds(const Message& subscribe) {
    const std::string* expires = subscribe.header("expires");
    if (expires == nullptr) {
        return kMaxSubscription;
    }
    std::uint32_t seconds = 0;
    const auto [end, error] = std::from_chars(expires->data(), expires->data() + expires->size(), seconds);
    if (error == std::errc::result_out_of_range) {
        return kMaxSubscription;
    }
    return error == std::errc() && end == expires->data() + expires->size() ? std::optional(seconds)
                                                                            : std::nullopt;
}

bool accepts(const Message& subscribe, const std::string& wanted) {
    const std::vector<std::string> types = subscribe.values("accept");
    return types.empty() || std::ranges::any_of(types, [&wanted](const std::string& type) {
               const std::string bare = lower(trim(std::string_view(type).substr(0, type.find(';'))));
               return bare == wanted || bare == "application/*" || bare == "*/*";
           });
}

}  // namespace

std::string event_package(const Message& message) {
    const std::string* event = message.header("event");
    return event == nullptr ? std::string()
                            : lower(trim(std::string_view(*event).substr(0, event->find(';'))));
}

std::optional<Reply> refusal_of_subscribe(const Message& subscribe) {
    const std::string* event = subscribe.header("event");
    if (event_package(subscribe) != kConferenceEvent) {
        return Reply{.status = 489, .headers = {{"Allow-Events", kConferenceEvent}}};
    }
    const std::string id = id_of(*event);
    const std::optional<std::uint32_t> seconds = asked_seconds(subscribe);
    if ((!id.empty() && !is_token(id)) || id.size() > kMaxEventId || !seconds) {
        return Reply{.status = 400};
    }
    if (*seconds > 0 && *seconds < kMinSubscription) {
        return Reply{.status = 423, .headers = {{"Min-Expires", std::to_string(kMinSubscription)}}};
    }
    if (!accepts(subscribe, kConferenceType)) {
        return Reply{.status = 406, .headers = {{"Accept", kConferenceType}}};
    }
    return std::nullopt;
}

std::uint32_t granted_seconds(const Message& subscribe) {
    return std::min(asked_seconds(subscribe).value_or(0), kMaxSubscription);
}

std::string event_of(const Message& subscribe) {
    const std::string id = id_of(*subscribe.header("event"));
    return event_package(subscribe) + (id.empty() ? std::string() : ";id=" + id);
}

std::string target_dialog(const Message& request) {
    const std::string* value = request.header("target-dialog");
    if (value == nullptr) {
        return {};
    }
    const std::size_t semicolon = std::min(value->find(';'), value->size());
    const std::string_view params = std::string_view(*value).substr(semicolon);
    const std::string ours = parameter(params, "remote-tag");
    const std::string theirs = parameter(params, "local-tag");
    if (ours.empty() || theirs.empty()) {
        return {};
    }
    return std::string(trim(std::string_view(*value).substr(0, semicolon))) + "|" + ours + "|" + theirs;
}

}  // namespace vmr::sip
