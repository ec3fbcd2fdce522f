#include "daemon/legs/sip/sip_legs.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/guard.hpp"
#include "base/source_network.hpp"
#include "daemon/legs/sip/arrival.hpp"
#include "daemon/legs/sip/call.hpp"
#include "daemon/legs/sip/limits.hpp"
#include "daemon/legs/sip/transaction.hpp"

namespace vmr::sip {

class SipLegs::Core : public StackHandler, public TransactionUser, public CallOwner {
public:
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
    void drain() { draining_ = true; }
    Status reload() { return stack_ ? stack_->reload_certificate() : Status(Error{"not started"}); }
    Status set_trunks(std::vector<TrunkConfig> configs);
    std::size_t calls() const { return calls_.size(); }
    std::size_t half_open(const std::string& source = {}) const;
    StackStatistics statistics() const { return stack_ ? stack_->statistics() : StackStatistics(); }

    // StackHandler
    void on_message_received(Message message) override;
    void on_connection_closed(std::uint64_t) override {}  // a call outlives its connection: media goes on
    void on_resolved(std::uint64_t, const Result<std::vector<Target>>&) override {}
    void on_flow_opened(std::uint64_t, const Result<Flow>&) override {}

    // TransactionUser
    void on_request_received(const std::string& transaction, const Message& request) override;
    void on_invite_cancelled(const std::string& transaction) override;
    void on_response_received(std::uint64_t id, const Message& response) override;
    void on_request_timed_out(std::uint64_t id) override;

    // CallOwner
    std::int64_t now() const override { return g_get_monotonic_time() / 1000; }
    void respond(const std::string& transaction, int status, const std::string& bytes) override {
        transactions_.respond(transaction, status, bytes, now());
    }
    std::uint64_t request(const Flow& flow, const std::string& method, const std::string& branch,
                          const std::string& bytes, const std::string& ack) override {
        return transactions_.request(flow, method, branch, bytes, ack, now());
    }
    void send(const Flow& flow, const std::string& bytes) override {
        if (stack_) {
            stack_->send(flow, bytes);
        }
    }
    std::shared_ptr<void> receipt(const std::string& transaction, const std::string& bytes) override;
    LegObserver& observer() override { return observer_; }
    void on_call_touched() override { arm(now() + kGranularity); }

private:
    static constexpr std::int64_t kGranularity = 50;  // ms that a deadline may be late

    void reply(const std::string& transaction, const Message& request, Reply reply);
    void refuse(const std::string& transaction, const Message& invite, Reply answer, EndCause cause);
    bool is_over_limit(const Message& invite);
    void take_invite(const std::string& transaction, const Message& invite);
    bool admit(const std::string& transaction, const Message& invite);
    std::optional<Trunks::Match> identify(const std::string& transaction, const Message& invite);
    void tick();
    void arm(std::int64_t at);
    static gboolean on_timer_expired(gpointer data);
    std::shared_ptr<Call> find(const std::string& key) const;

    const SipConfig config_;
    LegObserver& observer_;
    GMainContext* const context_;
    Trunks trunks_;
    Digest digest_;
    RateLimiter invites_;
    Transactions transactions_;
    std::unique_ptr<Stack> stack_;
    std::unordered_map<std::string, std::shared_ptr<Call>> calls_;  // by Dialog::key()
    GSource* timer_ = nullptr;
    std::int64_t armed_at_ = -1;
    bool draining_ = false;
    // Receipts outlive calls and perhaps this: they reach it through here.
    std::shared_ptr<Core*> self_ = std::make_shared<Core*>(this);
};

Result<std::vector<ListenAddress>> SipLegs::Core::start() {
    if (Status set = set_trunks(config_.trunks); !set) {
        return Error{set.error()};
    }
    stack_ = make_stack(config_.stack, context_, *this);
    Result<std::vector<ListenAddress>> bound = stack_->start();
    if (!bound) {
        stack_.reset();
    }
    return bound;
}

Status SipLegs::Core::set_trunks(std::vector<TrunkConfig> configs) {
    Result<Trunks> trunks = Trunks::make(std::move(configs));
    if (!trunks) {
        return Error{trunks.error()};
    }
    trunks_ = std::move(*trunks);
    return Ok{};
}

void SipLegs::Core::stop(EndCause cause) {
    draining_ = true;
    const auto calls = calls_;  // ending a call may change the map
    for (const auto& [key, call] : calls) {
        call->end(cause);
        call->orphan();
    }
    calls_.clear();
    *self_ = nullptr;
    if (stack_) {
        stack_->stop();
        stack_.reset();
    }
    if (timer_ != nullptr) {
        g_source_destroy(timer_);
        g_source_unref(std::exchange(timer_, nullptr));
    }
}

void SipLegs::Core::on_message_received(Message message) {
    transactions_.receive(message, now());
    arm(now() + kGranularity);
}

void SipLegs::Core::reply(const std::string& transaction, const Message& request, Reply reply) {
    reply.to_tag = random_token(8);
    respond(transaction, reply.status, write_response(request, reply));
}

// A call that does not even become a leg.
void SipLegs::Core::refuse(const std::string& transaction, const Message& invite, Reply answer,
                           EndCause cause) {
    reply(transaction, invite, std::move(answer));
    observer_.on_leg_refused(describe(invite, {}, "sip-" + random_token(8)), cause);
}

std::shared_ptr<Call> SipLegs::Core::find(const std::string& key) const {
    const auto found = calls_.find(key);
    return found != calls_.end() ? found->second : nullptr;
}

void SipLegs::Core::on_request_received(const std::string& transaction, const Message& request) {
    if (!request.to.tag.empty()) {
        if (const auto call = find(Dialog::key(request))) {
            call->session().receive(transaction, request, now());
        } else if (request.method != "ACK") {
            reply(transaction, request, {.status = 481});
        }
        return;
    }
    if (request.method == "ACK") {
        return;
    }
    if (std::optional<Reply> answer = early_answer(request)) {
        if (request.method == "INVITE") {
            const EndCause cause = answer->status == 400 ? EndCause::malformed : EndCause::not_acceptable;
            refuse(transaction, request, std::move(*answer), cause);
        } else {
            reply(transaction, request, std::move(*answer));
        }
        return;
    }
    take_invite(transaction, request);
}

std::size_t SipLegs::Core::half_open(const std::string& source) const {
    return static_cast<std::size_t>(std::count_if(calls_.begin(), calls_.end(), [&source](const auto& entry) {
        const Session& session = entry.second->session();
        return session.half_open() &&
               (source.empty() || source_network(session.dialog().flow().remote.ip) == source);
    }));
}

// Limits: each refusal costs one transaction and no call.
bool SipLegs::Core::admit(const std::string& transaction, const Message& invite) {
    const bool merged = std::any_of(calls_.begin(), calls_.end(), [&invite](const auto& entry) {
        return entry.second->session().same_invite(invite);
    });
    if (merged) {
        reply(transaction, invite, {.status = 482});  // it came by two ways (section 8.2.2.2)
        return false;
    }
    if (draining_ || is_over_limit(invite)) {
        refuse(transaction, invite, {.status = 503, .headers = {{"Retry-After", "10"}}},
               draining_ ? EndCause::shutdown : EndCause::overload);
        return false;
    }
    return true;
}

bool SipLegs::Core::is_over_limit(const Message& invite) {
    const std::string source = source_network(invite.flow.remote.ip);
    return calls_.size() >= config_.max_calls || !invites_.allow(source, now()) ||
           half_open() >= config_.max_half_open ||
           (!trunks_.is_source(invite.flow.remote.ip) &&
            half_open(source) >= config_.max_half_open_per_source);
}

// The trunk that the call comes from, or none; nothing when the call was challenged or refused.
std::optional<Trunks::Match> SipLegs::Core::identify(const std::string& transaction, const Message& invite) {
    std::string user;
    bool stale = false;
    bool wrong = false;
    const auto secret_of = [this, &user](const std::string& name, DigestAlgorithms answer) {
        user = name;
        return trunks_.secret_of(name, answer);
    };
    for (const Header& header : invite.headers) {
        if (header.name != "proxy-authorization") {
            continue;
        }
        const Digest::Verdict verdict =
            digest_.verify(header.value, invite.method, invite.flow.remote.ip, secret_of, now());
        if (verdict == Digest::Verdict::accepted) {
            break;
        }
        user.clear();
        stale = verdict == Digest::Verdict::stale;
        wrong = wrong || verdict == Digest::Verdict::refused;
    }
    const Trunks::Match match = trunks_.match(invite, user);
    if (match.kind == Trunks::Match::Kind::denied) {
        // A trunk calls its own numbers and nothing else.
        refuse(transaction, invite, {.status = 404}, EndCause::not_found);
        return std::nullopt;
    }
    if (match.kind == Trunks::Match::Kind::challenge) {
        Reply challenge{.status = 407};
        for (std::string& value :
             digest_.challenge(match.trunk->algorithms, invite.flow.remote.ip, stale, now())) {
            challenge.headers.push_back({"Proxy-Authenticate", std::move(value)});
        }
        if (wrong) {
            refuse(transaction, invite, std::move(challenge), EndCause::unauthorized);
        } else {
            reply(transaction, invite, std::move(challenge));  // the call comes again with credentials
        }
        return std::nullopt;
    }
    return match;
}

void SipLegs::Core::take_invite(const std::string& transaction, const Message& invite) {
    if (!admit(transaction, invite)) {
        return;
    }
    const std::optional<Trunks::Match> match = identify(transaction, invite);
    if (!match) {
        return;
    }
    const std::string leg = "sip-" + random_token(8);
    const LegKind kind = match->kind == Trunks::Match::Kind::trunk ? LegKind::phone : LegKind::sip;
    const auto call = std::make_shared<Call>(this, leg, kind, transaction, invite, config_.contact_host);
    if (call->session().timer_outcome() == SessionTimer::Outcome::too_small) {
        reply(transaction, invite,
              {.status = 422, .headers = {{"Min-SE", std::to_string(kMinSessionExpires)}}});
        return;
    }
    calls_.emplace(call->session().dialog().key(), call);
    call->arrive(describe(invite, *match, leg));
}

void SipLegs::Core::on_invite_cancelled(const std::string& transaction) {
    for (const auto& [key, call] : calls_) {
        if (call->invite_transaction() == transaction) {
            const std::shared_ptr<Call> held = call;
            held->session().cancel(now());
            return;
        }
    }
}

void SipLegs::Core::on_response_received(std::uint64_t id, const Message& response) {
    // Our requests are all in dialogs: From holds our tag, To the peer's.
    if (const auto call = find(response.call_id + "|" + response.from.tag + "|" + response.to.tag)) {
        call->session().receive_response(id, response, now());
    }
}

void SipLegs::Core::on_request_timed_out(std::uint64_t id) {
    const auto calls = calls_;
    for (const auto& [key, call] : calls) {
        call->session().request_timed_out(id, now());
    }
}

std::shared_ptr<void> SipLegs::Core::receipt(const std::string& transaction, const std::string& bytes) {
    struct Answer {
        std::shared_ptr<Core*> core;
        GMainContext* context;
        std::string transaction, bytes;
        ~Answer() { g_main_context_unref(context); }
        static gboolean deliver(gpointer data) {
            auto* self = static_cast<Answer*>(data);
            guard(nullptr, [self] {
                if (*self->core != nullptr) {
                    (*self->core)->respond(self->transaction, 200, self->bytes);
                }
            });
            return G_SOURCE_REMOVE;
        }
    };
    auto* answer = new Answer{self_, g_main_context_ref(context_), transaction, bytes};
    // The last copy may be released on a worker thread; the answer is given on this one.
    return std::shared_ptr<void>(answer, [](Answer* last) {
        GSource* source = g_idle_source_new();
        g_source_set_priority(source, G_PRIORITY_DEFAULT);
        g_source_set_callback(source, Answer::deliver, last,
                              [](gpointer data) { delete static_cast<Answer*>(data); });
        g_source_attach(source, last->context);
        g_source_unref(source);
    });
}

void SipLegs::Core::tick() {
    transactions_.tick(now());
    const auto calls = calls_;
    for (const auto& [key, call] : calls) {
        call->session().tick(now());
        if (call->session().over()) {
            call->orphan();
            calls_.erase(key);
        }
    }
    std::optional<std::int64_t> next = transactions_.next_deadline();
    for (const auto& [key, call] : calls_) {
        const std::optional<std::int64_t> at = call->session().next_deadline();
        if (at && (!next || *at < *next)) {
            next = at;
        }
    }
    if (next) {
        arm(std::max(*next, now() + kGranularity));
    }
}

void SipLegs::Core::arm(std::int64_t at) {
    if (armed_at_ >= 0 && armed_at_ <= at) {
        return;
    }
    if (timer_ == nullptr) {
        // Not a timeout source: that one sets its own ready time after each dispatch.
        static GSourceFuncs functions{
            nullptr, nullptr, [](GSource*, GSourceFunc callback, gpointer data) { return callback(data); },
            nullptr, nullptr, nullptr};
        timer_ = g_source_new(&functions, sizeof(GSource));
        g_source_set_callback(timer_, on_timer_expired, this, nullptr);
        g_source_attach(timer_, context_);
    }
    armed_at_ = at;
    g_source_set_ready_time(timer_, at * 1000);
}

gboolean SipLegs::Core::on_timer_expired(gpointer data) {
    auto* self = static_cast<Core*>(data);
    self->armed_at_ = -1;
    g_source_set_ready_time(self->timer_, -1);
    guard(nullptr, [self] { self->tick(); });
    return G_SOURCE_CONTINUE;
}

SipLegs::SipLegs(SipConfig config, LegObserver& observer, GMainContext* context)
    : core_(std::make_unique<Core>(std::move(config), observer, context)) {}
SipLegs::~SipLegs() = default;

Result<std::vector<ListenAddress>> SipLegs::start() {
    return core_->start();
}
void SipLegs::stop(EndCause cause) {
    core_->stop(cause);
}
void SipLegs::refuse_new_calls() {
    core_->drain();
}
Status SipLegs::reload_certificate() {
    return core_->reload();
}
Status SipLegs::set_trunks(std::vector<TrunkConfig> trunks) {
    return core_->set_trunks(std::move(trunks));
}
std::size_t SipLegs::calls() const {
    return core_->calls();
}
std::size_t SipLegs::half_open() const {
    return core_->half_open();
}
StackStatistics SipLegs::statistics() const {
    return core_->statistics();
}

}  // namespace vmr::sip
