#include "fan_out.hpp"

#include <algorithm>

#include "base/guard.hpp"
#include "ticker.hpp"

namespace vmr::mixer {

std::shared_ptr<FanOut> FanOut::shared() {
    static std::mutex lock;
    static std::weak_ptr<FanOut> known;
    const std::lock_guard held(lock);
    std::shared_ptr<FanOut> fan_out = known.lock();
    if (!fan_out) {
        const unsigned cores = std::max(std::thread::hardware_concurrency(), 1u);
        fan_out = std::make_shared<FanOut>(std::min(cores - 1, kMostHelpers));
        known = fan_out;
    }
    return fan_out;
}

FanOut::~FanOut() {
    {
        const std::lock_guard held(lock_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

void FanOut::share(Job& job) {
    {
        const std::lock_guard held(lock_);
        while (threads_.size() < most_helpers_) {
            threads_.emplace_back([this] {
                name_this_thread("vmr-fan-out");
                help();
            });
        }
        jobs_.push_back(&job);
    }
    wake_.notify_all();
    take_pieces(job);
    std::unique_lock held(lock_);
    std::erase(jobs_, &job);
    done_.wait(held, [&job] { return job.helpers == 0; });
}

void FanOut::take_pieces(Job& job) {
    for (std::size_t first = 0; (first = job.next.fetch_add(kPiece)) < job.count;) {
        guard(nullptr, [&] { job.call(job.context, first, std::min(first + kPiece, job.count)); });
    }
}

void FanOut::help() {
    std::unique_lock held(lock_);
    while (!stopping_) {
        if (jobs_.empty()) {
            wake_.wait(held);
            continue;
        }
        Job& job = *jobs_.front();
        ++job.helpers;
        held.unlock();
        take_pieces(job);
        held.lock();
        std::erase(jobs_, &job);
        if (--job.helpers == 0) {
            done_.notify_all();
        }
    }
}

}  // namespace vmr::mixer
