// A call that came to us.
#pragma once
#include <optional>
#include <string>

#include "daemon/legs/sip/call.hpp"

namespace vmr::sip {

class IncomingCall final : public Call {
public:
    IncomingCall(CallOwner* owner, std::string id, LegKind kind, const std::string& transaction,
                 const Message& invite, const std::string& contact_host, const DialogTerms& terms = {});

    // Offers the call to the observer.
    void arrive(const Arrival& arrival);
    // CANCEL for the first INVITE.
    void cancel() { session_->cancel(owner_->now()); }
    void give_way();  // half-open, for another call
    // The observer knew no such name when it arrived.
    bool not_found() const { return !known_ && refused_ == EndCause::not_found; }
    const std::string& invite_transaction() const { return invite_transaction_; }

    std::string key() const override { return session_->dialog().key(); }
    bool half_open() const override { return session_->half_open(); }
    void receive(const std::string& transaction, const Message& request) override;
    void receive_response(std::uint64_t id, const Message& response) override;
    void request_timed_out(std::uint64_t id) override;
    void tick() override;
    bool over() const override { return session_->over(); }
    bool gave_way() const override { return session_->gave_way(); }
    std::optional<std::int64_t> next_deadline() const override { return session_->next_deadline(); }

    void accept() override;
    void end(EndCause cause) override;

    void on_session_ended(EndCause cause, std::shared_ptr<void> receipt) override;

private:
    const std::string invite_transaction_;
    bool accept_wanted_ = false;
    std::optional<EndCause> refused_;  // from within on_leg_arrived
};

}  // namespace vmr::sip
