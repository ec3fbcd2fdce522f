// The one thread ("media-io") on which every media socket, ICE agent and their
// timers run, for all legs of all rooms.
#pragma once
#include <glib.h>

#include <functional>
#include <memory>

namespace vmr::media {

class MediaIo {
public:
    MediaIo();
    ~MediaIo();  // not on the thread itself; no transport may be left
    MediaIo(const MediaIo&) = delete;
    MediaIo& operator=(const MediaIo&) = delete;

    GMainContext* context() const { return context_; }
    bool on_thread() const;
    // Runs `task` on the thread, later.
    void post(std::function<void()> task);
    // Runs `task` on the thread and returns when it is done.
    void run(const std::function<void()>& task);

private:
    static gpointer thread_main(gpointer self);

    GMainContext* context_;
    GMainLoop* loop_;
    GThread* thread_;
};

// Runs `task` on the thread of `context` (null: GLib's default), later. A task
// must not throw.
void post_to(GMainContext* context, std::function<void()> task);

}  // namespace vmr::media
