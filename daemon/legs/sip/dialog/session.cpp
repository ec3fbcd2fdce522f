#include "daemon/legs/sip/dialog/session.hpp"

#include <algorithm>

#include "daemon/legs/sip/dialog/instant_message.hpp"
#include "daemon/legs/sip/dialog/required.hpp"
#include "daemon/legs/sip/dialog/transaction.hpp"
#include "daemon/legs/sip/dialog/turn_down.hpp"
#include "daemon/legs/sip/message/uri.hpp"

namespace vmr::sip {
namespace {
constexpr std::int64_t kMaxRinging = 180000;  // ms; as RFC 3261's timer C
constexpr std::int64_t kLongestGlare = 4000;  // ms (section 14.1)
}  // namespace

Session::Session(SessionHost& host, const std::string& transaction, Message invite, std::string local_tag,
                 const std::string& contact_host, std::int64_t now, const DialogTerms& terms)
    : host_(host),
      invite_(std::move(invite)),
      transaction_(transaction),
      dialog_(invite_, std::move(local_tag), contact_host),
      reliable_(terms.reliable),
      precedence_(terms.precedence),
      timer_(terms.session_expires, terms.min_se),
      timer_outcome_(timer_.negotiate(invite_)),
      incoming_until_(now + kMaxRinging),
      peer_updates_(invite_.has_token("allow", "UPDATE")),
      peer_refers_(invite_.header("allow") == nullptr || invite_.has_token("allow", "REFER")),
      peer_messages_(shows_messages(invite_)) {}

Session::Session(SessionHost& host, Established established)
    : host_(host),
      placed_(true),
      state_(State::confirmed),
      dialog_(std::move(established.dialog)),
      media_(std::move(established.media)),
      precedence_(established.precedence),
      timer_(established.timer),
      established_(true),
      peer_updates_(established.peer_updates),
      peer_refers_(established.peer_refers),
      peer_messages_(established.peer_messages) {
    requests_.identify(std::move(established.identity));
}

void Session::reply(const std::string& transaction, const Message& request, Reply reply) {
    reply.to_tag = dialog_.local_tag();
    host_.respond(transaction, reply.status, write_response(request, reply));
}

void Session::ring(std::int64_t now) {
    if (state_ != State::incoming || transaction_.empty() || !provisional_.empty()) {
        return;
    }
    const bool must = invite_.has_token("require", "100rel");
    const bool can = must || (reliable_ != Reliable::off && invite_.has_token("supported", "100rel"));
    if (must && invite_.body.empty()) {
        return;  // its first reliable answer must hold an offer (RFC 3262 section 5): the 200 does
    }
    Reply ringing{.status = 180, .headers = {{"Contact", dialog_.contact()}, {"Allow", host_.allow()}}};
    ringing.to_tag = dialog_.local_tag();
    if (can && !invite_.body.empty()) {
        ringing.headers.push_back({"Require", "100rel"});
        const std::string rseq = std::to_string(1 + host_.random(1U << 30U));
        ringing.headers.push_back({"RSeq", rseq});
        rack_ = rseq + " " + std::to_string(invite_.cseq) + " INVITE";  // section 7.2
        provisional_ = write_response(invite_, ringing);
        provisional_interval_ = kT1;
        provisional_at_ = now + kT1;
        provisional_until_ = now + kTimeout;
    }
    host_.respond(transaction_, 180, write_response(invite_, ringing));
}

void Session::accept(std::int64_t now) {
    if (state_ != State::incoming || !media_) {
        return;
    }
    Reply ok;
    if (timer_.active()) {
        ok.headers.push_back({"Session-Expires", timer_.session_expires(false)});
        if (timer_.peer_supports()) {
            ok.headers.push_back({"Require", "timer"});
        }
        timer_.confirm(now);
    }
    media_->set_signalling(invite_.flow.protection);
    const SdpResult sdp = invite_.body.empty() ? media_->offer() : media_->answer(invite_.body);
    if (!sdp) {
        refuse(end_cause(sdp.problem().kind), now, sdp.problem().text);
        return;
    }
    offered_ = invite_.body.empty();
    ok.body = sdp.sdp();
    provisional_at_ = provisional_until_ = -1;
    state_ = State::accepted;
    send_2xx(std::exchange(transaction_, {}), invite_, std::move(ok), now);
}

void Session::send_2xx(const std::string& transaction, const Message& request, Reply ok, std::int64_t now) {
    ok.to_tag = dialog_.local_tag();
    ok.headers.push_back({"Contact", dialog_.contact()});
    ok.headers.push_back({"Allow", host_.allow()});
    ok.headers.push_back({"Supported", kSupported});
    ok_bytes_ = write_response(request, ok);
    ok_cseq_ = request.cseq;
    ok_interval_ = kT1;
    ok_at_ = now + kT1;
    ok_until_ = now + kTimeout;
    host_.respond(transaction, 200, ok_bytes_);
}

// By the host that our Contact names (RFC 3261 section 20.43). 399: miscellaneous; 305: incompatible media
// format.
Header Session::warning(bool encryption, const std::string& words) const {
    const std::optional<NameAddr> contact = parse_name_addr(dialog_.contact());
    const std::string agent = contact ? Address{contact->uri.host, contact->uri.port}.text() : "-";
    return {"Warning", (encryption ? "399 " : "305 ") + agent + " \"" + words + "\""};
}

// Before the answer.
void Session::refuse(EndCause cause, std::int64_t /*now*/, const std::string& text) {
    const SipCause sip = sip_cause(cause);
    Reply refusal{.status = sip.status, .reason = sip.text};
    refusal.headers.push_back({"Reason", reason_of(cause)});
    if (sip.status == 503) {
        refusal.headers.push_back({"Retry-After", "10"});
    }
    if (sip.status == 488) {
        const bool encryption = cause == EndCause::encryption_required;
        std::string words = encryption ? "Encryption required" : text.empty() ? "No media in common" : text;
        std::erase_if(words, [](unsigned char c) { return c == '"' || c == '\\' || c < 0x20; });
        refusal.headers.push_back(warning(encryption, words));
    }
    state_ = State::ended;
    reply(transaction_, invite_, std::move(refusal));
    finish(cause, nullptr);
}

void Session::end(EndCause cause, std::int64_t now) {
    switch (state_) {
        case State::incoming:
            refuse(cause, now);
            return;
        case State::accepted:
            // The caller's ACK must come first (section 15); or its time must run out.
            bye_after_ack_ = cause;
            finish(cause, nullptr);
            return;
        case State::confirmed:
            send_bye(cause);
            finish(cause, nullptr);
            return;
        case State::leaving:
        case State::ended:
            return;
    }
}

// The ACK is not waited for any longer, so the BYE is due (section 15); once: the caller may be forged.
void Session::give_way(std::int64_t now) {
    if (state_ == State::incoming) {
        refuse(EndCause::overload, now);
    } else if (state_ == State::accepted) {
        state_ = State::ended;
        ok_at_ = ok_until_ = -1;
        const EndCause cause = bye_after_ack_.value_or(EndCause::overload);
        host_.send(dialog_.flow(), dialog_.write_request({.method = "BYE",
                                                          .branch = host_.new_branch(),
                                                          .headers = {{"Reason", reason_of(cause)}}}));
        finish(cause, nullptr);
    }
}

void Session::finish(EndCause cause, std::shared_ptr<void> receipt) {
    if (!reported_) {
        reported_ = true;
        media_.reset();
        host_.on_session_ended(cause, std::move(receipt));
    }
}

void Session::send_bye(EndCause cause) {
    state_ = State::leaving;
    ok_at_ = ok_until_ = -1;
    bye_ = requests_.send(dialog_, {.method = "BYE", .headers = {{"Reason", reason_of(cause)}}});
}

void Session::cancel(std::int64_t /*now*/) {
    if (state_ != State::incoming) {
        return;
    }
    state_ = State::ended;
    reply(transaction_, invite_, {.status = 487});
    finish(EndCause::cancelled, nullptr);
}

void Session::receive(const std::string& transaction, const Message& request, std::int64_t now) {
    if (request.method == "ACK") {
        receive_ack(request, now);
        return;
    }
    if (!dialog_.accept_order(request)) {
        // The same INVITE by a second way is a merged request; anything older is out of order.
        reply(transaction, request, {.status = 500, .reason = "CSeq Out Of Order"});
        return;
    }
    if (state_ == State::leaving || state_ == State::ended) {
        reply(transaction, request, {.status = request.method == "BYE" ? 200 : 481});
        return;
    }
    if (std::optional<Reply> refusal = refusal_of_required(request, precedence_)) {
        reply(transaction, request, std::move(*refusal));
        return;
    }
    dialog_.refresh_target(request);
    host_.follow(dialog_, request.response_flow());
    if (request.method == "INVITE") {
        receive_reinvite(transaction, request, now);
    } else if (request.method == "UPDATE") {
        receive_update(transaction, request, now);
    } else if (request.method == "BYE") {
        receive_bye(transaction, request);
    } else if (request.method == "PRACK") {
        receive_prack(transaction, request);
    } else if (request.method == "INFO") {
        receive_info(transaction, request, now);
    } else if (request.method == "OPTIONS") {
        reply(transaction, request,
              {.headers = {
                   {"Allow", host_.allow()}, {"Accept", "application/sdp"}, {"Supported", kSupported}}});
    } else if (!host_.on_other_request(transaction, request)) {
        reply(transaction, request, {.status = 405, .headers = {{"Allow", host_.allow()}}});
    }
}

void Session::receive_ack(const Message& ack, std::int64_t now) {
    if (ok_until_ < 0 || ack.cseq != ok_cseq_) {
        return;
    }
    ok_at_ = ok_until_ = -1;
    ok_bytes_.clear();
    const bool awaited = std::exchange(offered_, false);
    if (state_ == State::accepted) {
        state_ = State::confirmed;
    }
    if (bye_after_ack_) {
        send_bye(*bye_after_ack_);
        return;
    }
    if (const auto media = media_; awaited && media) {  // which may go meanwhile
        const SdpResult result =
            ack.body.empty()
                ? SdpResult(MediaProblem{MediaProblem::Kind::not_acceptable, "ACK without an answer"})
                : media->accept_answer(ack.body);
        if (!result) {
            end(end_cause(result.problem().kind), now);
            return;
        }
    }
    if (!std::exchange(established_, true)) {
        host_.on_session_answered();
    }
}

void Session::receive_bye(const std::string& transaction, const Message& bye) {
    if (state_ == State::incoming) {
        reply(transaction_, invite_, {.status = 487});
    }
    state_ = State::ended;
    ok_at_ = ok_until_ = -1;
    const std::string answer = write_response(bye, {.status = 200, .to_tag = dialog_.local_tag()});
    finish(is_preemption(bye) ? EndCause::preempted : EndCause::hangup, host_.receipt(transaction, answer));
}

void Session::tick(std::int64_t now) {
    if (state_ == State::incoming) {
        tick_provisional(now);
    }
    if (state_ == State::incoming && now >= incoming_until_) {
        refuse(EndCause::no_answer, now);
    }
    if (ok_until_ >= 0) {
        tick_accepted(now);
    }
    if (retry_at_ >= 0 && now >= retry_at_) {
        send_wanted(now);
    }
    if (state_ != State::confirmed) {
        return;
    }
    switch (timer_.due(now)) {
        case SessionTimer::Due::expired:
            end(EndCause::signalling_timeout, now);
            break;
        case SessionTimer::Due::refresh:
            timer_.refresh_sent();
            refresh_wanted_ = true;
            if (retry_at_ < 0 || retry_at_ > now + kLongestGlare) {
                send_wanted(now);
            }
            break;
        case SessionTimer::Due::nothing:
            break;
    }
}

void Session::tick_accepted(std::int64_t now) {
    if (now >= ok_until_) {
        ok_at_ = ok_until_ = -1;
        const EndCause cause = bye_after_ack_.value_or(EndCause::signalling_timeout);
        const bool never_up = state_ == State::accepted;
        send_bye(cause);  // section 13.3.1.4
        if (never_up) {
            state_ = State::ended;  // the BYE's transaction needs no call
        }
        finish(cause, nullptr);
    } else if (now >= ok_at_) {
        host_.send(dialog_.flow(), ok_bytes_);
        ok_interval_ = std::min(ok_interval_ * 2, kT2);
        ok_at_ = now + ok_interval_;
    }
}

}  // namespace vmr::sip
