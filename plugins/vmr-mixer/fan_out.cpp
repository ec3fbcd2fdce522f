#include "fan_out.hpp"

#include <algorithm>
#include <ctime>

#include "base/guard.hpp"
#include "ticker.hpp"

namespace vmr::mixer {
namespace {

constexpr std::int64_t kMemory = 8;  // times that the cost is averaged over

std::int64_t thread_cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

}  // namespace

std::shared_ptr<FanOut> FanOut::shared() {
    static std::mutex lock;
    static std::weak_ptr<FanOut> known;
    const std::lock_guard held(lock);
    std::shared_ptr<FanOut> fan_out = known.lock();
    if (!fan_out) {
        const unsigned cores = std::max(std::thread::hardware_concurrency(), 1u);
        fan_out = std::make_shared<FanOut>(cores - 1);
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

FanOut::Job::Job(const Task& shared, std::size_t count, unsigned threads)
    : task(shared), part_count(threads) {
    for (unsigned part = 0; part < part_count; ++part) {
        parts[part].next = count * part / part_count;
        parts[part].end = count * (part + 1) / part_count;
    }
}

void FanOut::run(const Task& task, std::size_t count, Cost& cost, std::int64_t most_ns) {
    const std::int64_t before = thread_cpu_ns();
    std::size_t own = count;
    if (most_helpers_ > 0 && cost.item_ns * static_cast<std::int64_t>(count) > most_ns) {
        Job job(task, count, most_helpers_ + 1);
        own = share(job);
    } else {
        task.call(task.context, 0, count);
    }
    if (own > 0) {
        const std::int64_t now = (thread_cpu_ns() - before) / static_cast<std::int64_t>(own);
        cost.item_ns = cost.item_ns == 0 ? now : cost.item_ns + (now - cost.item_ns) / kMemory;
    }
}

std::size_t FanOut::share(Job& job) {
    {
        const std::lock_guard held(lock_);
        while (threads_.size() < most_helpers_) {
            threads_.emplace_back([this, number = static_cast<unsigned>(threads_.size())] {
                name_this_thread("vmr-fan-out");
                help(number);
            });
        }
        jobs_.push_back(&job);
    }
    wake_.notify_all();
    const std::size_t own = take_pieces(job, 0);
    std::unique_lock held(lock_);
    std::erase(jobs_, &job);
    done_.wait(held, [&job] { return job.helpers == 0; });
    return own;
}

// How many items they had.
std::size_t FanOut::take_pieces(Job& job, unsigned first_part) {
    std::size_t taken = 0;
    for (unsigned i = 0; i < job.part_count; ++i) {
        Part& part = job.parts[(first_part + i) % job.part_count];
        for (std::size_t first = 0; (first = part.next.fetch_add(kPiece)) < part.end;) {
            const std::size_t end = std::min(first + kPiece, part.end);
            guard(nullptr, [&] { job.task.call(job.task.context, first, end); });
            taken += end - first;
        }
    }
    return taken;
}

void FanOut::help(unsigned number) {
    std::unique_lock held(lock_);
    while (!stopping_) {
        if (jobs_.empty()) {
            wake_.wait(held);
            continue;
        }
        Job& job = *jobs_.front();
        ++job.helpers;
        held.unlock();
        take_pieces(job, number + 1);
        held.lock();
        std::erase(jobs_, &job);
        if (--job.helpers == 0) {
            done_.notify_all();
        }
    }
}

}  // namespace vmr::mixer
