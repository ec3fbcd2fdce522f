#include "push_pool.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "base/guard.hpp"
#include "ticker.hpp"

namespace vmr::mixer {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kBlocked = std::chrono::milliseconds(20);
constexpr auto kStopPatience = std::chrono::seconds(2);

}  // namespace

struct PushPool::Shared {
    std::mutex lock;  // a leaf: nothing else is locked and nothing is pushed while it is held
    std::condition_variable wake;
    std::condition_variable ended;
    std::deque<PadPtr> ready;
    std::list<Clock::time_point> busy_since;
    unsigned threads = 0;
    bool stopping = true;
    std::uint64_t dropped = 0;
    const char* thread_name = "";
    Handler handler{};

    static void spawn(const std::shared_ptr<Shared>& self);
    void run();
    void serve(std::unique_lock<std::mutex>& held, PadPtr pad);
    bool needs_thread() const;
    void enqueue(Job& job);
};

void PushPool::Shared::spawn(const std::shared_ptr<Shared>& self) {
    ++self->threads;
    std::thread([self] {
        name_this_thread(self->thread_name);
        self->run();
    }).detach();
}

// Whether this was the last idle thread is decided and counted under one hold of the lock: of two that find
// nothing to do at once, one stays.
void PushPool::Shared::run() {
    std::unique_lock held(lock);
    while (!stopping) {
        if (!ready.empty()) {
            PadPtr pad = std::move(ready.front());
            ready.pop_front();
            serve(held, std::move(pad));
        } else if (threads - busy_since.size() > 1) {
            break;  // another one is idle already
        } else {
            wake.wait(held);
        }
    }
    --threads;
    ended.notify_all();
}

// Takes one item of the lane, and hands the lane on: a full lane does not starve others.
void PushPool::Shared::serve(std::unique_lock<std::mutex>& held, PadPtr pad) {
    PushLane& lane = handler.lane(pad.get());
    const bool negotiate = std::exchange(lane.negotiate, false);
    BufferPtr buffer;
    if (!negotiate && !lane.buffers.empty()) {
        buffer = std::move(lane.buffers.front());
        lane.buffers.pop_front();
    }
    const auto mark = busy_since.insert(busy_since.end(), Clock::now());
    held.unlock();
    guard(nullptr, [&] {
        if (negotiate) {
            handler.negotiate(pad.get());
        } else if (buffer) {
            handler.push(pad.get(), std::move(buffer));
        }
    });
    held.lock();
    busy_since.erase(mark);
    if (!stopping && (lane.negotiate || !lane.buffers.empty())) {
        ready.push_back(std::move(pad));
        return;
    }
    lane.scheduled = false;
    lane.burst = 0;
    held.unlock();
    pad.reset();  // may be the last reference
    held.lock();
}

bool PushPool::Shared::needs_thread() const {
    if (ready.empty() || busy_since.size() < threads || threads >= kMaxThreads) {
        return threads == 0;
    }
    const auto now = Clock::now();
    return std::all_of(busy_since.begin(), busy_since.end(),
                       [now](Clock::time_point since) { return now - since > kBlocked; });
}

void PushPool::Shared::enqueue(Job& job) {
    PushLane& lane = handler.lane(job.pad.get());
    if (!job.buffer) {
        lane.buffers.clear();
        lane.burst = 0;
        lane.negotiate = true;
    } else {
        lane.burst += job.burst ? 1 : 0;
        if (lane.buffers.size() >= lane.limit + lane.burst) {
            lane.buffers.pop_front();
            lane.lost = true;
            ++dropped;
        }
        lane.buffers.push_back(std::move(job.buffer));
    }
    if (!lane.scheduled) {
        lane.scheduled = true;
        ready.push_back(std::move(job.pad));
    }
}

PushPool::PushPool() : shared_(std::make_shared<Shared>()) {}

void PushPool::start(const char* thread_name, Handler handler) {
    stop();
    const std::lock_guard held(shared_->lock);
    shared_->thread_name = thread_name;
    shared_->handler = handler;
    shared_->stopping = false;
}

void PushPool::stop() {
    std::deque<PadPtr> abandoned;  // released after the lock
    std::unique_lock held(shared_->lock);
    if (std::exchange(shared_->stopping, true)) {
        return;
    }
    for (PadPtr& pad : shared_->ready) {
        PushLane& lane = shared_->handler.lane(pad.get());
        lane.buffers.clear();
        lane.negotiate = false;
        lane.scheduled = false;
    }
    abandoned.swap(shared_->ready);
    shared_->wake.notify_all();
    shared_->ended.wait_for(held, kStopPatience, [this] { return shared_->threads == 0; });
}

void PushPool::submit(std::vector<Job>& jobs) {
    {
        const std::lock_guard held(shared_->lock);
        if (shared_->stopping) {
            return;
        }
        const bool starved = shared_->needs_thread();
        for (Job& job : jobs) {
            shared_->enqueue(job);
        }
        if (starved && !shared_->ready.empty()) {
            Shared::spawn(shared_);
        }
    }
    if (!jobs.empty()) {
        shared_->wake.notify_one();
    }
    jobs.clear();
}

void PushPool::forget(GstPad* pad) {
    std::deque<BufferPtr> unused;
    const std::lock_guard held(shared_->lock);
    if (shared_->handler.lane == nullptr) {
        return;
    }
    PushLane& lane = shared_->handler.lane(pad);
    unused.swap(lane.buffers);
    lane.negotiate = false;
}

std::uint64_t PushPool::dropped() const {
    const std::lock_guard held(shared_->lock);
    return shared_->dropped;
}

}  // namespace vmr::mixer
