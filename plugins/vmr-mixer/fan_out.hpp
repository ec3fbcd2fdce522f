// Threads of this process that take shares of what a tick does for hundreds of pads.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace vmr::mixer {

class FanOut {
public:
    // Fewer, and the caller is done before it pays to wake a helper (docs/benchmarks.md).
    static constexpr std::size_t kWorthHelp = 256;
    static constexpr std::size_t kPiece = 32;
    static constexpr unsigned kMostHelpers = 3;

    // Made by its first user and gone with its last: one less than there are cores.
    static std::shared_ptr<FanOut> shared();

    explicit FanOut(unsigned helpers) : most_helpers_(helpers) {}
    ~FanOut();  // nobody is in run()
    FanOut(const FanOut&) = delete;
    FanOut& operator=(const FanOut&) = delete;

    // Calls work(first, end) for the pieces of 0 … count, in any order, here and where it is worth it on
    // helpers; all have returned when this does. Helpers that do not get the processor are not waited for.
    template <typename Work>
    void run(std::size_t count, Work&& work) {
        if (count < kWorthHelp || most_helpers_ == 0) {
            work(std::size_t{0}, count);
            return;
        }
        const auto call = [](void* context, std::size_t first, std::size_t end) {
            (*static_cast<std::remove_reference_t<Work>*>(context))(first, end);
        };
        Job job{call, &work, count};
        share(job);
    }

private:
    struct Job {
        void (*call)(void* context, std::size_t first, std::size_t end);
        void* context;
        std::size_t count;
        std::atomic<std::size_t> next = 0;
        unsigned helpers = 0;  // that are at it
    };

    void share(Job& job);
    static void take_pieces(Job& job);
    void help();

    const unsigned most_helpers_;
    std::mutex lock_;  // leaf; guards all below
    std::condition_variable wake_, done_;
    std::vector<Job*> jobs_;  // with pieces that nobody has taken
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace vmr::mixer
