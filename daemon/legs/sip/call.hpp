// One SIP leg: a Session, seen by the bridge as a Leg. incoming_call.hpp and outgoing_call.hpp are how one
// begins.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/legs/leg.hpp"
#include "daemon/legs/sip/dialog/session.hpp"
#include "daemon/legs/sip/lost_flows.hpp"
#include "daemon/legs/sip/network/resolver.hpp"
#include "daemon/legs/sip/registrar/locations.hpp"
#include "daemon/legs/sip/routing/way_back.hpp"
#include "daemon/legs/sip/usages.hpp"

namespace vmr::sip {

class Call;

// What a call needs from the place that holds all calls.
class CallOwner {
public:
    virtual ~CallOwner() = default;
    virtual std::int64_t now() const = 0;
    virtual void respond(const std::string& transaction, int status, const std::string& bytes) = 0;
    // `call`: in whose dialog it is; empty: in none.
    virtual std::uint64_t request(const Flow& flow, const std::string& method, const std::string& branch,
                                  const std::string& bytes, const std::string& ack,
                                  const std::string& call) = 0;
    virtual void request_again(std::uint64_t id, const Flow& flow, const std::string& method,
                               const std::string& branch, const std::string& bytes, const std::string& ack,
                               const std::string& call) = 0;
    // As Transactions'; and where a dialog's requests go when its connection is gone.
    virtual bool awaits_answer(const std::string& call, std::uint64_t connection) const = 0;
    virtual void send_again(const std::string& call, std::uint64_t connection, const Flow& to) = 0;
    virtual WayBack way_back(const Call& call, const Dialog& dialog) const = 0;
    // A trunk's, or the device's own.
    virtual bool is_known_way(const Call& call, const Flow& flow) const = 0;
    virtual void send(const Flow& flow, const std::string& bytes) = 0;
    virtual std::shared_ptr<void> receipt(const std::string& transaction, const std::string& bytes) = 0;
    virtual LegObserver& observer() = 0;
    virtual const std::string& contact_host() const = 0;
    virtual bool takes_referrals() const = 0;
    // A call to an address of this trunk's own, by it; nothing where the address is another's.
    virtual std::optional<DialPlan> plan_within(const std::string& trunk,
                                                const std::string& address) const = 0;
    virtual void on_call_touched() = 0;            // look at deadlines again
    virtual void on_blamed(const Flow& flow) = 0;  // its source asked for a name that does not exist
    // As Stack's; the answer comes later, on the control thread.
    using OnResolved = std::function<void(const Result<std::vector<Target>>&)>;
    using OnOpened = std::function<void(const Result<Flow>&)>;
    virtual void resolve(const Destination& destination, OnResolved on_resolved) = 0;
    virtual void open(const Target& target, const std::string& host, OnOpened on_opened) = 0;
    // From the control thread's loop; not after the owner has stopped.
    virtual void later(std::function<void()> job) = 0;
};

// Random, unguessable, hexadecimal.
std::string random_token(std::size_t bytes);

class Call : public Leg, public SessionHost, public std::enable_shared_from_this<Call> {
public:
    Call(CallOwner* owner, std::string id, LegKind kind) : owner_(owner), id_(std::move(id)), kind_(kind) {}

    // By which trunk it goes, and what it is worth (RFC 4412).
    struct Standing {
        std::string trunk;
        int rank = 0;
        bool may_end = false;     // for one of more precedence
        std::uint64_t order = 0;  // later ones have more
        bool refers = false;      // its REFER is taken
        bool messages = false;    // chat goes over it
    };
    void set_standing(Standing standing) { standing_ = std::move(standing); }
    const Standing& standing() const { return standing_; }
    // The device of ours that it is with, by the binding that it had when the call began.
    struct Device {
        std::string name;
        Contact binding;
    };
    const std::optional<Device>& device() const { return device_; }
    void set_device(Device device) { device_ = std::move(device); }
    // What was opened for it; nothing where it came to us, or rang at devices.
    virtual std::optional<Opening> opened() const { return std::nullopt; }
    LostFlows& lost_flows() { return lost_flows_; }
    const LostFlows& lost_flows() const { return lost_flows_; }
    std::vector<Dialog*> dialogs();
    // The owner goes away: nothing reaches the network any more.
    void orphan() { owner_ = nullptr; }
    CallOwner* owner() const { return owner_; }
    Usages& usages() { return usages_; }
    const Usages& usages() const { return usages_; }
    // Null before a call of ours is answered.
    Session* session() { return session_.get(); }
    const Session* session() const { return session_.get(); }

    bool takes_referrals() const {
        return (standing_.trunk.empty() ? kind_ == LegKind::sip : standing_.refers) && owner_ != nullptr &&
               owner_->takes_referrals();
    }
    bool takes_messages() const {
        return (standing_.trunk.empty() ? kind_ == LegKind::sip : standing_.messages) && owner_ != nullptr;
    }
    // The way of a call that rings there, whose dialog this is; null: it is not.
    virtual const Flow* early_flow(const std::string& /*key*/) const { return nullptr; }

    virtual std::string key() const = 0;  // as Dialog::key(); without the remote tag where it is not known
    virtual bool half_open() const { return false; }
    virtual void receive(const std::string& transaction, const Message& request) = 0;
    virtual void receive_response(std::uint64_t id, const Message& response) = 0;
    virtual void request_timed_out(std::uint64_t id) = 0;
    virtual void connection_closed(std::uint64_t connection) { lost_flows_.connection_closed(connection); }
    virtual void tick() = 0;
    virtual bool over() const = 0;      // nothing more to send or to wait for
    virtual bool gave_way() const = 0;  // its place is free
    virtual std::optional<std::int64_t> next_deadline() const = 0;

    // Leg
    const std::string& id() const override { return id_; }
    LegKind kind() const override { return kind_; }
    void refuse(EndCause cause) override { end(cause); }
    void renegotiate() override;
    Status transfer(const std::string& uri, OnCallStatus on_status) override;
    void on_conference_changed() override;
    void show_message(const ChatMessage& message) override;
    void blame() override;

    // SessionHost
    void respond(const std::string& transaction, int status, const std::string& bytes) override;
    std::uint64_t request(const Flow& flow, const std::string& method, const std::string& branch,
                          const std::string& bytes, const std::string& ack) override;
    void request_again(std::uint64_t id, const Flow& flow, const std::string& method,
                       const std::string& branch, const std::string& bytes, const std::string& ack) override;
    void send(const Flow& flow, const std::string& bytes) override;
    std::string new_branch() override { return "z9hG4bK" + random_token(12); }
    std::uint32_t random(std::uint32_t limit) override;
    std::shared_ptr<void> receipt(const std::string& transaction, const std::string& bytes) override;
    void on_session_answered() override;
    void on_key_received(char key) override;
    std::string allow() const override {
        return std::string(kAllow) + (takes_referrals() ? ", REFER" : "") +
               (takes_messages() ? ", MESSAGE" : "");
    }
    void follow(Dialog& dialog, const Flow& flow) override;
    bool on_other_request(const std::string& transaction, const Message& request) override {
        return usages_.receive(transaction, request);
    }

protected:
    // The leg ends when its media fails.
    void follow(MediaSession& media);

    CallOwner* owner_;
    const std::string id_;
    const LegKind kind_;
    std::string trunk_;  // over which it came, or empty
    Standing standing_;
    bool known_ = false;  // the observer holds a media session for it
    std::unique_ptr<Session> session_;
    Usages usages_{*this};
    std::optional<Device> device_;
    LostFlows lost_flows_{*this};
};

}  // namespace vmr::sip
