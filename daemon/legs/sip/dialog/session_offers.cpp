// Offers and answers within a call, refreshes, and reliable provisional responses.
#include "daemon/legs/sip/dialog/session.hpp"
#include "daemon/legs/sip/dialog/transaction.hpp"

namespace vmr::sip {

void Session::reply_problem(const std::string& transaction, const Message& request,
                            const MediaProblem& problem) {
    const SipCause sip = sip_cause(end_cause(problem.kind));
    Reply refusal{.status = sip.status, .reason = sip.text};
    if (sip.status == 488) {
        const bool encryption = problem.kind == MediaProblem::Kind::encryption_required;
        refusal.headers.push_back(
            warning(encryption, encryption ? "Encryption required" : "No media in common"));
    }
    reply(transaction, request, std::move(refusal));
}

// The timer as it is once the request is accepted; nothing: refused with 422.
std::optional<SessionTimer> Session::negotiate_timer(const std::string& transaction, const Message& request,
                                                     Reply& ok) {
    SessionTimer fresh = timer_;
    if (fresh.negotiate(request) == SessionTimer::Outcome::too_small) {
        reply(transaction, request, {.status = 422, .headers = {{"Min-SE", std::to_string(timer_.least())}}});
        return std::nullopt;
    }
    if (fresh.active()) {
        ok.headers.push_back({"Session-Expires", fresh.session_expires(false)});
        if (fresh.peer_supports()) {
            ok.headers.push_back({"Require", "timer"});
        }
    }
    return fresh;
}

// Fills the 200's body from the request's offer. False: refused.
bool Session::answer_offer(const std::string& transaction, const Message& request, Reply& ok) {
    if (!request.body.empty() && request.content_type != "application/sdp") {
        reply(transaction, request, {.status = 415, .headers = {{"Accept", "application/sdp"}}});
        return false;
    }
    if (!media_) {
        reply(transaction, request, {.status = 481});
        return false;
    }
    media_->set_signalling(request.flow.protection);
    const SdpResult sdp = request.body.empty() ? media_->offer_anew() : media_->answer(request.body);
    if (!sdp) {
        reply_problem(transaction, request, sdp.problem());
        return false;
    }
    ok.body = sdp.sdp();
    return true;
}

void Session::receive_reinvite(const std::string& transaction, const Message& request, std::int64_t now) {
    if (state_ == State::incoming || ok_until_ >= 0) {
        // An earlier INVITE of the peer is not finished (section 14.2).
        reply(transaction, request,
              {.status = 500, .headers = {{"Retry-After", std::to_string(host_.random(11))}}});
        return;
    }
    if (reinvite_ != 0 || update_ != 0) {
        reply(transaction, request, {.status = 491});
        return;
    }
    Reply ok;
    const std::optional<SessionTimer> timer = negotiate_timer(transaction, request, ok);
    if (!timer || !answer_offer(transaction, request, ok)) {
        return;
    }
    offered_ = request.body.empty();
    timer_ = *timer;
    timer_.confirm(now);
    refresh_wanted_ = false;
    send_2xx(transaction, request, std::move(ok), now);
}

void Session::receive_update(const std::string& transaction, const Message& request, std::int64_t now) {
    Reply ok{.headers = {{"Contact", dialog_.contact()}, {"Allow", host_.allow()}}};
    if (!request.body.empty()) {
        if (reinvite_ != 0 || update_ != 0 || offered_) {
            reply(transaction, request, {.status = 491});
            return;
        }
        if (state_ == State::incoming) {
            // We owe the answer to the INVITE's offer (RFC 3311 section 5.2).
            reply(transaction, request,
                  {.status = 500, .headers = {{"Retry-After", std::to_string(host_.random(11))}}});
            return;
        }
    }
    const std::optional<SessionTimer> timer = negotiate_timer(transaction, request, ok);
    if (!timer || (!request.body.empty() && !answer_offer(transaction, request, ok))) {
        return;
    }
    timer_ = *timer;
    if (state_ == State::confirmed) {
        timer_.confirm(now);
        refresh_wanted_ = false;
    }
    reply(transaction, request, std::move(ok));
}

void Session::renegotiate(std::int64_t now) {
    if (state_ != State::accepted && state_ != State::confirmed) {
        return;
    }
    reinvite_wanted_ = true;
    offer_refusals_ = 0;
    if (retry_at_ < 0) {  // else it waits, perhaps behind a 491
        send_wanted(now);
    }
}

// What is wanted, as soon as no other exchange is under way. A re-INVITE refreshes too.
void Session::send_wanted(std::int64_t now) {
    retry_at_ = -1;
    if (state_ == State::leaving || state_ == State::ended || !(reinvite_wanted_ || refresh_wanted_)) {
        return;
    }
    if (ok_until_ >= 0 || reinvite_ != 0 || update_ != 0) {
        retry_at_ = now + 500;  // milliseconds
    } else if (reinvite_wanted_ || !peer_updates_) {
        send_reinvite(now);
    } else {
        send_update();
    }
}

void Session::send_reinvite(std::int64_t now) {
    reinvite_for_ = {std::exchange(reinvite_wanted_, false), std::exchange(refresh_wanted_, false)};
    const SdpResult sdp = media_ ? media_->offer() : SdpResult(MediaProblem{});
    if (!sdp) {
        if (reinvite_for_.refresh) {
            timer_.refused_for_now(0, now);
        }
        return;
    }
    RequestParts invite{.method = "INVITE", .body = sdp.sdp()};
    invite.headers = {{"Contact", dialog_.contact()},
                      {"Allow", host_.allow()},
                      {"Supported", kSupportedUnreliable}};  // nobody here would send a PRACK
    if (timer_.active()) {
        invite.headers.push_back({"Session-Expires", timer_.session_expires(true)});
        invite.headers.push_back({"Min-SE", std::to_string(timer_.min_se())});
    }
    reinvite_ = requests_.send(dialog_, std::move(invite));
}

// Carries no offer and disturbs nothing.
void Session::send_update() {
    refresh_wanted_ = false;
    RequestParts update{.method = "UPDATE"};
    update.headers = {{"Contact", dialog_.contact()},
                      {"Supported", kSupported},
                      {"Session-Expires", timer_.session_expires(true)},
                      {"Min-SE", std::to_string(timer_.min_se())}};
    update_ = requests_.send(dialog_, std::move(update));
}

void Session::receive_response(std::uint64_t id, const Message& response, std::int64_t now) {
    if (id == reinvite_done_ && id != 0 && response.status >= 200 && response.status < 300) {
        host_.send(dialog_.flow(), reinvite_ack_);  // the ACK was lost
        return;
    }
    if (response.status < 200 || ((!leaving() || id == bye_) && requests_.ask_again(id, response, dialog_))) {
        return;
    }
    const DialogRequests::Request request = requests_.take(id);
    if (id == bye_) {
        state_ = State::ended;
    } else if (id == reinvite_) {
        receive_reinvite_response(id, request, response, now);
    } else if (id == update_) {
        receive_update_response(response, now);
    } else if (id == info_) {
        receive_info_response(response);
    }
}

void Session::receive_reinvite_response(std::uint64_t id, const DialogRequests::Request& request,
                                        const Message& response, std::int64_t now) {
    reinvite_ = 0;
    if (response.status >= 300) {
        if (media_) {
            media_->discard_offer();
        }
        on_refused(response, reinvite_for_, now);
        return;
    }
    raised_ = false;
    offer_refusals_ = 0;
    dialog_.refresh_target(response);
    reinvite_ack_ = dialog_.write_ack(request.cseq, host_.new_branch(), request.credentials.headers());
    reinvite_done_ = id;
    host_.send(dialog_.flow(), reinvite_ack_);
    if (timer_.active()) {
        timer_.read_response(response, now);
    }
    const SdpResult result = media_ && !response.body.empty() && state_ == State::confirmed
                                 ? media_->accept_answer(response.body)
                                 : SdpResult(MediaProblem{MediaProblem::Kind::malformed, "no answer"});
    if (!result) {
        end(end_cause(result.problem().kind), now);
    }
}

void Session::receive_update_response(const Message& response, std::int64_t now) {
    update_ = 0;
    if (response.status >= 300) {
        if (response.status == 405 || response.status == 501) {
            peer_updates_ = false;  // it said otherwise in Allow
            refresh_wanted_ = true;
            send_wanted(now);
            return;
        }
        on_refused(response, {.refresh = true}, now);
        return;
    }
    raised_ = false;
    dialog_.refresh_target(response);
    timer_.read_response(response, now);
}

void Session::receive_prack(const std::string& transaction, const Message& prack) {
    // Also behind the 2xx, which it may cross (RFC 3262 section 3).
    const std::string* rack = prack.header("rack");
    if (rack_.empty() || rack == nullptr || *rack != rack_) {
        reply(transaction, prack, {.status = 481});
        return;
    }
    if (!prack.body.empty()) {
        reply(transaction, prack, {.status = 488});  // the INVITE's offer is still unanswered
        return;
    }
    provisional_at_ = provisional_until_ = -1;
    rack_.clear();
    reply(transaction, prack, {.status = 200});
}

void Session::tick_provisional(std::int64_t now) {
    if (provisional_until_ < 0) {
        return;
    }
    if (now >= provisional_until_) {
        provisional_at_ = provisional_until_ = -1;
        state_ = State::ended;
        reply(transaction_, invite_, {.status = 504});  // RFC 3262 section 3 asks for a 5xx
        finish(EndCause::signalling_timeout, nullptr);
    } else if (now >= provisional_at_) {
        host_.send(invite_.flow, provisional_);
        provisional_interval_ *= 2;
        provisional_at_ = now + provisional_interval_;
    }
}

std::optional<std::int64_t> Session::next_deadline() const {
    std::optional<std::int64_t> next = state_ == State::confirmed ? timer_.next_deadline() : std::nullopt;
    if (state_ == State::incoming) {
        next = incoming_until_;
    }
    for (const std::int64_t at : {ok_at_, ok_until_, provisional_at_, provisional_until_, retry_at_}) {
        if (at >= 0 && (!next || at < *next)) {
            next = at;
        }
    }
    return next;
}

}  // namespace vmr::sip
