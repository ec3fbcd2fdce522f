#include "daemon/legs/sip/dialog/session_timer.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace vmr::sip {
namespace {

constexpr std::int64_t kFirstWait = 5000;  // ms
// Ms before the session ends: a refresh that is sent still later would not be answered in time.
constexpr std::int64_t kLastTry = 5000;

std::string refresher_of(const std::string* value) {
    return value == nullptr
               ? std::string()
               : lower(parameter(value->substr(std::min(value->find(';'), value->size())), "refresher"));
}

}  // namespace

std::optional<std::uint32_t> seconds_of(const Message& message, std::string_view header) {
    const std::string* value = message.header(header);
    if (value == nullptr) {
        return std::nullopt;
    }
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
    if ((error != std::errc() && error != std::errc::result_out_of_range) || end == value->data()) {
        return std::nullopt;
    }
    constexpr std::uint32_t kDay = 86400;
    return error == std::errc() ? std::min(number, kDay) : kDay;
}

std::int64_t wait_after(unsigned refusals) {
    return std::min(kFirstWait << std::min(refusals, 10U), kLongestWait);
}

SessionTimer::SessionTimer(std::uint32_t wanted, std::uint32_t least)
    : wanted_(std::max({wanted, least, kMinSessionExpires})),
      least_(std::max(least, kMinSessionExpires)),
      min_se_(least_) {}

SessionTimer::Outcome SessionTimer::negotiate(const Message& request) {
    const std::string* header = request.header("session-expires");
    const std::optional<std::uint32_t> wanted = seconds_of(request, "session-expires");
    const std::optional<std::uint32_t> their_min = seconds_of(request, "min-se");
    peer_supports_ = request.has_token("supported", "timer") || request.has_token("require", "timer");
    if (wanted && *wanted < least_ && peer_supports_) {
        return Outcome::too_small;
    }
    if (!wanted && !peer_supports_) {
        interval_ = 0;
        return Outcome::off;
    }
    min_se_ = std::max(least_, their_min.value_or(0));
    interval_ = std::max(std::min(wanted.value_or(wanted_), wanted_), min_se_);
    const std::string refresher = refresher_of(header);
    // Table 2: a UAC without the extension cannot refresh; else its wish holds; else
    // whoever asked for the timer refreshes.
    refresher_ = !peer_supports_ || refresher == "uas" || (refresher.empty() && !wanted);
    return Outcome::on;
}

void SessionTimer::propose() {
    interval_ = std::max(wanted_, min_se_);
    refresher_ = true;  // where the far side knows nothing of timers (section 7.2)
}

void SessionTimer::read_response(const Message& response, std::int64_t now_ms) {
    peer_supports_ =
        peer_supports_ || response.has_token("supported", "timer") || response.has_token("require", "timer");
    const std::string* header = response.header("session-expires");
    const std::optional<std::uint32_t> granted = seconds_of(response, "session-expires");
    if (granted) {
        interval_ = std::max(*granted, kMinSessionExpires);
        refresher_ = refresher_of(header) != "uas";  // we were the UAC of this request
    }
    confirm(now_ms);  // a UAS without the extension: we keep refreshing (section 7.2)
}

void SessionTimer::confirm(std::int64_t now_ms) {
    refusals_ = 0;
    refused_ = false;
    if (interval_ == 0) {
        refresh_at_ = expires_at_ = -1;
        return;
    }
    const std::int64_t whole = std::int64_t{interval_} * 1000;
    refresh_at_ = refresher_ ? now_ms + whole / 2 : -1;
    expires_at_ = now_ms + whole - std::min<std::int64_t>(32000, whole / 3);  // section 10
}

std::string SessionTimer::session_expires(bool as_uac) const {
    return std::to_string(interval_) + ";refresher=" + (refresher_ == as_uac ? "uac" : "uas");
}

bool SessionTimer::raise_to(std::uint32_t min_se) {
    min_se = std::min<std::uint32_t>(min_se, 86400);
    if (min_se <= min_se_) {
        return false;
    }
    min_se_ = min_se;
    interval_ = std::max(interval_, min_se_);
    return true;
}

SessionTimer::Due SessionTimer::due(std::int64_t now_ms) const {
    if (expires_at_ >= 0 && now_ms >= expires_at_) {
        return Due::expired;
    }
    return refresh_at_ >= 0 && now_ms >= refresh_at_ ? Due::refresh : Due::nothing;
}

std::optional<std::int64_t> SessionTimer::next_deadline() const {
    if (expires_at_ < 0) {
        return std::nullopt;
    }
    return refresh_at_ >= 0 ? std::min(refresh_at_, expires_at_) : expires_at_;
}

// Until the answer comes (or the session expires) no second refresh is due.
void SessionTimer::refresh_sent() {
    refresh_at_ = -1;
}

void SessionTimer::refused_for_now(std::int64_t told_ms, std::int64_t now_ms) {
    if (expires_at_ >= 0) {
        const std::int64_t wait = std::max(told_ms, wait_after(refusals_++));
        const std::int64_t at = std::min(now_ms + wait, expires_at_ - kLastTry);
        refresh_at_ = at > now_ms ? at : -1;
    }
}

void SessionTimer::refused(std::int64_t now_ms) {
    if (expires_at_ > now_ms && !std::exchange(refused_, true)) {
        refresh_at_ = now_ms + (expires_at_ - now_ms) / 2;
    }
}

}  // namespace vmr::sip
