#include "work_pool.hpp"

#include <algorithm>
#include <utility>

#include "base/guard.hpp"
#include "ticker.hpp"

namespace vmr::mixer {

std::shared_ptr<WorkPool> WorkPool::shared() {
    static std::mutex lock;
    static std::weak_ptr<WorkPool> known;
    const std::lock_guard held(lock);
    std::shared_ptr<WorkPool> pool = known.lock();
    if (!pool) {
        pool = std::make_shared<WorkPool>(std::max(1U, std::thread::hardware_concurrency()));
        known = pool;
    }
    return pool;
}

WorkPool::WorkPool(unsigned most_threads) : most_threads_(most_threads) {}

WorkPool::~WorkPool() {
    {
        const std::lock_guard held(lock_);
        stopping_ = true;
        tasks_.clear();
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

void WorkPool::post(std::function<void()> task) {
    {
        const std::lock_guard held(lock_);
        tasks_.push_back(std::move(task));
        if (idle_ < tasks_.size() && threads_.size() < most_threads_) {
            threads_.emplace_back([this] {
                name_this_thread("vmr-video-work");
                run();
            });
        }
    }
    wake_.notify_one();
}

void WorkPool::run() {
    std::unique_lock held(lock_);
    while (true) {
        ++idle_;
        wake_.wait(held, [this] { return stopping_ || !tasks_.empty(); });
        --idle_;
        if (stopping_) {
            return;
        }
        std::function<void()> task = std::move(tasks_.front());
        tasks_.pop_front();
        held.unlock();
        guard(nullptr, task);
        task = nullptr;
        held.lock();
    }
}

struct PoolWorker::Shared {
    WorkPool& pool;
    std::function<bool()> turn;
    std::mutex lock;  // leaf; guards state
    std::condition_variable rested;
    State state = State::idle;
};

PoolWorker::PoolWorker(WorkPool& pool, std::function<bool()> turn)
    : shared_(new Shared{.pool = pool, .turn = std::move(turn), .lock = {}, .rested = {}}) {}

void PoolWorker::enqueue(const std::shared_ptr<Shared>& shared) {
    shared->pool.post([shared] { take_turn(shared); });
}

void PoolWorker::wake() {
    {
        const std::lock_guard held(shared_->lock);
        if (shared_->state != State::idle) {
            if (shared_->state == State::running) {
                shared_->state = State::woken;
            }
            return;
        }
        shared_->state = State::queued;
    }
    enqueue(shared_);
}

void PoolWorker::take_turn(const std::shared_ptr<Shared>& shared) {
    {
        const std::lock_guard held(shared->lock);
        if (shared->state != State::queued) {
            return;
        }
        shared->state = State::running;
    }
    bool more = false;
    guard(nullptr, [&] { more = shared->turn(); });
    {
        const std::lock_guard held(shared->lock);
        more = more || shared->state == State::woken;
        if (shared->state == State::stopped) {
            more = false;
        } else {
            shared->state = more ? State::queued : State::idle;
        }
        shared->rested.notify_all();
    }
    if (more) {
        enqueue(shared);  // behind the others
    }
}

void PoolWorker::stop() {
    std::unique_lock held(shared_->lock);
    // A turn that runs ends in one of the other states.
    shared_->rested.wait(
        held, [this] { return shared_->state != State::running && shared_->state != State::woken; });
    shared_->state = State::stopped;
}

bool PoolWorker::idle() const {
    const std::lock_guard held(shared_->lock);
    return shared_->state == State::idle;
}

}  // namespace vmr::mixer
