#include "daemon/legs/sip/incoming_call.hpp"

namespace vmr::sip {

IncomingCall::IncomingCall(CallOwner* owner, std::string id, LegKind kind, const std::string& transaction,
                           const Message& invite, const std::string& contact_host, const DialogTerms& terms)
    : Call(owner, std::move(id), kind), invite_transaction_(transaction) {
    session_ = std::make_unique<Session>(*this, transaction, invite, random_token(8), contact_host,
                                         owner->now(), terms);
    if (kind == LegKind::sip) {
        session_->dialog().be_focus();
    }
}

void IncomingCall::arrive(const Arrival& arrival) {
    const auto self = shared_from_this();
    std::shared_ptr<MediaSession> media = owner_->observer().on_leg_arrived(self, arrival);
    if (!media) {
        end(EndCause::not_found);
        return;
    }
    if (session_->over()) {
        // Refused from within on_leg_arrived with a media session made: report its end.
        owner_->observer().on_leg_ended(id_, refused_.value_or(EndCause::forbidden), nullptr);
        return;
    }
    known_ = true;
    follow(*media);
    session_->attach(std::move(media));
    session_->ring(owner_->now());
    if (accept_wanted_) {
        accept();
    }
}

void IncomingCall::receive(const std::string& transaction, const Message& request) {
    session_->receive(transaction, request, owner_->now());
}

void IncomingCall::receive_response(std::uint64_t id, const Message& response) {
    session_->receive_response(id, response, owner_->now());
}

void IncomingCall::request_timed_out(std::uint64_t id) {
    session_->request_timed_out(id, owner_->now());
}

void IncomingCall::tick() {
    session_->tick(owner_->now());
}

void IncomingCall::accept() {
    if (!known_) {
        accept_wanted_ = true;  // called from within on_leg_arrived
        return;
    }
    if (owner_ != nullptr) {
        session_->accept(owner_->now());
        owner_->on_call_touched();
    }
}

void IncomingCall::end(EndCause cause) {
    if (owner_ != nullptr) {
        session_->end(cause, owner_->now());
        owner_->on_call_touched();
    }
}

void IncomingCall::give_way() {
    if (owner_ != nullptr) {
        session_->give_way(owner_->now());
    }
}

void IncomingCall::on_session_ended(EndCause cause, std::shared_ptr<void> receipt) {
    if (owner_ != nullptr) {
        usages_.end();
    }
    if (!known_) {
        refused_ = cause;
    } else if (owner_ != nullptr) {
        owner_->observer().on_leg_ended(id_, cause, std::move(receipt));
    }
}

}  // namespace vmr::sip
