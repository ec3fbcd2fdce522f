// What stands behind SipLegs. One file per subject:
//   sip_legs.cpp       start and stop, time, the public face
//   sip_legs_in.cpp    requests and calls that come to us
//   sip_legs_out.cpp   calls that we place
//   sip_legs_aside.cpp dialogs beside calls: subscriptions; calls that take another's place
//   sip_legs_devices.cpp  devices that register, and calls from and to them
//   sip_legs_trunks.cpp  ways to trunks, precedence
//   sip_legs_ways.cpp  connections that come and go under calls
#pragma once
#include <algorithm>
#include <list>
#include <map>
#include <unordered_map>

#include "base/source_limiter.hpp"
#include "daemon/legs/sip/call.hpp"
#include "daemon/legs/sip/dialog/transaction.hpp"
#include "daemon/legs/sip/half_open.hpp"
#include "daemon/legs/sip/message/writer.hpp"
#include "daemon/legs/sip/routing/dial_rules.hpp"
#include "daemon/legs/sip/routing/precedence.hpp"
#include "daemon/legs/sip/sip_legs.hpp"
#include "daemon/legs/sip/trunks/lines.hpp"

namespace vmr::sip {

class SipLegs::Core : public StackHandler, public TransactionUser, public CallOwner, public LineHost {
public:
    using CallOwner::OnOpened;
    using CallOwner::OnResolved;

    Core(SipConfig config, LegObserver& observer, GMainContext* context)
        : config_(std::move(config)),
          observer_(observer),
          context_(g_main_context_ref(context != nullptr ? context : g_main_context_default())),
          digest_(config_.realm, random_token(32)),
          invites_(config_.invites_per_second, config_.invites_per_second * 2),
          transactions_([this](const Flow& flow, const std::string& bytes) { send(flow, bytes); }, *this,
                        config_.max_transactions) {}
    ~Core() override {
        stop(EndCause::shutdown);
        g_main_context_unref(context_);
    }

    Result<std::vector<ListenAddress>> start();
    void stop(EndCause cause);
    void drain() {
        draining_ = true;
        lines_.withdraw(now());
    }
    Status reload() { return stack_ ? stack_->reload_certificate() : Status(Error{"not started"}); }
    Status set_trunks(std::vector<TrunkConfig> configs);
    std::size_t calls() const { return calls_.size(); }
    std::size_t half_open() const {
        return static_cast<std::size_t>(std::count_if(
            calls_.begin(), calls_.end(), [](const auto& entry) { return entry.second->half_open(); }));
    }
    StackStatistics statistics() const { return stack_ ? stack_->statistics() : StackStatistics(); }

    // StackHandler
    void on_message_received(Message message) override;
    void on_connection_closed(std::uint64_t connection) override;
    void on_resolved(std::uint64_t id, const Result<std::vector<Target>>& targets) override;
    void on_flow_opened(std::uint64_t id, const Result<Flow>& flow) override;

    // TransactionUser
    std::optional<Reply> refusal_of(const Message& request) override;
    void on_request_received(const std::string& transaction, const Message& request) override;
    void on_invite_cancelled(const std::string& transaction) override;
    void on_response_received(std::uint64_t id, const Message& response) override;
    void on_request_timed_out(std::uint64_t id) override { timed_out_.push_back(id); }

    // CallOwner
    std::int64_t now() const override { return g_get_monotonic_time() / 1000; }
    void respond(const std::string& transaction, int status, const std::string& bytes) override {
        transactions_.respond(transaction, status, bytes, now());
    }
    std::uint64_t request(const Flow& flow, const std::string& method, const std::string& branch,
                          const std::string& bytes, const std::string& ack,
                          const std::string& call) override {
        return transactions_.request(flow, method, branch, bytes, ack, now(), call);
    }
    void request_again(std::uint64_t id, const Flow& flow, const std::string& method,
                       const std::string& branch, const std::string& bytes, const std::string& ack,
                       const std::string& call) override {
        (void)transactions_.request(flow, method, branch, bytes, ack, now(), call, id);
    }
    bool awaits_answer(const std::string& call, std::uint64_t connection) const override {
        return transactions_.awaits_answer(call, connection);
    }
    void send_again(const std::string& call, std::uint64_t connection, const Flow& to) override {
        transactions_.send_again(call, connection, to, now());
        arm(now() + kGranularity);
    }
    WayBack way_back(const Call& call, const Dialog& dialog) const override;
    bool is_known_way(const Call& call, const Flow& flow) const override;
    void send(const Flow& flow, const std::string& bytes) override {
        if (stack_) {
            stack_->send(flow, bytes);
        }
    }
    std::shared_ptr<void> receipt(const std::string& transaction, const std::string& bytes) override;
    LegObserver& observer() override { return observer_; }
    const std::string& contact_host() const override { return config_.contact_host; }
    bool takes_referrals() const override { return rules_.takes_referrals(); }
    std::optional<DialPlan> plan_within(const std::string& trunk, const std::string& address) const override {
        const TrunkConfig* config = trunks_.find(trunk);
        return config != nullptr ? rules_.plan_within(*config, address) : std::nullopt;
    }
    void on_call_touched() override { arm(now() + kGranularity); }
    void on_blamed(const Flow& flow) override { punish(flow, kUnknownAlias); }
    void resolve(const Destination& destination, OnResolved on_resolved) override;
    void open(const Target& target, const std::string& host, OnOpened on_opened) override;
    void later(std::function<void()> job) override;

    // LineHost
    std::uint64_t request(const Flow& flow, const std::string& method, const std::string& branch,
                          const std::string& bytes, const std::string& ack) override {
        return transactions_.request(flow, method, branch, bytes, ack, now());
    }
    std::string new_token() override { return random_token(12); }
    void on_line_changed(const LineStatus& status) override;
    void on_trunk_found(const std::string& trunk) override;
    std::vector<LineStatus> trunk_lines() const { return lines_.status(); }

    // Calls that we place
    Result<DialPlan> plan(const std::string& address) const;
    std::shared_ptr<Leg> dial(const Placement& placement);
    void set_dial_rules(DialRules rules) { rules_ = std::move(rules); }

    // Devices that register
    Devices* devices() { return devices_.get(); }
    Status set_registrar(RegistrarConfig config, std::vector<ConfiguredDevice> devices);
    std::vector<Contact> lookup(const std::string& device) const;

private:
    static constexpr std::int64_t kGranularity = 50;    // ms that a deadline may be late
    static constexpr std::int64_t kPruneInterval = 10;  // ms
    // Offences, beside the one of a message that cannot be read.
    static constexpr double kUnknownAlias = 2;
    static constexpr double kWrongDigest = 4;

    void reply(const std::string& transaction, const Message& request, Reply reply);
    void refuse(const std::string& transaction, const Message& invite, Reply answer, EndCause cause);
    enum class Limit { within, wait, over };  // wait: who is there asks again
    Limit limit_of(const Message& request, bool begins);
    Limit limit_of_calls(const Message& invite);
    HalfOpen::Caller caller_of(const Message& invite) const;
    bool is_crowded() const {
        return calls_.size() >= config_.max_calls || half_open_.size() >= config_.max_half_open;
    }
    void make_room(const HalfOpen::Caller& caller);
    const std::string* gives_way_to(const HalfOpen::Caller& caller);
    void give_way(const std::string& key);
    void take_in_dialog(const std::string& transaction, const Message& request);
    void take_subscribe(const std::string& transaction, const Message& subscribe);
    std::optional<Reply> find_replaced(const Message& invite, const Trunks::Match& match,
                                       std::string& leg) const;
    std::shared_ptr<Call> subscriber(const Message& subscribe) const;
    std::shared_ptr<Call> find_aside(const std::string& key) const;
    std::optional<std::int64_t> deadline_of(const Call& call) const;
    std::optional<std::string> admit_call(const std::string& transaction, const Message& invite,
                                          const TrunkConfig* trunk, const std::string& replaced);
    void take_invite(const std::string& transaction, const Message& invite);
    bool is_merged(const std::string& transaction, const Message& invite);
    void prune_half_open();
    void trust_trunks();
    void begin_lines();
    void mark(Message& message) const;
    std::vector<StandingCall> standing(const std::string& trunk, const std::string& replaced) const;
    Admission place_for(const TrunkConfig& trunk, int rank, const std::string& replaced = {}) const;
    void preempt(const std::string& key);
    bool may_preempt(const Message& invite) const;
    bool may_replace(const Message& invite) const;
    Call::Standing standing_of(const TrunkConfig& trunk, int rank);
    std::shared_ptr<Leg> dial_by_trunk(const Placement& placement, const TrunkConfig& trunk);
    void punish(const Flow& flow, double weight);
    // Of our Contact to whom this trunk leads, or to anybody.
    const std::string& contact_host(const TrunkConfig* trunk) const {
        return trunk != nullptr && !trunk->settings.contact_host.empty() ? trunk->settings.contact_host
                                                                         : config_.contact_host;
    }
    // Whom an INVITE comes from, as far as it is proven.
    struct Identity {
        Trunks::Match match;
        const DeviceAccount* device = nullptr;
    };
    Contact binding_of_caller(const DeviceAccount& device, const Message& invite) const;
    std::optional<Flow> binding_now(const Call& call) const;
    std::optional<Identity> identify(const std::string& transaction, const Message& invite);
    void challenge(const std::string& transaction, const Message& invite, DigestAlgorithms algorithms,
                   Digest::Verdict given);
    void take_register(const std::string& transaction, const Message& request);
    bool claims_device(const Message& invite) const;
    Arrival arrival_of(const Message& invite, const Identity& identity, const std::string& leg) const;
    std::shared_ptr<Leg> dial_device(const Placement& placement, const RegisteredDevices::Called& called);
    void tick();
    void arm(std::int64_t at);
    static gboolean on_timer_expired(gpointer data);
    std::shared_ptr<Call> find(const std::string& key) const;
    std::shared_ptr<Call> find(const std::string& call_id, const std::string& local_tag,
                               const std::string& remote_tag) const;

    const SipConfig config_;
    LegObserver& observer_;
    GMainContext* const context_;
    Trunks trunks_;
    Lines lines_{*this};
    bool precedence_ = false;  // a trunk knows Resource-Priority
    std::uint64_t last_order_ = 0;
    Digest digest_;
    SourceLimiter invites_;
    Transactions transactions_;
    std::unique_ptr<Stack> stack_;
    std::unordered_map<std::string, std::shared_ptr<Call>> calls_;  // by Call::key()
    std::unordered_map<std::string, std::weak_ptr<Call>> asides_;   // by key of a subscription's own dialog
    HalfOpen half_open_;
    std::int64_t pruned_at_ = 0;
    std::vector<std::uint64_t> timed_out_;          // requests, within tick()
    const std::string tag_key_ = random_token(16);  // for the tags of stateless refusals
    DialRules rules_;
    std::unique_ptr<RegisteredDevices> devices_;  // null: nobody registers
    std::list<std::function<void()>> later_;
    std::uint64_t last_question_ = 0;
    std::map<std::uint64_t, OnResolved> resolving_;  // until the stack answers
    std::map<std::uint64_t, OnOpened> opening_;
    GSource* timer_ = nullptr;
    std::int64_t armed_at_ = -1;
    bool draining_ = false;
    // Receipts outlive calls and perhaps this: they reach it through here.
    std::shared_ptr<Core*> self_ = std::make_shared<Core*>(this);
};

}  // namespace vmr::sip
