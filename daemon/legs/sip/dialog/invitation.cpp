#include "daemon/legs/sip/dialog/invitation.hpp"

#include <algorithm>
#include <charconv>

#include "daemon/legs/sip/dialog/transaction.hpp"

namespace vmr::sip {
namespace {

constexpr int kMaxTries = 2;  // with another session interval

std::string quoted(std::string text) {
    std::erase_if(text, [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '"' || c == '\\'; });
    return text.empty() ? std::string() : "\"" + text + "\" ";
}

std::uint32_t number_of(const std::string* text) {
    std::uint32_t number = 0;
    if (text != nullptr) {
        (void)std::from_chars(text->data(), text->data() + text->size(), number);
    }
    return number;
}

}  // namespace

Invitation::Invitation(SessionHost& network, InvitationHost& host, Invite invite, std::string call_id,
                       std::string local_tag)
    : network_(network),
      host_(host),
      invite_(std::move(invite)),
      timer_(invite_.terms.session_expires, invite_.terms.min_se),
      require_(invite_.require) {
    half_.call_id = std::move(call_id);
    half_.local_tag = std::move(local_tag);
    half_.target = invite_.uri;
    half_.remote = "<" + invite_.uri + ">";
    if (invite_.terms.reliable == Reliable::required) {
        require_.emplace_back("100rel");
    }
    timer_.propose();
    requests_.identify(invite_.identity);
}

void Invitation::start(const Flow& flow, std::shared_ptr<MediaSession> media, std::int64_t now) {
    if (state_ != State::idle) {
        return;
    }
    media_ = std::move(media);
    half_.flow = flow;
    half_.flow.dscp = invite_.dscp;
    half_.contact =
        contact_for(flow, invite_.contact_host, invite_.from_user, half_.target.starts_with("sips:")) +
        (invite_.focus ? ";isfocus" : "");
    Address from{invite_.from_host.empty() ? flow.local.ip : invite_.from_host, 0};
    const std::string host = from.ip.find(':') == std::string::npos ? from.ip : "[" + from.ip + "]";
    half_.local =
        quoted(invite_.from_name) + "<sip:" + invite_.from_user + "@" + host + ">;tag=" + half_.local_tag;
    ring_until_ = ring_until_ < 0 ? now + invite_.ring_timeout : ring_until_;
    early_.clear();
    provisional_ = false;
    credentials_ = {};  // another server knows nothing of the last one's challenges
    if (!invite_.late_offer) {
        media_->set_signalling(flow.protection);
        const SdpResult offer = media_->offer();
        if (!offer) {
            refuse(local_refusal(end_cause(offer.problem().kind), offer.problem().text, false), now);
            return;
        }
        offer_ = offer.sdp();
    }
    send_invite(now);
}

std::string Invitation::write(const std::string& method, const std::string& body) const {
    std::string text = method + " " + half_.target + " SIP/2.0\r\n" + write_via(half_.flow, branch_) +
                       "Max-Forwards: 70\r\nFrom: " + half_.local + "\r\nTo: " + half_.remote +
                       "\r\nCall-ID: " + half_.call_id + "\r\nCSeq: " + std::to_string(half_.cseq) + " " +
                       method + "\r\n";
    if (method == "INVITE") {
        for (const Header& header : invite_.headers) {
            text += header.name + ": " + header.value + "\r\n";
        }
        for (const std::string& option : require_) {
            text += "Require: " + option + "\r\n";
        }
        text += "Contact: " + half_.contact + "\r\nAllow: " + network_.allow() + "\r\nSupported: " +
                (invite_.terms.reliable == Reliable::off ? kSupportedUnreliable : kSupported) +
                "\r\nAccept: application/sdp\r\nSession-Expires: " + std::to_string(timer_.interval()) +
                "\r\nMin-SE: " + std::to_string(timer_.min_se()) + "\r\n";
    }
    if (method == "CANCEL" && !cancel_reason_.empty()) {
        text += "Reason: " + cancel_reason_ + "\r\n";
    }
    if (method == "INVITE" && !invite_.replaces.empty()) {
        text += "Require: replaces\r\nReplaces: " + invite_.replaces + "\r\n";
    }
    if (method != "CANCEL") {
        for (const Header& header : credentials_.headers()) {
            text += header.name + ": " + header.value + "\r\n";
        }
    }
    append_body(text, "application/sdp", body);
    return text;
}

void Invitation::send_invite(std::int64_t /*now*/) {
    state_ = State::calling;
    ++half_.cseq;
    branch_ = network_.new_branch();
    transaction_ = network_.request(half_.flow, "INVITE", branch_, write("INVITE", offer_), write("ACK", {}));
}

void Invitation::cancel(EndCause cause, std::int64_t now, std::string reason) {
    if (state_ == State::idle) {
        state_ = State::over;
    }
    if (state_ != State::calling && state_ != State::proceeding) {
        return;
    }
    cancel_cause_ = cause;
    cancel_reason_ = std::move(reason);
    state_ = State::cancelling;
    over_at_ = now + 2 * kTimeout;  // the INVITE's own time, then that of its answer (section 9.1)
    media_.reset();
    if (provisional_) {
        send_cancel();
    }
}

void Invitation::send_cancel() {
    if (!std::exchange(cancel_sent_, true)) {
        (void)network_.request(half_.flow, "CANCEL", branch_, write("CANCEL", {}), {});
    }
}

void Invitation::settle(std::int64_t now) {
    state_ = State::settled;
    over_at_ = now + kTimeout;
    media_.reset();
}

void Invitation::refuse(const Refusal& refusal, std::int64_t now) {
    const bool next = refusal.try_next && now < ring_until_;
    if (media_) {
        media_->discard_offer();
    }
    settle(now);
    if (next) {
        state_ = State::idle;
        over_at_ = -1;
    }
    Refusal told = refusal;
    told.try_next = next;
    host_.on_invitation_refused(told);
}

const Flow* Invitation::early_flow(const std::string& key) const {
    const bool rings = state_ == State::proceeding && std::ranges::any_of(early_, [&key](const auto& early) {
                           return early.second.dialog.key() == key;
                       });
    return rings ? &half_.flow : nullptr;
}

Invitation::Early* Invitation::early(const Message& response) {
    const std::string& tag = response.to.tag;
    const auto found = early_.find(tag);
    if (found != early_.end()) {
        return &found->second;
    }
    constexpr std::size_t kMaxEarly = 8;  // of one fork
    if (tag.empty() || early_.size() >= kMaxEarly) {
        return nullptr;
    }
    return &early_.emplace(tag, Early{Dialog(half_, response)}).first->second;
}

void Invitation::receive_response(std::uint64_t id, const Message& response, std::int64_t now) {
    if (response.method != "INVITE") {
        receive_response_within(id, response);
        return;
    }
    if (response.status >= 200 && response.status < 300) {
        receive_accepted(response, now);
    } else if (id != transaction_) {
        return;  // of a target that we have given up
    } else if (response.status < 200) {
        receive_provisional(response, now);
    } else {
        receive_refused(response, now);
    }
}

void Invitation::receive_provisional(const Message& response, std::int64_t now) {
    provisional_ = true;
    if (state_ == State::cancelling) {
        send_cancel();
        return;
    }
    if (state_ != State::calling && state_ != State::proceeding) {
        return;
    }
    state_ = State::proceeding;
    Early* dialog = response.status > 100 ? early(response) : nullptr;
    if (dialog == nullptr) {
        return;
    }
    const std::uint32_t rseq = number_of(response.header("rseq"));
    const bool reliable = response.has_token("require", "100rel") && rseq != 0;
    if (reliable && dialog->rseq != 0 && rseq != dialog->rseq + 1) {
        return;  // again, or out of order (RFC 3262 section 4)
    }
    RequestParts prack{.method = "PRACK"};
    take_description(*dialog, response, reliable, prack);
    if (reliable) {
        dialog->rseq = rseq;
        prack.headers.push_back(
            {"RAck", std::to_string(rseq) + " " + std::to_string(half_.cseq) + " INVITE"});
        (void)requests_.send(dialog->dialog, std::move(prack));
    }
    if (invite_.late_offer && reliable && !response.body.empty() && !dialog->answered) {
        cancel(EndCause::not_acceptable, now);
        host_.on_invitation_refused(local_refusal(EndCause::not_acceptable, "No media in common", false));
    } else if (!response.body.empty()) {
        host_.on_progressed(LegProgress::early_media);
    } else if (response.status == 180) {
        host_.on_progressed(LegProgress::ringing);
    }
}

// An answer waits for the 2xx: nobody in the room is to hear a ringing tone, and of several branches only
// one will be taken. An offer must be answered in the PRACK (RFC 3262 section 5).
void Invitation::take_description(Early& early, const Message& response, bool reliable, RequestParts& prack) {
    if (response.body.empty() || response.content_type != "application/sdp") {
        return;
    }
    if (!invite_.late_offer) {
        if (!early.reliable) {
            early.answer = response.body;
            early.reliable = reliable;
        }
    } else if (reliable && !early.answered) {
        media_->set_signalling(response.flow.protection);
        const SdpResult answer = media_->answer(response.body);
        early.answered = answer.ok();
        if (answer) {
            prack.body = answer.sdp();
            media_tag_ = response.to.tag;
        }
    }
}

void Invitation::receive_refused(const Message& response, std::int64_t now) {
    if (state_ == State::cancelling || state_ == State::settled) {
        settle(now);
        return;
    }
    if (state_ == State::idle || state_ == State::over) {
        return;
    }
    if (!retry(response, now)) {
        refuse(read_refusal(response), now);
    }
}

// Precedence can be asked for without a demand (RFC 4412 section 4.2); nothing else can.
bool Invitation::drop_required(const Message& response) {
    return response.has_token("unsupported", "resource-priority") &&
           std::erase(require_, "resource-priority") > 0;
}

bool Invitation::retry(const Message& response, std::int64_t now) {
    const bool challenged = response.status == 401 || response.status == 407;
    if (challenged) {
        if (!credentials_.answer(response, invite_.identity, half_.target, network_.new_branch().substr(7))) {
            return false;
        }
    } else if (response.status == 420 && drop_required(response)) {
        // once more without what the far side does not know
    } else if (response.status == 422 && ++attempts_with_timer_ <= kMaxTries) {
        timer_.raise_to(number_of(response.header("min-se")));  // RFC 4028 section 7.3
    } else {
        return false;
    }
    early_.clear();
    provisional_ = false;
    send_invite(now);
    return true;
}

void Invitation::request_timed_out(std::uint64_t id, std::int64_t now) {
    (void)requests_.take(id);
    if (id != transaction_ || id == 0) {
        return;
    }
    if (state_ == State::cancelling) {
        state_ = State::over;
    } else if (state_ == State::calling) {
        refuse(local_refusal(EndCause::unreachable, "No response", true), now);
    } else if (state_ == State::proceeding) {
        refuse(local_refusal(EndCause::no_answer, "No answer", false), now);
    }
}

void Invitation::connection_closed(std::uint64_t connection, std::int64_t now) {
    if (connection == 0 || half_.flow.connection != connection) {
        return;
    }
    if (state_ == State::calling) {
        refuse(local_refusal(EndCause::unreachable, "Connection lost", true), now);
    } else if (state_ == State::proceeding) {
        refuse(local_refusal(EndCause::signalling_lost, "Connection lost", false), now);
    }
}

void Invitation::tick(std::int64_t now) {
    if (over_at_ >= 0 && now >= over_at_) {
        state_ = State::over;
        over_at_ = -1;
    }
    if ((state_ == State::calling || state_ == State::proceeding) && now >= ring_until_) {
        cancel(EndCause::no_answer, now);
        host_.on_invitation_refused(local_refusal(EndCause::no_answer, "No answer", false));
    }
}

std::optional<std::int64_t> Invitation::next_deadline() const {
    if (over_at_ >= 0) {
        return over_at_;
    }
    return state_ == State::calling || state_ == State::proceeding ? std::optional(ring_until_)
                                                                   : std::nullopt;
}

}  // namespace vmr::sip
