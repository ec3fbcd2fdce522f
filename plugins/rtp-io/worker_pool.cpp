#include "worker_pool.hpp"

#include <algorithm>
#include <thread>

namespace vmr::rtp_io {

std::shared_ptr<WorkerPool> WorkerPool::acquire(unsigned workers) {
    static std::mutex lock;
    static std::weak_ptr<WorkerPool> shared;
    const std::lock_guard held(lock);
    std::shared_ptr<WorkerPool> pool = shared.lock();
    if (!pool) {
        pool = std::make_shared<WorkerPool>();
        shared = pool;
    }
    const unsigned automatic = std::clamp(std::thread::hardware_concurrency(), 1u, 4u);
    pool->grow(workers == 0 ? automatic : std::min(workers, kMost));
    return pool;
}

void WorkerPool::grow(unsigned workers) {
    const std::lock_guard held(lock_);
    while (workers_.size() < workers) {
        workers_.push_back(std::make_unique<Worker>(static_cast<unsigned>(workers_.size())));
    }
}

unsigned WorkerPool::size() const {
    const std::lock_guard held(lock_);
    return static_cast<unsigned>(workers_.size());
}

Worker& WorkerPool::least_loaded() const {
    const std::lock_guard held(lock_);
    const auto fewer = [](const auto& a, const auto& b) { return a->legs() < b->legs(); };
    return **std::min_element(workers_.begin(), workers_.end(), fewer);
}

WorkerCounts& WorkerPool::sum(WorkerCounts& total) const {
    const std::lock_guard held(lock_);
    for (const auto& worker : workers_) {
        total.wake_ups += worker->counts().wake_ups;
    }
    return total;
}

}  // namespace vmr::rtp_io
