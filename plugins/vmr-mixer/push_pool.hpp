// Threads that push buffers downstream, so that one blocked listener holds up nobody else.
#pragma once
#include <gst/gst.h>

#include <atomic>
#include <deque>
#include <memory>
#include <vector>

#include "base/gst_ptr.hpp"

namespace vmr::mixer {

// What a src pad has waiting. Owned by the pad, guarded by the pool's lock.
struct PushLane {
    std::deque<BufferPtr> buffers;
    bool negotiate = false;
    bool scheduled = false;          // in the pool's ready list, or in a thread's hands
    std::atomic<bool> lost = false;  // set when a buffer was dropped; the owner clears it
    std::size_t limit = 5;           // buffers kept for a slow listener; the oldest is dropped
    std::size_t burst = 0;           // buffers beyond the limit, until the lane is empty
};

// One thread is enough while downstream only queues. When a push has not returned for a while and
// others wait, the pool adds a thread, up to kMaxThreads; it shrinks back when they are idle.
// A lane is with one thread at a time, so its order holds.
class PushPool {
public:
    static constexpr unsigned kMaxThreads = 16;
    struct Handler {
        PushLane& (*lane)(GstPad* pad);
        void (*negotiate)(GstPad* pad);
        void (*push)(GstPad* pad, BufferPtr buffer);
    };
    struct Job {
        PadPtr pad;
        BufferPtr buffer;    // null: negotiate, and forget what is queued
        bool burst = false;  // one of many at once, which the lane's limit is not meant for
    };

    PushPool();
    ~PushPool() { stop(); }
    PushPool(const PushPool&) = delete;
    PushPool& operator=(const PushPool&) = delete;

    void start(const char* thread_name, Handler handler);
    // Forgets what is queued. Waits at most two seconds for pushes that block downstream; a thread
    // that is still blocked then is left to end by itself (it holds only its pad).
    void stop();
    void submit(std::vector<Job>& jobs);
    // Nothing of this pad is pushed any more but what a thread is pushing right now.
    void forget(GstPad* pad);
    std::uint64_t dropped() const;

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

}  // namespace vmr::mixer
