#include "daemon/media/transport/media_io.hpp"

#include <condition_variable>
#include <mutex>

namespace vmr::media {

namespace {

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

MediaIo::MediaIo()
    : context_(g_main_context_new()),
      loop_(g_main_loop_new(context_, FALSE)),
      thread_(g_thread_new("media-io", thread_main, this)) {}

MediaIo::~MediaIo() {
    post([this] { g_main_loop_quit(loop_); });
    g_thread_join(thread_);
    // Agents close asynchronously; their last steps would leak otherwise.
    while (g_main_context_iteration(context_, FALSE)) {
    }
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

}  // namespace vmr::media
