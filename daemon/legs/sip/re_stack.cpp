// The stack over libre: one thread "sip" runs its event loop.
#include "base/libre.hpp"

#include <atomic>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "base/guard.hpp"
#include "base/source_network.hpp"
#include "daemon/legs/sip/bounds.hpp"
#include "daemon/legs/sip/limits.hpp"
#include "daemon/legs/sip/re_streams.hpp"
#include "daemon/legs/sip/re_tls.hpp"

namespace vmr::sip {
namespace {

std::int64_t now_ms() {
    return g_get_monotonic_time() / 1000;
}

class ReStack final : public Stack {
public:
    ReStack(StackConfig config, GMainContext* context, StackHandler& handler)
        : config_(std::move(config)),
          context_(g_main_context_ref(context)),
          handler_(handler),
          limiter_(config_.messages_per_second, config_.messages_per_second * 2) {}
    ~ReStack() override {
        stop();
        g_main_context_unref(context_);
    }

    Result<std::vector<ListenAddress>> start() override;
    void stop() override;
    void send(const Flow& flow, std::string bytes) override;
    Status reload_certificate() override;
    StackStatistics statistics() const override {
        const std::lock_guard lock(mutex_);
        return published_;
    }

private:
    struct Socket {
        ReStack* owner;
        udp_sock* udp;
        Address local;
        bool any;  // bound to all addresses
    };
    // What goes up to the control thread: a message, or the end of a connection.
    struct Upward {
        Message message;
        std::uint64_t closed = 0;
    };

    void run(std::promise<Result<std::vector<ListenAddress>>> started);
    Result<std::vector<ListenAddress>> open();
    Result<Address> open_one(const ListenAddress& wanted);
    void close();
    void post(std::function<void()> job);
    static void on_job_posted(int id, void* data, void* arg);
    static void on_datagram_received(const sa* source, mbuf* data, void* arg);
    void take_datagram(const Socket& socket, const sa& source, std::string_view bytes);
    bool take_frame(std::string_view bytes, const Flow& flow);
    void transmit(const Flow& flow, std::string_view bytes);
    void hand_up(Upward item);
    void publish();
    static gboolean on_context_ready(gpointer data);
    std::string local_ip(const Socket& socket, const sa& source);

    const StackConfig config_;
    GMainContext* const context_;
    StackHandler& handler_;

    // Guarded by mutex_ (a leaf lock: nothing is called while it is held).
    mutable std::mutex mutex_;
    std::deque<std::function<void()>> jobs_;
    std::deque<Upward> upward_;
    GSource* wake_ = nullptr;  // attached to context_ while upward_ is not empty
    StackStatistics published_;
    mqueue* queue_ = nullptr;

    // The sip thread's own.
    std::thread thread_;
    StackStatistics statistics_;
    RateLimiter limiter_;
    struct tls* tls_ = nullptr;
    std::unique_ptr<Streams> streams_;
    std::vector<std::unique_ptr<Socket>> sockets_;
    std::map<std::string, std::string> local_ips_;
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
    post([] { re_cancel(); });
    thread_.join();
    const std::lock_guard lock(mutex_);
    if (wake_ != nullptr) {
        g_source_destroy(wake_);
        g_source_unref(std::exchange(wake_, nullptr));
    }
    upward_.clear();
}

void ReStack::run(std::promise<Result<std::vector<ListenAddress>>> started) {
    pthread_setname_np(pthread_self(), "sip");
    static std::once_flag once;
    std::call_once(once, [] {
        dbg_init(DBG_EMERG, DBG_NONE);  // it prints each peer's failure; statistics() counts them
        libre_init();
    });
    (void)re_thread_init();
    (void)fd_setsize(config_.max_connections + 256);
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
    mqueue* queue = nullptr;
    if (mqueue_alloc(&queue, on_job_posted, this) != 0) {
        return Error{"cannot make the SIP thread's queue"};
    }
    {
        const std::lock_guard lock(mutex_);
        queue_ = queue;
    }
    streams_ = std::make_unique<Streams>(config_, statistics_,
                                         Streams::Handlers{[this](std::string_view bytes, const Flow& flow) {
                                                               return take_frame(bytes, flow);
                                                           },
                                                           [this](std::uint64_t id) {
                                                               hand_up({Message(), id});
                                                           }});
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
    if (wanted.transport == Transport::tls && tls_ == nullptr) {
        const Result<struct tls*> tls = make_server_tls(config_.tls);
        if (!tls) {
            return Error{tls.error()};
        }
        tls_ = *tls;
    }
    if (wanted.transport != Transport::udp) {
        return streams_->listen(local, wanted.transport, wanted.transport == Transport::tls ? tls_ : nullptr);
    }
    auto socket = std::make_unique<Socket>(Socket{this, nullptr, {}, sa_is_any(&local)});
    sa bound{};
    int error = udp_listen(&socket->udp, &local, on_datagram_received, socket.get());
    error = error != 0 ? error : udp_local_get(socket->udp, &bound);
    if (error != 0) {
        mem_deref(socket->udp);
        return Error{"cannot listen on " + wanted.address.text() + ": " + g_strerror(error)};
    }
    udp_rxsz_set(socket->udp, kMaxMessage);
    (void)udp_sockbuf_set(socket->udp, 1 << 20);
    socket->local = to_address(bound);
    sockets_.push_back(std::move(socket));
    return to_address(bound);
}

void ReStack::close() {
    {
        const std::lock_guard lock(mutex_);
        mem_deref(std::exchange(queue_, nullptr));
        jobs_.clear();
    }
    streams_.reset();
    for (const auto& socket : sockets_) {
        mem_deref(socket->udp);
    }
    sockets_.clear();
    tls_ = static_cast<struct tls*>(mem_deref(tls_));
}

void ReStack::post(std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    if (queue_ == nullptr) {
        return;
    }
    jobs_.push_back(std::move(job));
    if (jobs_.size() == 1) {
        (void)mqueue_push(queue_, 0, nullptr);
    }
}

void ReStack::on_job_posted(int /*id*/, void* /*data*/, void* arg) {
    auto* self = static_cast<ReStack*>(arg);
    guard(nullptr, [&] {
        std::deque<std::function<void()>> jobs;
        {
            const std::lock_guard lock(self->mutex_);
            jobs.swap(self->jobs_);
        }
        for (const auto& job : jobs) {
            job();
        }
    });
}

void ReStack::on_datagram_received(const sa* source, mbuf* data, void* arg) {
    const auto* socket = static_cast<Socket*>(arg);
    const std::string_view bytes(reinterpret_cast<const char*>(mbuf_buf(data)), mbuf_get_left(data));
    guard(nullptr, [&] { socket->owner->take_datagram(*socket, *source, bytes); });
}

std::string ReStack::local_ip(const Socket& socket, const sa& source) {
    if (!socket.any) {
        return socket.local.ip;
    }
    if (local_ips_.size() > 256) {
        local_ips_.clear();
    }
    std::string& known = local_ips_[to_address(source).ip];
    if (known.empty()) {
        known = source_address_for(source);
    }
    return known;
}

void ReStack::take_datagram(const Socket& socket, const sa& source, std::string_view bytes) {
    Flow flow;
    flow.remote = to_address(source);
    if (!limiter_.allow(source_network(flow.remote.ip), now_ms())) {
        ++statistics_.rate_limited;
        publish();
        return;
    }
    const Inspection found = inspect(bytes, false);
    if (found.frame == Frame::keep_alive) {
        return;
    }
    if (found.frame != Frame::complete) {
        ++statistics_.malformed;
        publish();
        return;
    }
    flow.local = {local_ip(socket, source), socket.local.port};
    (void)take_frame(bytes.substr(0, found.length), flow);
}

bool ReStack::take_frame(std::string_view bytes, const Flow& flow) {
    if (flow.connection != 0 && !limiter_.allow(source_network(flow.remote.ip), now_ms())) {
        ++statistics_.rate_limited;
        publish();
        return true;
    }
    Result<Message> message = parse_message(bytes, flow);
    if (!message) {
        ++statistics_.malformed;
        publish();
        const std::string answer = bad_request_answer(bytes, flow.remote);
        if (!answer.empty()) {
            transmit(flow, answer);
        }
        return true;
    }
    hand_up({std::move(*message), 0});
    return true;
}

void ReStack::publish() {
    const std::lock_guard lock(mutex_);
    published_ = statistics_;
}

void ReStack::hand_up(Upward item) {
    const std::lock_guard lock(mutex_);
    // The end of a connection is never dropped; connections are bounded themselves.
    if (item.closed == 0 && upward_.size() >= static_cast<std::size_t>(config_.max_queued)) {
        ++statistics_.queue_full;
    } else {
        statistics_.received += item.closed == 0 ? 1 : 0;
        upward_.push_back(std::move(item));
    }
    published_ = statistics_;
    if (wake_ == nullptr && !upward_.empty()) {
        wake_ = g_idle_source_new();
        g_source_set_priority(wake_, G_PRIORITY_DEFAULT);
        g_source_set_callback(wake_, on_context_ready, this, nullptr);
        g_source_attach(wake_, context_);
    }
}

gboolean ReStack::on_context_ready(gpointer data) {
    auto* self = static_cast<ReStack*>(data);
    constexpr int kBatch = 32;  // then others get the control thread
    for (int count = 0; count < kBatch; ++count) {
        Upward item;
        {
            const std::lock_guard lock(self->mutex_);
            if (self->upward_.empty()) {
                g_source_unref(std::exchange(self->wake_, nullptr));
                return G_SOURCE_REMOVE;
            }
            item = std::move(self->upward_.front());
            self->upward_.pop_front();
        }
        guard(nullptr, [&] {
            if (item.closed != 0) {
                self->handler_.on_connection_closed(item.closed);
            } else {
                self->handler_.on_message_received(std::move(item.message));
            }
        });
    }
    return G_SOURCE_CONTINUE;
}

void ReStack::send(const Flow& flow, std::string bytes) {
    post([this, flow, bytes = std::move(bytes)] { transmit(flow, bytes); });
}

void ReStack::transmit(const Flow& flow, std::string_view bytes) {
    if (flow.connection != 0) {
        streams_->send(flow.connection, bytes);
        return;
    }
    sa remote{};
    mbuf* data = mbuf_alloc(bytes.size());
    if (data == nullptr || sa_set_str(&remote, flow.remote.ip.c_str(), flow.remote.port) != 0) {
        mem_deref(data);
        return;
    }
    (void)mbuf_write_mem(data, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    mbuf_set_pos(data, 0);
    for (const auto& socket : sockets_) {
        if (socket->local.port == flow.local.port && (socket->any || socket->local.ip == flow.local.ip)) {
            (void)udp_send(socket->udp, &remote, data);
            break;
        }
    }
    mem_deref(data);
}

Status ReStack::reload_certificate() {
    if (!thread_.joinable()) {
        return Error{"the SIP stack is not running"};
    }
    auto done = std::make_shared<std::promise<Status>>();
    auto outcome = done->get_future();
    post([this, done] {
        done->set_value(tls_ == nullptr ? Status(Error{"no TLS listener"})
                                        : replace_certificate(tls_, config_.tls));
    });
    return outcome.get();
}

}  // namespace

std::unique_ptr<Stack> make_stack(StackConfig config, GMainContext* context, StackHandler& handler) {
    return std::make_unique<ReStack>(std::move(config), context, handler);
}

}  // namespace vmr::sip
