// A call that we place: its address is looked up, a way there opened, the INVITE sent; when a target does not
// serve, the next is tried. Of a device that registered several contacts ring at once.
#pragma once
#include <deque>
#include <memory>
#include <string>

#include "daemon/legs/sip/call.hpp"
#include "daemon/legs/sip/dialog/fork.hpp"

namespace vmr::sip {

class OutgoingCall final : public Call, private InvitationHost {
public:
    OutgoingCall(CallOwner* owner, std::string id, LegKind kind, Invite invite);

    void begin(const Destination& destination);
    // To devices that registered, by the ways that they opened: a group rings together, the next when all of
    // it have failed.
    using Group = std::vector<Fork::Device>;
    // Of the device `name`, whose bindings these are.
    void begin(std::deque<Group> groups, const std::string& name, std::vector<Contact> bindings);
    // By a trunk: its proxies, in the order to try them.
    struct Proxy {
        std::string uri;  // to ask of it
        Destination destination;
    };
    void begin(std::deque<Proxy> proxies);

    std::string key() const override { return invitation_.call_id() + "|" + invitation_.local_tag() + "|"; }
    const Flow* early_flow(const std::string& key) const override {
        return ended_ ? nullptr : invitation_.early_flow(key);
    }
    void receive(const std::string& transaction, const Message& request) override;
    void receive_response(std::uint64_t id, const Message& response) override;
    void request_timed_out(std::uint64_t id) override;
    std::optional<Opening> opened() const override { return opened_; }
    void connection_closed(std::uint64_t connection) override;
    void tick() override;
    bool over() const override;
    bool gave_way() const override { return ended_; }
    std::optional<std::int64_t> next_deadline() const override;

    void accept() override {}
    void end(EndCause cause) override;

    void on_session_ended(EndCause cause, std::shared_ptr<void> receipt) override;

private:
    void on_progressed(LegProgress progress) override;
    void on_invitation_accepted(Established established, bool resync) override;
    void on_invitation_refused(const Refusal& refusal) override;
    void take_targets(const Result<std::vector<Target>>& targets);
    void try_next(const Refusal& why);
    void ring_group();
    void try_proxy();
    void begin_later(const char* no_way);
    void take_flow(const Target& target, const Result<Flow>& flow);
    void learn_device(const Flow& flow);
    bool has_media(const Flow& flow);
    void give_up(const Refusal& refusal);
    bool is_of_session(const std::string& remote_tag) const;

    Fork invitation_;
    std::string host_;  // that was dialled: certificates must be its
    std::deque<Target> targets_;
    std::deque<Group> groups_;
    std::deque<Proxy> proxies_;
    std::optional<Opening> opened_;
    std::string device_name_;
    std::vector<Contact> bindings_;  // of that device
    std::shared_ptr<MediaSession> media_;
    bool ended_ = false;  // told the observer
};

}  // namespace vmr::sip
