// Requests of ours within a call that were refused or not answered: what is given up, what is asked again.
#include <algorithm>

#include "daemon/legs/sip/dialog/session.hpp"

namespace vmr::sip {
namespace {

constexpr unsigned kMaxOffers = 6;  // of one wish, to a peer that refuses it for the moment

// It may be otherwise in a while.
bool is_passing(const Message& response) {
    const int status = response.status;
    const bool server = status >= 500 && status < 600 && status != 501 && status != 505 && status != 513;
    return server || status == 480 || status == 486 || response.header("retry-after") != nullptr;
}

}  // namespace

void Session::want(Purpose purpose, std::int64_t at) {
    reinvite_wanted_ = reinvite_wanted_ || purpose.offer;
    refresh_wanted_ = refresh_wanted_ || purpose.refresh;
    retry_at_ = at;
}

void Session::on_refused(const Message& response, Purpose purpose, std::int64_t now) {
    if (state_ != State::confirmed) {
        return;
    }
    if (response.status == 408 || response.status == 481) {
        end(EndCause::signalling_lost, now);  // the peer's side of the dialog is gone (RFC 5057)
        return;
    }
    if (response.status == 491) {
        // RFC 3261 section 14.1: 2.1-4 s where the Call-ID is ours, else 0-2 s.
        want(purpose, now + (placed_ ? 2100 + 10 * host_.random(191) : 10 * host_.random(201)));
        return;
    }
    if (response.status == 422 && !raised_) {
        raised_ = timer_.raise_to(seconds_of(response, "min-se").value_or(0));
        if (raised_) {
            want(purpose, now);
            return;
        }
    }
    // The call stays as it is; without a refresh the timer ends it.
    if (is_passing(response)) {
        try_later(response, purpose, now);
    } else if (purpose.refresh) {
        timer_.refused(now);
    }
}

void Session::try_later(const Message& response, Purpose purpose, std::int64_t now) {
    const std::int64_t told = std::int64_t{1000} * seconds_of(response, "retry-after").value_or(0);
    if (purpose.offer && offer_refusals_ < kMaxOffers) {
        want({.offer = true}, now + std::min(std::max(told, wait_after(offer_refusals_++)), kLongestWait));
    }
    if (purpose.refresh) {
        timer_.refused_for_now(told, now);
    }
}

void Session::request_timed_out(std::uint64_t id, std::int64_t now) {
    (void)requests_.take(id);
    if (id == bye_) {
        state_ = State::ended;
    } else if (id != 0 && id == info_) {
        info_ = 0;
    } else if (id == reinvite_ || id == update_) {
        if (id == reinvite_ && media_) {
            media_->discard_offer();
        }
        reinvite_ = update_ = 0;
        end(EndCause::signalling_timeout, now);
    }
}

}  // namespace vmr::sip
