// One SIP leg: a Session, seen by the bridge as a Leg.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "daemon/legs/leg.hpp"
#include "daemon/legs/sip/session.hpp"

namespace vmr::sip {

// What a call needs from the place that holds all calls.
class CallOwner {
public:
    virtual ~CallOwner() = default;
    virtual std::int64_t now() const = 0;
    virtual void respond(const std::string& transaction, int status, const std::string& bytes) = 0;
    virtual std::uint64_t request(const Flow& flow, const std::string& method, const std::string& branch,
                                  const std::string& bytes, const std::string& ack) = 0;
    virtual void send(const Flow& flow, const std::string& bytes) = 0;
    virtual std::shared_ptr<void> receipt(const std::string& transaction, const std::string& bytes) = 0;
    virtual LegObserver& observer() = 0;
    virtual void on_call_touched() = 0;  // look at deadlines again
};

// Random, unguessable, hexadecimal.
std::string random_token(std::size_t bytes);

class Call : public Leg, public SessionHost, public std::enable_shared_from_this<Call> {
public:
    Call(CallOwner* owner, std::string id, LegKind kind, const std::string& transaction,
         const Message& invite, const std::string& contact_host);

    // Offers the call to the observer.
    void arrive(const Arrival& arrival);
    // The owner goes away: nothing reaches the network any more.
    void orphan() { owner_ = nullptr; }
    Session& session() { return session_; }
    const Session& session() const { return session_; }
    bool turned_away() const { return !known_; }  // by the observer, when it arrived
    const std::string& invite_transaction() const { return invite_transaction_; }

    // Leg
    const std::string& id() const override { return id_; }
    LegKind kind() const override { return kind_; }
    void ring() override;
    void accept() override;
    void refuse(EndCause cause) override { end(cause); }
    void end(EndCause cause) override;
    void renegotiate() override;

    // SessionHost
    void respond(const std::string& transaction, int status, const std::string& bytes) override;
    std::uint64_t request(const Flow& flow, const std::string& method, const std::string& branch,
                          const std::string& bytes, const std::string& ack) override;
    void send(const Flow& flow, const std::string& bytes) override;
    std::string new_branch() override { return "z9hG4bK" + random_token(12); }
    std::uint32_t random(std::uint32_t limit) override;
    std::shared_ptr<void> receipt(const std::string& transaction, const std::string& bytes) override;
    void on_session_answered() override;
    void on_key_received(char key) override;
    void on_session_ended(EndCause cause, std::shared_ptr<void> receipt) override;

private:
    CallOwner* owner_;
    const std::string id_;
    const LegKind kind_;
    const std::string invite_transaction_;
    bool known_ = false;  // the observer holds a media session for it
    bool accept_wanted_ = false;
    std::optional<EndCause> refused_;  // from within on_leg_arrived
    Session session_;
};

}  // namespace vmr::sip
