// A thread ("media-io-N") on which media sockets, ICE agents and their timers run. There are a few of them
// for all legs of all rooms; a transport stays on one for life.
#pragma once
#include <glib.h>
#include <poll.h>

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "daemon/media/transport/datagram_poll.hpp"
#include "daemon/media/transport/io_timer.hpp"

namespace vmr::media {

class MediaIo {
public:
    explicit MediaIo(const std::string& name = "media-io");
    ~MediaIo();  // not on the thread itself; no transport may be left
    MediaIo(const MediaIo&) = delete;
    MediaIo& operator=(const MediaIo&) = delete;

    GMainContext* context() const { return context_; }
    bool on_thread() const;
    // Runs `task` on the thread, later.
    void post(std::function<void()> task);
    // Runs `task` on the thread and returns when it is done.
    void run(const std::function<void()>& task);

    // On the thread.
    DatagramPoll& sockets() { return sockets_; }
    IoTimers& timers() { return timers_; }

private:
    static gpointer thread_main(gpointer self);
    static gint poll(GPollFD* descriptors, guint count, gint timeout);
    gint wait(std::span<GPollFD> descriptors, gint timeout);

    GMainContext* context_;
    DatagramPoll sockets_;
    IoTimers timers_;
    std::vector<pollfd> waiting_;  // the thread's own
    bool readable_ = false;
    std::atomic<bool> stopping_ = false;
    GThread* thread_;
};

class MediaIoPool {
public:
    // 0: as many threads as cores, at most 4.
    explicit MediaIoPool(unsigned threads = 0);

    // For one transport: the thread that has the fewest. It counts while the pointer lives.
    std::shared_ptr<MediaIo> take();
    size_t threads() const { return seats_.size(); }

private:
    struct Seat;
    std::vector<std::shared_ptr<Seat>> seats_;
};

// Runs `task` on the thread of `context` (null: GLib's default), later. A task
// must not throw.
void post_to(GMainContext* context, std::function<void()> task);

}  // namespace vmr::media
