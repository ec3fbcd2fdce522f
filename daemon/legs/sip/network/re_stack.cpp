// The stack over libre: one thread "sip" runs its event loop.
#include "base/libre.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include "base/source_limiter.hpp"
#include "base/source_network.hpp"
#include "daemon/legs/sip/message/bounds.hpp"
#include "daemon/legs/sip/message/parse.hpp"
#include "daemon/legs/sip/message/writer.hpp"
#include "daemon/legs/sip/network/bans.hpp"
#include "daemon/legs/sip/network/mailbox.hpp"
#include "daemon/legs/sip/network/re_datagrams.hpp"
#include "daemon/legs/sip/network/re_jobs.hpp"
#include "daemon/legs/sip/network/re_outbound.hpp"
#include "daemon/legs/sip/network/re_streams.hpp"
#include "daemon/legs/sip/network/re_tls.hpp"
#include "daemon/legs/sip/network/stun.hpp"

namespace vmr::sip {
namespace {

std::int64_t now_ms() {
    return g_get_monotonic_time() / 1000;
}

// libre looks a descriptor up by its number, which the legs' sockets and all else of this process raise: its
// table is as long as there may be descriptors, 36 bytes each.
int descriptor_limit(int least) {
    constexpr rlim_t kMost = 262144;
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return static_cast<int>(kMost);
    }
    return std::max(least, static_cast<int>(std::min(files.rlim_cur, kMost)));
}

class ReStack final : public Stack {
public:
    ReStack(StackConfig config, GMainContext* context, StackHandler& handler)
        : config_(std::move(config)),
          mailbox_(context, handler, config_.max_queued),
          datagram_limiter_(config_.messages_per_second, config_.messages_per_second * 2),
          stream_limiter_(config_.messages_per_second, config_.messages_per_second * 2),
          bans_(config_.bans) {}
    ~ReStack() override { stop(); }

    Result<std::vector<ListenAddress>> start() override;
    void stop() override;
    void send(const Flow& flow, std::string bytes) override;
    void punish(const Flow& flow, double weight) override {
        jobs_.post([this, flow, weight] { count_offence(flow, weight); });
    }
    void set_trusted(std::function<bool(const std::string& ip)> trusted) override {
        jobs_.post([this, trusted = std::move(trusted)] { bans_.set_trusted(trusted); });
    }
    void resolve(std::uint64_t id, const Destination& destination) override;
    void open(std::uint64_t id, const Target& target, const std::string& host) override;
    void limit_idle(std::uint64_t connection, int timeout_ms) override {
        jobs_.post([this, connection, timeout_ms] { streams_->limit_idle(connection, timeout_ms); });
    }
    Status reload_certificate() override;
    StackStatistics statistics() const override {
        const std::lock_guard lock(mutex_);
        return published_;
    }

private:
    void run(std::promise<Result<std::vector<ListenAddress>>> started);
    Result<std::vector<ListenAddress>> open();
    Result<Address> open_one(const ListenAddress& wanted);
    void close();
    void take_datagram(std::size_t socket, const sa& source, std::string_view bytes);
    Streams::Verdict take_frame(std::string_view bytes, const Flow& flow, bool crowded);
    Streams::Verdict shed(std::string_view bytes, const Flow& flow);
    void take_message(std::string_view bytes, const Flow& flow);
    void refuse(std::string_view bytes, const Flow& flow);
    void count_offence(const Flow& flow, double weight);
    bool is_banned(const std::string& ip, bool datagram);
    Status read_certificates();
    void transmit(const Flow& flow, std::string_view message);
    void report(Mailbox::Report what) {
        publish();
        mailbox_.put(std::move(what));
    }
    void publish();

    const StackConfig config_;
    Mailbox mailbox_;
    Jobs jobs_;

    // Guarded by mutex_ (a leaf lock: nothing is called while it is held).
    mutable std::mutex mutex_;
    StackStatistics published_;

    // The sip thread's own.
    std::thread thread_;
    StackStatistics statistics_;
    SourceLimiter datagram_limiter_;  // their source may be forged: they do not count against its streams
    SourceLimiter stream_limiter_;
    SourceBans bans_;
    ServerTls tls_{config_.tls};
    std::unique_ptr<Streams> streams_;
    std::unique_ptr<Outbound> outbound_;
    std::unique_ptr<Datagrams> datagrams_;
};

Result<std::vector<ListenAddress>> ReStack::start() {
    std::promise<Result<std::vector<ListenAddress>>> started;
    auto outcome = started.get_future();
    thread_ = std::thread(&ReStack::run, this, std::move(started));
    Result<std::vector<ListenAddress>> bound = outcome.get();
    if (!bound) {
        thread_.join();
    }
    return bound;
}

void ReStack::stop() {
    if (!thread_.joinable()) {
        return;
    }
    jobs_.post([] { re_cancel(); });
    thread_.join();
    mailbox_.close();
}

void ReStack::run(std::promise<Result<std::vector<ListenAddress>>> started) {
    pthread_setname_np(pthread_self(), "sip");
    static std::once_flag once;
    std::call_once(once, [] {
        dbg_init(DBG_EMERG, DBG_NONE);  // it prints each peer's failure; statistics() counts them
        libre_init();
    });
    (void)re_thread_init();
    (void)fd_setsize(descriptor_limit(config_.max_connections + 256));
    Result<std::vector<ListenAddress>> bound = open();
    const bool ok = bound.ok();
    started.set_value(std::move(bound));
    if (ok) {
        (void)re_main(nullptr);
    }
    close();
    re_thread_close();
}

Result<std::vector<ListenAddress>> ReStack::open() {
    if (!jobs_.open()) {
        return Error{"cannot make the SIP thread's queue"};
    }
    streams_ = std::make_unique<Streams>(
        config_, statistics_,
        Streams::Handlers{[this](std::string_view bytes, const Flow& flow, bool crowded) {
                              return take_frame(bytes, flow, crowded);
                          },
                          [this](const std::string& ip) { return is_banned(ip, false); },
                          [this](const std::string& ip) { return bans_.trusts(ip); },
                          [this](const Flow& flow) { count_offence(flow, 1); },
                          [this](std::string_view bytes, const Flow& flow) { refuse(bytes, flow); },
                          [this](std::uint64_t id) {
                              report([id](StackHandler& handler) { handler.on_connection_closed(id); });
                          }});
    outbound_ = std::make_unique<Outbound>(config_, *streams_);
    if (const Status ready = outbound_->prepare(); !ready) {
        return Error{ready.error()};
    }
    datagrams_ =
        std::make_unique<Datagrams>([this](std::size_t socket, const sa& source, std::string_view bytes) {
            take_datagram(socket, source, bytes);
        });
    std::vector<ListenAddress> bound;
    for (const ListenAddress& wanted : config_.listen) {
        const Result<Address> address = open_one(wanted);
        if (!address) {
            return Error{address.error()};
        }
        bound.push_back({wanted.transport, *address});
    }
    return bound;
}

Result<Address> ReStack::open_one(const ListenAddress& wanted) {
    sa local{};
    if (sa_set_str(&local, wanted.address.ip.c_str(), wanted.address.port) != 0) {
        return Error{"not an IP address to listen on: " + wanted.address.ip};
    }
    if (wanted.transport == Transport::udp) {
        return datagrams_->listen(local);
    }
    if (wanted.transport != Transport::tls) {
        return streams_->listen(local, wanted.transport, nullptr);
    }
    const std::string& ca_file = wanted.required_client_ca_file;
    if (const Status added = tls_.add(ca_file); !added) {
        return Error{added.error()};
    }
    return streams_->listen(local, wanted.transport, [this, ca_file] { return tls_.context_for(ca_file); });
}

void ReStack::close() {
    jobs_.close();
    outbound_.reset();
    streams_.reset();
    datagrams_.reset();
    tls_.clear();
}

void ReStack::take_datagram(std::size_t socket, const sa& source, std::string_view bytes) {
    Flow flow;
    flow.remote = to_address(source);
    if (is_banned(flow.remote.ip, true)) {
        return;
    }
    if (!datagram_limiter_.take(source_network(flow.remote.ip), steady(now_ms()))) {
        ++statistics_.rate_limited;
        publish();
        return;
    }
    const Inspection found = inspect(bytes, false);
    if (found.frame == Frame::keep_alive) {
        return;
    }
    flow.local = datagrams_->local_of(socket, source);
    if (config_.answer_stun && looks_like_stun(bytes)) {
        if (const std::string answer = stun_answer(bytes, flow.remote); !answer.empty()) {
            datagrams_->send(flow, answer);
        }
        return;
    }
    if (found.frame != Frame::complete) {
        refuse(bytes, flow);
        return;
    }
    if (!mailbox_.has_place(flow)) {
        ++statistics_.queue_full;
        publish();
        return;
    }
    take_message(bytes.substr(0, found.length), flow);
}

Streams::Verdict ReStack::take_frame(std::string_view bytes, const Flow& flow, bool crowded) {
    if (is_banned(flow.remote.ip, false)) {
        return Streams::Verdict::close;
    }
    if (!mailbox_.has_place(flow) ||
        !stream_limiter_.take(source_network(flow.remote.ip), steady(now_ms()))) {
        return crowded ? shed(bytes, flow) : Streams::Verdict::later;
    }
    take_message(bytes, flow);
    return Streams::Verdict::taken;
}

// Nobody sends on a stream again what was dropped in silence.
Streams::Verdict ReStack::shed(std::string_view bytes, const Flow& flow) {
    ++statistics_.rate_limited;
    publish();
    const std::string answer = stateless_refusal(bytes, flow.remote, 503);
    if (answer.empty()) {
        return Streams::Verdict::close;  // a response or an ACK: without it the rest is of no use
    }
    transmit(flow, answer);
    return Streams::Verdict::taken;
}

void ReStack::take_message(std::string_view bytes, const Flow& flow) {
    Result<Message> message = parse_message(bytes, flow);
    if (!message) {
        refuse(bytes, flow);
        return;
    }
    ++statistics_.received;
    publish();
    mailbox_.put(std::move(*message));
}

// What cannot be read.
void ReStack::refuse(std::string_view bytes, const Flow& flow) {
    ++statistics_.malformed;
    count_offence(flow, 1);
    if (const std::string answer = stateless_refusal(bytes, flow.remote); !answer.empty()) {
        transmit(flow, answer);
    }
}

void ReStack::count_offence(const Flow& flow, double weight) {
    statistics_.bans += bans_.offend(flow.remote.ip, weight, flow.connection != 0, now_ms()) ? 1 : 0;
    publish();
}

bool ReStack::is_banned(const std::string& ip, bool datagram) {
    const bool banned = bans_.contains(ip, datagram, now_ms());
    if (banned) {
        ++statistics_.banned;
        publish();
    }
    return banned;
}

void ReStack::publish() {
    const std::lock_guard lock(mutex_);
    published_ = statistics_;
}

void ReStack::send(const Flow& flow, std::string bytes) {
    jobs_.post([this, flow, bytes = std::move(bytes)] { transmit(flow, bytes); });
}

void ReStack::resolve(std::uint64_t id, const Destination& destination) {
    jobs_.post([this, id, destination] {
        outbound_->resolve(destination, [this, id](const Result<std::vector<Target>>& targets) {
            report([id, targets](StackHandler& handler) { handler.on_resolved(id, targets); });
        });
    });
}

void ReStack::open(std::uint64_t id, const Target& target, const std::string& host) {
    const auto on_opened = [this, id](const Result<Flow>& flow) {
        report([id, flow](StackHandler& handler) { handler.on_flow_opened(id, flow); });
    };
    jobs_.post([this, target, host, on_opened] {
        if (target.transport == Transport::udp) {
            on_opened(datagrams_->flow_to(target.address));
        } else {
            outbound_->open(target, host, on_opened);
        }
    });
}

void ReStack::transmit(const Flow& flow, std::string_view message) {
    const std::string named = config_.software.empty() ? "" : with_software(message, config_.software);
    const std::string_view bytes = named.empty() ? message : named;
    if (flow.connection != 0) {
        streams_->send(flow.connection, bytes, flow.dscp);
        return;
    }
    datagrams_->send(flow, bytes);
}

Status ReStack::read_certificates() {
    Result<ServerTls::Files> listeners = tls_.read();
    if (!listeners) {
        return Error{listeners.error()};
    }
    Result<TlsPtr> ours = make_client_tls(config_.tls, config_.outbound.ca_file);
    if (!ours) {
        return Error{ours.error()};
    }
    tls_.use(std::move(*listeners));
    outbound_->use(std::move(*ours));
    return Ok{};
}

Status ReStack::reload_certificate() {
    if (!thread_.joinable()) {
        return Error{"the SIP stack is not running"};
    }
    auto done = std::make_shared<std::promise<Status>>();
    auto outcome = done->get_future();
    jobs_.post([this, done] { done->set_value(read_certificates()); });
    return outcome.get();
}

}  // namespace

std::unique_ptr<Stack> make_stack(StackConfig config, GMainContext* context, StackHandler& handler) {
    return std::make_unique<ReStack>(std::move(config), context, handler);
}

}  // namespace vmr::sip
