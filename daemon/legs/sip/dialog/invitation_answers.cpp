// The 2xx to our INVITE, and requests of the far side before it.
#include <algorithm>

#include "daemon/legs/sip/dialog/instant_message.hpp"
#include "daemon/legs/sip/dialog/invitation.hpp"
#include "daemon/legs/sip/dialog/required.hpp"
#include "daemon/legs/sip/dialog/transaction.hpp"

namespace vmr::sip {
namespace {

// Who repeats its 2xx by another connection has lost the one that our INVITE took.
Flow way_of_ack(const Flow& before, const Flow& now) {
    const bool other = now.connection != 0 && now.connection != before.connection;
    Flow way = other && may_follow(before, now, false) ? now : before;
    way.dscp = before.dscp;
    return way;
}

}  // namespace

void Invitation::receive_accepted(const Message& response, std::int64_t now) {
    const std::string& tag = response.to.tag;
    if (const auto known = acks_.find(tag); known != acks_.end()) {
        network_.send(way_of_ack(half_.flow, response.flow), known->second);  // the ACK was lost
        return;
    }
    constexpr std::size_t kMaxAnswers = 8;  // of one fork
    if (state_ == State::idle || state_ == State::over || acks_.size() >= kMaxAnswers) {
        return;  // the far side's BYE ends it
    }
    const auto found = early_.find(tag);
    Early accepted = found != early_.end() ? found->second : Early{Dialog(half_, response)};
    accepted.dialog.confirm(response);
    const bool first = state_ == State::calling || state_ == State::proceeding;
    std::string ack_body;
    const std::optional<MediaProblem> problem =
        first ? agree(accepted, response, ack_body) : std::optional<MediaProblem>();
    acks_[tag] =
        accepted.dialog.write_ack(response.cseq, network_.new_branch(), credentials_.headers(), ack_body);
    network_.send(half_.flow, acks_[tag]);
    // Second: somebody ended the call while its media was set up.
    if (!first || state_ == State::cancelling) {
        hang_up(std::move(accepted.dialog), state_ == State::cancelling ? cancel_cause_ : EndCause::hangup,
                now);
        return;
    }
    if (problem) {
        const EndCause cause = end_cause(problem->kind);
        hang_up(std::move(accepted.dialog), cause, now);
        refuse(local_refusal(cause, problem->text, false), now);
        return;
    }
    timer_.read_response(response, now);
    const bool resync = accepted.answered && media_tag_ != tag;
    Established established{std::move(accepted.dialog),
                            timer_,
                            media_,
                            !response.header("allow") || response.has_token("allow", "UPDATE"),
                            !response.header("allow") || response.has_token("allow", "REFER"),
                            shows_messages(response),
                            invite_.terms.precedence,
                            invite_.identity};
    settle(now);
    host_.on_invitation_accepted(std::move(established), resync);
}

// Offer and answer are complete with this 2xx and, where the offer is theirs, our ACK; or they are not.
std::optional<MediaProblem> Invitation::agree(const Early& early, const Message& response,
                                              std::string& ack_body) {
    if (early.answered) {
        return std::nullopt;  // in the PRACK
    }
    const auto media = media_;  // the call may end from within
    media->set_signalling(response.flow.protection);
    if (!invite_.late_offer) {
        const std::string& answer = early.reliable || response.body.empty() ? early.answer : response.body;
        if (answer.empty()) {
            return MediaProblem{MediaProblem::Kind::malformed, "No answer to our offer"};
        }
        const SdpResult taken = media->accept_answer(answer);
        return taken ? std::nullopt : std::optional(taken.problem());
    }
    if (response.body.empty()) {
        return MediaProblem{MediaProblem::Kind::malformed, "No offer"};
    }
    const SdpResult answer = media->answer(response.body);
    if (!answer) {
        return answer.problem();
    }
    ack_body = answer.sdp();
    return std::nullopt;
}

void Invitation::hang_up(Dialog dialog, EndCause cause, std::int64_t now) {
    over_at_ = std::max(over_at_, now + kTimeout);  // the BYE may be challenged
    const std::string tag = dialog.remote_tag();
    Dialog& left = left_.insert_or_assign(tag, std::move(dialog)).first->second;
    const std::string reason = cancel_reason_.empty() ? reason_of(cause) : cancel_reason_;
    (void)requests_.send(left, {.method = "BYE", .headers = {{"Reason", reason}}});
}

// To PRACK, CANCEL or BYE: nothing follows from it but that a challenge is answered.
void Invitation::receive_response_within(std::uint64_t id, const Message& response) {
    if (response.status < 200) {
        return;
    }
    Dialog* dialog = nullptr;
    if (response.method == "BYE") {
        const auto left = left_.find(response.to.tag);
        dialog = left != left_.end() ? &left->second : nullptr;
    } else if (state_ == State::proceeding) {  // later the dialog is a session's, or of no use
        const auto found = early_.find(response.to.tag);
        dialog = found != early_.end() ? &found->second.dialog : nullptr;
    }
    if (dialog == nullptr || !requests_.ask_again(id, response, *dialog)) {
        (void)requests_.take(id);
    }
}

// Before the answer the far side may ask little: an offer of its own would have to wait (RFC 3311
// section 5.2).
void Invitation::receive(const std::string& transaction, const Message& request) {
    const auto found = early_.find(request.from.tag);
    const auto respond = [&](Reply reply) {
        network_.respond(transaction, reply.status, write_response(request, reply));
    };
    if (found == early_.end() || state_ == State::settled || state_ == State::over) {
        return respond({.status = 481});
    }
    if (!found->second.dialog.accept_order(request)) {
        return respond({.status = 500, .reason = "CSeq Out Of Order"});
    }
    if (std::optional<Reply> refusal = refusal_of_required(request, invite_.terms.precedence)) {
        return respond(std::move(*refusal));
    }
    if (request.method == "UPDATE" && !request.body.empty()) {
        const bool offered = !invite_.late_offer && !found->second.reliable;  // and nobody has answered
        return offered ? respond({.status = 491})
                       : respond({.status = 500, .headers = {{"Retry-After", "5"}}});
    }
    if (request.method == "UPDATE" || request.method == "INFO" || request.method == "OPTIONS") {
        return respond({.headers = {{"Contact", half_.contact}, {"Allow", network_.allow()}}});
    }
    respond({.status = request.method == "BYE" ? 481 : 405, .headers = {{"Allow", network_.allow()}}});
}

}  // namespace vmr::sip
