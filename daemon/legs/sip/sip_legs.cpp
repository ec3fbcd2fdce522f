#include "daemon/legs/sip/sip_legs.hpp"

#include <algorithm>
#include <utility>

#include "base/guard.hpp"
#include "daemon/legs/sip/sip_legs_core.hpp"

namespace vmr::sip {

Result<std::vector<ListenAddress>> SipLegs::Core::start() {
    if (Status set = set_trunks(config_.trunks); !set) {
        return Error{set.error()};
    }
    Result<DialRules> rules = DialRules::make(config_.dial);
    if (!rules) {
        return Error{rules.error()};
    }
    rules_ = std::move(*rules);
    if (config_.registrar.enabled) {
        devices_ = std::make_unique<RegisteredDevices>(config_.registrar, digest_, [this] { return now(); });
        if (Status set = devices_->configure(config_.devices); !set) {
            return Error{set.error()};
        }
    }
    stack_ = make_stack(config_.stack, context_, *this);
    Result<std::vector<ListenAddress>> bound = stack_->start();
    if (!bound) {
        stack_.reset();
        return bound;
    }
    begin_lines();
    return bound;
}

Status SipLegs::Core::set_trunks(std::vector<TrunkConfig> configs) {
    Result<Trunks> trunks = Trunks::make(std::move(configs));
    if (!trunks) {
        return Error{trunks.error()};
    }
    trunks_ = std::move(*trunks);
    if (stack_) {
        begin_lines();
    }
    return Ok{};
}

void SipLegs::Core::trust_trunks() {
    if (stack_) {
        stack_->set_trusted([trunks = trunks_, loopback = !config_.ban_loopback](const std::string& ip) {
            return (loopback && (ip.starts_with("127.") || ip == "::1")) || trunks.is_source(ip);
        });
    }
}

void SipLegs::Core::punish(const Flow& flow, double weight) {
    if (stack_) {
        stack_->punish(flow, weight);
    }
}

void SipLegs::Core::stop(EndCause cause) {
    draining_ = true;
    const auto calls = calls_;  // ending a call may change the map
    for (const auto& [key, call] : calls) {
        call->end(cause);
        call->orphan();
    }
    calls_.clear();
    resolving_.clear();
    later_.clear();
    opening_.clear();
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
    mark(message);
    transactions_.receive(message, now());
    arm(now() + kGranularity);
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

// No copy of the map: thousands of calls that wait for an ACK are looked at often.
void SipLegs::Core::tick() {
    transactions_.tick(now());
    std::vector<std::shared_ptr<Call>> due;
    for (const auto& [key, call] : calls_) {
        const std::optional<std::int64_t> at = deadline_of(*call);
        if (!timed_out_.empty() || call->over() || (at && *at <= now())) {
            due.push_back(call);
        }
    }
    const std::vector<std::uint64_t> timed_out = std::exchange(timed_out_, {});
    for (const auto& call : due) {
        for (const std::uint64_t id : timed_out) {
            call->request_timed_out(id);
            call->usages().request_timed_out(id);
        }
        call->tick();
        call->usages().tick();
        call->lost_flows().tick();
        if (call->over()) {
            call->orphan();
            calls_.erase(call->key());
        }
    }
    prune_half_open();
    std::erase_if(asides_, [](const auto& aside) {
        const std::shared_ptr<Call> call = aside.second.lock();
        return !call || !call->usages().has_aside(aside.first);
    });
    for (const std::uint64_t id : timed_out) {
        lines_.request_timed_out(id, now());
    }
    lines_.tick(now());
    std::optional<std::int64_t> next = transactions_.next_deadline();
    if (devices_) {
        devices_->registrar().tick(now());
        const std::optional<std::int64_t> at = devices_->registrar().next_deadline();
        next = at && (!next || *at < *next) ? at : next;
    }
    for (const auto& [key, call] : calls_) {
        const std::optional<std::int64_t> at = deadline_of(*call);
        if (at && (!next || *at < *next)) {
            next = at;
        }
    }
    if (const auto at = lines_.next_deadline(); at && (!next || *at < *next)) {
        next = at;
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
Status SipLegs::set_dial_rules(DialConfig config) {
    Result<DialRules> rules = DialRules::make(std::move(config));
    if (!rules) {
        return Error{rules.error()};
    }
    core_->set_dial_rules(std::move(*rules));
    return Ok{};
}
Result<DialPlan> SipLegs::plan(const std::string& address) const {
    return core_->plan(address);
}
std::shared_ptr<Leg> SipLegs::dial(const Placement& placement) {
    return core_->dial(placement);
}
Devices* SipLegs::devices() {
    return core_->devices();
}
Status SipLegs::set_registrar(RegistrarConfig config, std::vector<ConfiguredDevice> devices) {
    return core_->set_registrar(std::move(config), std::move(devices));
}
std::vector<Contact> SipLegs::lookup(const std::string& device) const {
    return core_->lookup(device);
}
std::vector<LineStatus> SipLegs::trunk_lines() const {
    return core_->trunk_lines();
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
