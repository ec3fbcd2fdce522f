#include "daemon/legs/sip/call.hpp"

#include <openssl/rand.h>

#include <stdexcept>

namespace vmr::sip {

std::string random_token(std::size_t bytes) {
    std::string raw(bytes, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(raw.data()), static_cast<int>(bytes)) != 1) {
        throw std::runtime_error("no randomness");  // guessable tags would let others into a dialog
    }
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const char byte : raw) {
        text += kDigits[static_cast<unsigned char>(byte) >> 4U];
        text += kDigits[static_cast<unsigned char>(byte) & 15U];
    }
    return text;
}

void Call::follow(MediaSession& media) {
    MediaSession::Callbacks callbacks;
    callbacks.on_media_failed = [weak = weak_from_this()](EndCause cause, const std::string&) {
        if (const auto call = weak.lock()) {
            call->end(cause);
        }
    };
    callbacks.on_keyframe_wanted = [weak = weak_from_this()] {
        if (const auto call = weak.lock(); call && call->owner_ != nullptr && call->session_) {
            call->session_->ask_for_keyframe(call->owner_->now());
            call->owner_->on_call_touched();
        }
    };
    media.set_callbacks(std::move(callbacks));
}

void Call::renegotiate() {
    if (owner_ != nullptr && session_) {
        session_->renegotiate(owner_->now());
        owner_->on_call_touched();
    }
}

Status Call::transfer(const std::string& uri, OnCallStatus on_status) {
    if (owner_ == nullptr || !session_ || session_->half_open() || session_->leaving()) {
        return Error{"the call is not up"};
    }
    return usages_.transfer(uri, std::move(on_status));
}

void Call::on_conference_changed() {
    if (owner_ != nullptr) {
        usages_.on_conference_changed();
    }
}

void Call::show_message(const ChatMessage& message) {
    if (takes_messages() && session_ && session_->peer_messages() && !session_->half_open() &&
        !session_->leaving()) {
        usages_.show_message(message);
    }
}

void Call::blame() {
    if (owner_ != nullptr && session_) {
        owner_->on_blamed(session_->dialog().flow());
    }
}

void Call::respond(const std::string& transaction, int status, const std::string& bytes) {
    if (owner_ != nullptr) {
        owner_->respond(transaction, status, bytes);
    }
}

std::uint64_t Call::request(const Flow& flow, const std::string& method, const std::string& branch,
                            const std::string& bytes, const std::string& ack) {
    if (owner_ == nullptr) {
        return 0;
    }
    // Before the answer there is no dialog: an INVITE that cannot go on tries the next target instead.
    const std::uint64_t id =
        owner_->request(flow, method, branch, bytes, ack, session_ ? id_ : std::string());
    lost_flows_.requested(flow);
    return id;
}

std::vector<Dialog*> Call::dialogs() {
    std::vector<Dialog*> dialogs;
    if (session_) {
        dialogs.push_back(&session_->dialog());
    }
    usages_.add_asides(dialogs);
    return dialogs;
}

void Call::follow(Dialog& dialog, const Flow& flow) {
    const Flow before = dialog.flow();
    const bool known = dialog.has_routes() || (owner_ != nullptr && owner_->is_known_way(*this, flow));
    if (may_follow(before, flow, known)) {
        dialog.move_to(flow);
        if (before.connection != flow.connection && owner_ != nullptr) {
            lost_flows_.moved(before, flow);
        }
    }
}

void Call::request_again(std::uint64_t id, const Flow& flow, const std::string& method,
                         const std::string& branch, const std::string& bytes, const std::string& ack) {
    if (owner_ != nullptr) {
        owner_->request_again(id, flow, method, branch, bytes, ack, session_ ? id_ : std::string());
        lost_flows_.requested(flow);
    }
}

void Call::send(const Flow& flow, const std::string& bytes) {
    if (owner_ != nullptr) {
        owner_->send(flow, bytes);
        lost_flows_.sent(flow);
    }
}

std::uint32_t Call::random(std::uint32_t limit) {
    std::uint32_t value = 0;
    (void)RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value);
    return value % limit;
}

std::shared_ptr<void> Call::receipt(const std::string& transaction, const std::string& bytes) {
    return owner_ != nullptr ? owner_->receipt(transaction, bytes) : nullptr;
}

void Call::on_session_answered() {
    if (known_ && owner_ != nullptr) {
        owner_->observer().on_leg_answered(id_);
    }
}

void Call::on_key_received(char key) {
    if (known_ && owner_ != nullptr) {
        owner_->observer().on_leg_key(id_, key);
    }
}

}  // namespace vmr::sip
