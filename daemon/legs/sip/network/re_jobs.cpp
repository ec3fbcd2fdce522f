#include "daemon/legs/sip/network/re_jobs.hpp"

#include <utility>

#include "base/guard.hpp"

namespace vmr::sip {

bool Jobs::open() {
    mqueue* queue = nullptr;
    if (mqueue_alloc(&queue, on_posted, this) != 0) {
        return false;
    }
    const std::lock_guard lock(mutex_);
    queue_ = queue;
    return true;
}

void Jobs::close() {
    const std::lock_guard lock(mutex_);
    mem_deref(std::exchange(queue_, nullptr));
    jobs_.clear();
}

void Jobs::post(std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    if (queue_ == nullptr) {
        return;
    }
    jobs_.push_back(std::move(job));
    if (jobs_.size() == 1) {
        (void)mqueue_push(queue_, 0, nullptr);
    }
}

void Jobs::on_posted(int /*id*/, void* /*data*/, void* arg) {
    auto* self = static_cast<Jobs*>(arg);
    std::deque<std::function<void()>> jobs;
    {
        const std::lock_guard lock(self->mutex_);
        jobs.swap(self->jobs_);
    }
    for (const auto& job : jobs) {
        guard(nullptr, job);
    }
}

}  // namespace vmr::sip
