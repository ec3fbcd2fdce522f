// Threads of this process that take shares of what a tick does for hundreds of pads, where one would not be
// done in time. Sharing costs a tenth more (docs/benchmarks.md), so it is done only there.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace vmr::mixer {

class FanOut {
public:
    static constexpr std::size_t kFewest = 128;  // pads: fewer take no time that would be worth a look
    static constexpr std::size_t kPiece = 32;
    static constexpr unsigned kMostHelpers = 3;

    // One kind of work. Of one thread.
    struct Cost {
        std::int64_t item_ns = 0;  // CPU, lately; 0: not known yet
    };

    // Made by its first user and gone with its last: one helper less than there are cores.
    static std::shared_ptr<FanOut> shared();

    explicit FanOut(unsigned helpers) : most_helpers_(std::min(helpers, kMostHelpers)) {}
    ~FanOut();  // nobody is in run()
    FanOut(const FanOut&) = delete;
    FanOut& operator=(const FanOut&) = delete;

    // Calls work(first, end) for pieces of 0 … count, in any order: here, and on helpers where it would take
    // more than `most_ns`. All have returned when this does. A helper that does not get the processor is not
    // waited for.
    template <typename Work>
    void run(std::size_t count, Cost& cost, std::int64_t most_ns, Work&& work) {
        if (count < kFewest) {
            work(std::size_t{0}, count);
            return;
        }
        const auto call = [](void* context, std::size_t first, std::size_t end) {
            (*static_cast<std::remove_reference_t<Work>*>(context))(first, end);
        };
        run({call, const_cast<void*>(static_cast<const void*>(&work))}, count, cost, most_ns);
    }

private:
    struct Task {
        void (*call)(void* context, std::size_t first, std::size_t end);
        void* context;
    };
    // Each thread begins with a part of its own, the same tick by tick: what it touched last time is in its
    // core's cache. Then it takes pieces of the others' parts.
    struct Part {
        std::atomic<std::size_t> next = 0;
        std::size_t end = 0;
    };
    struct Job {
        Job(const Task& shared, std::size_t count, unsigned threads);
        const Task task;
        std::array<Part, kMostHelpers + 1> parts;
        const unsigned part_count;
        unsigned helpers = 0;  // that are at it
    };

    void run(const Task& task, std::size_t count, Cost& cost, std::int64_t most_ns);
    std::size_t share(Job& job);
    static std::size_t take_pieces(Job& job, unsigned first_part);
    void help(unsigned number);

    const unsigned most_helpers_;
    std::mutex lock_;  // leaf; guards all below
    std::condition_variable wake_, done_;
    std::vector<Job*> jobs_;  // with pieces that nobody has taken
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace vmr::mixer
