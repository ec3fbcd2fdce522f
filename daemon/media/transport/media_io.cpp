#include "daemon/media/transport/media_io.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace vmr::media {

namespace {

constexpr unsigned kMostByDefault = 4;  // threads

gboolean run_task(gpointer data) {
    (*static_cast<std::function<void()>*>(data))();
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
    : context_(g_main_context_new()),
      loop_(g_main_loop_new(context_, FALSE)),
      sockets_(std::make_unique<DatagramPoll>(context_)),
      timers_(std::make_unique<IoTimers>(context_)),
      thread_(g_thread_new(name.c_str(), thread_main, this)) {}

MediaIo::~MediaIo() {
    post([this] { g_main_loop_quit(loop_); });
    g_thread_join(thread_);
    // Agents close asynchronously; their last steps would leak otherwise.
    while (g_main_context_iteration(context_, FALSE)) {
    }
    timers_.reset();
    sockets_.reset();
    g_main_loop_unref(loop_);
    g_main_context_unref(context_);
}

gpointer MediaIo::thread_main(gpointer self) {
    auto* io = static_cast<MediaIo*>(self);
    g_main_context_push_thread_default(io->context_);
    g_main_loop_run(io->loop_);
    g_main_context_pop_thread_default(io->context_);
    return nullptr;
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
