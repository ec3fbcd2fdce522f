#include "daemon/legs/sip/subscriptions/subscription.hpp"

#include <algorithm>
#include <array>

namespace vmr::sip {
namespace {

// Refusals of a NOTIFY that end its subscription (RFC 6665 section 4.2.2, RFC 5057).
bool ends_subscription(const Message& response) {
    constexpr std::array kFinal{404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604};
    return std::ranges::find(kFinal, response.status) != kFinal.end() &&
           response.header("retry-after") == nullptr;
}

}  // namespace

void Subscription::renew(std::int64_t seconds, std::int64_t now) {
    begun_ = true;
    if (seconds == 0) {
        full_ = true;  // section 4.2.1.4: the end tells the state, too
        end("timeout", now);
        return;
    }
    expires_at_ = now + seconds * 1000;
    full_ = true;
    send_what_is_due(now);
}

void Subscription::touch(std::int64_t now) {
    changed_ = true;
    send_what_is_due(now);
}

void Subscription::end(const std::string& reason, std::int64_t now) {
    if (reason_.empty() && !over_) {
        reason_ = reason;
        send_what_is_due(now);
    }
}

void Subscription::send_what_is_due(std::int64_t now) {
    if (!begun_ || over_ || ending_ || notify_ != 0) {
        return;
    }
    if (!reason_.empty()) {
        const auto last = full_ || changed_ ? topic_->write(full_) : std::nullopt;
        ending_ = true;
        send_notify("terminated;reason=" + reason_, last ? last->body : std::string());
        over_ = over_ || notify_ == 0;
        return;
    }
    if ((!full_ && !changed_) || now < next_at_) {
        return;
    }
    const auto notice = topic_->write(full_);
    changed_ = notice && topic_->has_more();
    if (notice) {
        full_ = false;
        next_at_ = now + kMinInterval;
        const std::int64_t left = std::max<std::int64_t>(0, (expires_at_ - now) / 1000);
        send_notify((notice->pending ? "pending;expires=" : "active;expires=") + std::to_string(left),
                    notice->body);
    }
}

void Subscription::send_notify(const std::string& state, const std::string& body) {
    RequestParts notify{.method = "NOTIFY", .body = body, .content_type = topic_->content_type()};
    notify.headers = {{"Event", topic_->event()}, {"Subscription-State", state}};
    notify_ = send_(std::move(notify));
}

void Subscription::receive_response(const Message& response, std::int64_t now) {
    if (response.status < 200) {
        return;
    }
    notify_ = 0;
    over_ = over_ || ending_ || ends_subscription(response);
    send_what_is_due(now);
}

void Subscription::tick(std::int64_t now) {
    if (expires_at_ >= 0 && now >= expires_at_) {
        end("timeout", now);
    }
    send_what_is_due(now);
}

std::optional<std::int64_t> Subscription::next_deadline() const {
    if (!begun_ || over_ || ending_) {
        return std::nullopt;
    }
    std::optional<std::int64_t> next;
    if (expires_at_ >= 0 && reason_.empty()) {
        next = expires_at_;
    }
    if (notify_ == 0 && (full_ || changed_) && (!next || next_at_ < *next)) {
        next = next_at_;
    }
    return next;
}

}  // namespace vmr::sip
