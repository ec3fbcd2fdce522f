#include "daemon/media/transport/media_io.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/guard.hpp"

namespace vmr::media {

namespace {

constexpr unsigned kMostByDefault = 4;  // threads

thread_local MediaIo* this_io = nullptr;

gboolean run_task(gpointer data) {
    guard(nullptr, *static_cast<std::function<void()>*>(data));
    return G_SOURCE_REMOVE;
}

void free_task(gpointer data) {
    delete static_cast<std::function<void()>*>(data);
}

}  // namespace

void post_to(GMainContext* context, std::function<void()> task) {
    GSource* source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, run_task, new std::function<void()>(std::move(task)), free_task);
    g_source_attach(source, context);
    g_source_unref(source);
}

MediaIo::MediaIo(const std::string& name)
    : context_(g_main_context_new()), thread_(g_thread_new(name.c_str(), thread_main, this)) {}

MediaIo::~MediaIo() {
    stopping_ = true;
    g_main_context_wakeup(context_);
    g_thread_join(thread_);
    g_main_context_set_poll_func(context_, nullptr);  // GLib's own
    // Agents close asynchronously; their last steps would leak otherwise.
    while (g_main_context_iteration(context_, FALSE)) {
    }
    g_main_context_unref(context_);
}

gpointer MediaIo::thread_main(gpointer self) {
    auto* io = static_cast<MediaIo*>(self);
    this_io = io;
    g_main_context_push_thread_default(io->context_);
    g_main_context_set_poll_func(io->context_, poll);
    while (!io->stopping_) {
        g_main_context_iteration(io->context_, TRUE);
        if (std::exchange(io->readable_, false)) {
            io->sockets_.serve();
        }
        io->timers_.fire_due();
    }
    g_main_context_pop_thread_default(io->context_);
    return nullptr;
}

gint MediaIo::poll(GPollFD* descriptors, guint count, gint timeout) {
    return this_io->wait({descriptors, count}, timeout);
}

// GLib's poll(), which also ends when a socket or a timer of ours wants something. `timeout` in ms; negative:
// none.
gint MediaIo::wait(std::span<GPollFD> descriptors, gint timeout) {
    const auto gather = sockets_.wait_until();
    waiting_.clear();
    for (const GPollFD& each : descriptors) {
        waiting_.push_back({each.fd, static_cast<short>(each.events), 0});
    }
    waiting_.push_back({gather ? -1 : sockets_.descriptor(), POLLIN, 0});  // -1: not looked at
    const int64_t now = g_get_monotonic_time();
    std::optional<int64_t> end = timers_.next();
    if (timeout >= 0) {
        end = std::min(end.value_or(INT64_MAX), now + 1000 * int64_t{timeout});
    }
    if (gather) {
        end = std::min(end.value_or(INT64_MAX), *gather);
    }
    const int64_t left = end ? std::max<int64_t>(*end - now, 0) : 0;
    const timespec limit{left / 1'000'000, left % 1'000'000 * 1000};
    const int ready = ::ppoll(waiting_.data(), waiting_.size(), end ? &limit : nullptr, nullptr);
    const bool ours = ready > 0 && waiting_.back().revents != 0;
    readable_ = ours || gather;
    for (size_t i = 0; i < descriptors.size(); i++) {
        descriptors[i].revents = static_cast<gushort>(ready > 0 ? waiting_[i].revents : 0);
    }
    return ready - (ours ? 1 : 0);
}

bool MediaIo::on_thread() const {
    return g_main_context_is_owner(context_);
}

void MediaIo::post(std::function<void()> task) {
    post_to(context_, std::move(task));
}

void MediaIo::run(const std::function<void()>& task) {
    if (on_thread()) {
        task();
        return;
    }
    std::mutex mutex;
    std::condition_variable condition;
    bool done = false;
    post([&] {
        task();
        std::lock_guard lock(mutex);
        done = true;
        condition.notify_one();
    });
    std::unique_lock lock(mutex);
    condition.wait(lock, [&] { return done; });
}

struct MediaIoPool::Seat {
    explicit Seat(size_t index) : io("media-io-" + std::to_string(index)) {}
    MediaIo io;
    std::atomic<unsigned> transports = 0;
};

MediaIoPool::MediaIoPool(unsigned threads) {
    if (threads == 0) {
        threads = std::clamp(std::thread::hardware_concurrency(), 1u, kMostByDefault);
    }
    while (seats_.size() < threads) {
        seats_.push_back(std::make_shared<Seat>(seats_.size()));
    }
}

std::shared_ptr<MediaIo> MediaIoPool::take() {
    const auto seat = *std::ranges::min_element(
        seats_, {}, [](const std::shared_ptr<Seat>& each) { return each->transports.load(); });
    seat->transports++;
    return {&seat->io, [seat](MediaIo*) { seat->transports--; }};
}

}  // namespace vmr::media
