// The workers of the process, shared by all elements. They live while an element needs them.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "worker.hpp"

namespace vmr::rtp_io {

class WorkerPool {
public:
    static constexpr unsigned kMost = 64;

    // `workers` 0: one per core, at most 4. The largest number asked for counts.
    static std::shared_ptr<WorkerPool> acquire(unsigned workers);

    unsigned size() const;
    Worker& least_loaded() const;
    WorkerCounts& sum(WorkerCounts& total) const;

private:
    void grow(unsigned workers);

    mutable std::mutex lock_;  // taken before a worker's locks
    std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace vmr::rtp_io
