// One thread that receives for the legs that nobody else receives for.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "leg.hpp"

namespace vmr::rtp_io {

struct WorkerCounts {
    std::atomic<std::uint64_t> wake_ups = 0;  // returns of epoll_wait
};

class Worker {
public:
    explicit Worker(unsigned index);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Any thread. The leg's socket is open and stays so until remove() returned. After that the thread may
    // still be in the middle of one batch for it, with references of its own.
    void add(const std::shared_ptr<Leg>& leg);
    void remove(const std::shared_ptr<Leg>& leg);
    std::size_t legs() const;
    // Somebody else receives for the leg: its socket wakes nobody here, until a patrol finds that it was left
    // alone (Leg::drain).
    void leave_to_others(const std::shared_ptr<Leg>& leg);

    const WorkerCounts& counts() const { return counts_; }

private:
    static constexpr std::int64_t kGatherNs = 1'000'000;  // 1 ms
    static constexpr unsigned kEvents = 64;               // sockets reported at once
    static constexpr long kPatrolNs = 200'000'000;        // 200 ms: ten ticks
    static constexpr std::uint64_t kWakeKey = 0, kPatrolKey = 1, kFirstLegKey = 2;

    void run();
    void let_datagrams_gather();
    void patrol();
    void forget_left(Leg& leg);
    void serve_legs();

    int epoll_ = -1;
    int wake_ = -1;    // eventfd: the end
    int patrol_ = -1;  // timerfd

    mutable std::mutex legs_lock_;  // a leaf
    std::unordered_map<std::uint64_t, std::shared_ptr<Leg>> legs_;
    std::unordered_map<const Leg*, std::uint64_t> keys_;
    std::uint64_t next_key_ = kFirstLegKey;
    std::size_t left_ = 0;  // legs that others receive for

    // The thread's own.
    std::int64_t last_received_ = 0;             // ns
    std::vector<std::uint64_t> readable_;        // keys of legs
    std::vector<std::shared_ptr<Leg>> serving_;  // legs whose sockets have something, or may have more
    std::unique_ptr<ReceiveBatch> received_ = std::make_unique<ReceiveBatch>();

    WorkerCounts counts_;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

}  // namespace vmr::rtp_io
