#include "daemon/legs/sip/trunks/registration.hpp"

#include <algorithm>
#include <charconv>

#include "daemon/legs/sip/dialog/dialog.hpp"
#include "daemon/legs/sip/dialog/transaction.hpp"
#include "daemon/legs/sip/message/writer.hpp"

namespace vmr::sip {
namespace {

constexpr int kMaxAttempts = 3;      // challenge, stale nonce, 423
constexpr int kMaxInterval = 86400;  // seconds
constexpr std::int64_t kFirstBackoff = 30'000;
constexpr std::int64_t kLastBackoff = 1'800'000;  // RFC 5626 section 4.5

std::optional<int> seconds(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end != text.data() && value >= 0
               ? std::optional(std::min(value, kMaxInterval))
               : std::nullopt;
}

}  // namespace

Registration::Registration(LineHost& host, RegistrationConfig config)
    : host_(host),
      config_(std::move(config)),
      call_id_(host.new_token()),
      tag_(host.new_token()),
      interval_(config_.interval) {}

void Registration::send(const Flow& flow, std::int64_t now) {
    flow_ = flow;
    has_way_ = true;
    attempts_ = 0;
    ask(now);
}

void Registration::ask(std::int64_t /*now*/) {
    const std::string registrar = "sip:" + config_.domain;
    const std::string record = "<sip:" + config_.account.user + "@" + config_.domain + ">";
    const std::string branch = "z9hG4bK" + host_.new_token();
    contact_ = contact_for(flow_, config_.contact_host, config_.account.user);
    std::string text = "REGISTER " + registrar + " SIP/2.0\r\n" + write_via(flow_, branch) +
                       "Max-Forwards: 70\r\nFrom: " + record + ";tag=" + tag_ + "\r\nTo: " + record +
                       "\r\nCall-ID: " + call_id_ + "\r\nCSeq: " + std::to_string(++cseq_) +
                       " REGISTER\r\nContact: " + contact_ +
                       "\r\nExpires: " + std::to_string(withdrawn_ ? 0 : interval_) + "\r\nAllow: " + kAllow +
                       "\r\n";
    if (credentials_) {
        text += credentials_->name + ": " + credentials_->value + "\r\n";
    }
    append_body(text, {}, {});
    waiting_for_ = host_.request(flow_, "REGISTER", branch, text, {});
}

void Registration::lose_way(std::int64_t now) {
    has_way_ = false;
    waiting_for_ = 0;
    due_at_ = std::min(due_at_, now);
}

void Registration::withdraw(std::int64_t now) {
    if (!std::exchange(withdrawn_, true) && has_way_ && registered(now)) {
        attempts_ = 0;
        credentials_.reset();  // its nonce count is used up
        ask(now);
    }
}

// Of our own binding: the registrar may list others (section 10.3).
int Registration::granted(const Message& ok) const {
    for (const NameAddr& contact : ok.contacts) {
        const auto expires = seconds(parameter(contact.params, "expires"));
        if (expires && contact_ == "<" + contact.uri.text + ">") {
            return *expires;
        }
    }
    const std::string* header = ok.header("expires");
    return header != nullptr ? seconds(*header).value_or(interval_) : interval_;
}

bool Registration::answer(const Message& challenge) {
    const std::string nonce = host_.new_token();
    credentials_ = answer_challenge(challenge, config_.account, "sip:" + config_.domain, nonce);
    return credentials_.has_value();
}

Registration::Outcome Registration::receive_response(std::uint64_t id, const Message& response,
                                                     std::int64_t now) {
    if (id == 0 || id != waiting_for_) {
        return Outcome::not_mine;
    }
    if (response.status < 200) {
        return Outcome::waiting;
    }
    waiting_for_ = 0;
    const bool sent_credentials = credentials_.has_value();
    if (response.status < 300) {
        credentials_.reset();  // a nonce serves once: the next registration is challenged anew
        failures_ = 0;
        why_.clear();
        const std::int64_t whole = std::int64_t{withdrawn_ ? 0 : std::max(granted(response), 0)} * 1000;
        expires_at_ = now + whole;
        // As RFC 5626 section 4.4.1 spaces keep-alives: early enough for several tries.
        due_at_ = whole == 0 ? now + kFirstBackoff : now + (whole > 1'200'000 ? whole - 600'000 : whole / 2);
        return Outcome::registered;
    }
    if ((response.status == 401 || response.status == 407) && attempts_ < kMaxAttempts) {
        const std::string* challenge =
            response.header(response.status == 401 ? "www-authenticate" : "proxy-authenticate");
        const bool stale =
            challenge != nullptr && lower(parameter(digest_parameters(*challenge), "stale")) == "true";
        if ((!sent_credentials || stale) && answer(response)) {
            ++attempts_;
            ask(now);
            return Outcome::waiting;
        }
    }
    if (response.status == 423 && attempts_ < kMaxAttempts) {
        const std::string* least = response.header("min-expires");
        const auto wanted = least != nullptr ? seconds(*least) : std::nullopt;
        if (wanted && *wanted > interval_) {
            interval_ = *wanted;
            ++attempts_;
            ask(now);
            return Outcome::waiting;
        }
    }
    const bool elsewhere = response.status == 408 || response.status == 503 || response.status == 504;
    return fail("REGISTER: " + std::to_string(response.status) + " " + reason_phrase(response.status),
                elsewhere ? Outcome::no_answer : Outcome::refused, now);
}

Registration::Outcome Registration::request_timed_out(std::uint64_t id, std::int64_t now) {
    if (id == 0 || id != waiting_for_) {
        return Outcome::not_mine;
    }
    waiting_for_ = 0;
    return fail("REGISTER: no answer", Outcome::no_answer, now);
}

Registration::Outcome Registration::fail(const std::string& why, Outcome outcome, std::int64_t now) {
    credentials_.reset();
    why_ = why;
    due_at_ = now + std::min(kFirstBackoff << std::min(failures_, 10), kLastBackoff);
    ++failures_;
    return outcome;
}

std::int64_t Registration::next_deadline() const {
    return waiting_for_ != 0 ? expires_at_ : expires_at_ >= 0 ? std::min(due_at_, expires_at_) : due_at_;
}

}  // namespace vmr::sip
