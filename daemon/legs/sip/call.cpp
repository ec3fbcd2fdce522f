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

Call::Call(CallOwner* owner, std::string id, LegKind kind, const std::string& transaction,
           const Message& invite, const std::string& contact_host)
    : owner_(owner),
      id_(std::move(id)),
      kind_(kind),
      invite_transaction_(transaction),
      session_(*this, transaction, invite, random_token(8), contact_host, owner->now()) {}

void Call::arrive(const Arrival& arrival) {
    const auto self = shared_from_this();
    std::shared_ptr<MediaSession> media = owner_->observer().on_leg_arrived(self, arrival);
    if (!media) {
        end(EndCause::not_found);
        return;
    }
    if (session_.over()) {
        // Refused from within on_leg_arrived with a media session made: report its end.
        owner_->observer().on_leg_ended(id_, refused_.value_or(EndCause::forbidden), nullptr);
        return;
    }
    known_ = true;
    MediaSession::Callbacks callbacks;
    callbacks.on_media_failed = [weak = weak_from_this()](EndCause cause, const std::string&) {
        if (const auto call = weak.lock()) {
            call->end(cause);
        }
    };
    media->set_callbacks(std::move(callbacks));
    session_.attach(std::move(media));
    if (accept_wanted_) {
        accept();
    }
}

void Call::ring() {
    if (owner_ != nullptr) {
        session_.ring(owner_->now());
        owner_->on_call_touched();
    }
}

void Call::accept() {
    if (!known_) {
        accept_wanted_ = true;  // called from within on_leg_arrived
        return;
    }
    if (owner_ != nullptr) {
        session_.accept(owner_->now());
        owner_->on_call_touched();
    }
}

void Call::end(EndCause cause) {
    if (owner_ != nullptr) {
        session_.end(cause, owner_->now());
        owner_->on_call_touched();
    }
}

void Call::renegotiate() {
    if (owner_ != nullptr) {
        session_.renegotiate(owner_->now());
        owner_->on_call_touched();
    }
}

void Call::respond(const std::string& transaction, int status, const std::string& bytes) {
    if (owner_ != nullptr) {
        owner_->respond(transaction, status, bytes);
    }
}

std::uint64_t Call::request(const Flow& flow, const std::string& method, const std::string& branch,
                            const std::string& bytes, const std::string& ack) {
    return owner_ != nullptr ? owner_->request(flow, method, branch, bytes, ack) : 0;
}

void Call::send(const Flow& flow, const std::string& bytes) {
    if (owner_ != nullptr) {
        owner_->send(flow, bytes);
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

void Call::on_session_ended(EndCause cause, std::shared_ptr<void> receipt) {
    if (!known_) {
        refused_ = cause;
    } else if (owner_ != nullptr) {
        owner_->observer().on_leg_ended(id_, cause, std::move(receipt));
    }
}

}  // namespace vmr::sip
