// The threads of this process that encode and decode pictures, for all rooms: as many as cores.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace vmr::mixer {

class WorkPool {
public:
    // Made by its first user and gone with its last. Whoever holds it must not let go of it in a task.
    static std::shared_ptr<WorkPool> shared();

    explicit WorkPool(unsigned most_threads);
    ~WorkPool();  // forgets what waits
    WorkPool(const WorkPool&) = delete;
    WorkPool& operator=(const WorkPool&) = delete;

    void post(std::function<void()> task);

private:
    void run();

    const unsigned most_threads_;
    std::mutex lock_;  // leaf; guards all below
    std::condition_variable wake_;
    std::deque<std::function<void()>> tasks_;
    unsigned idle_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

// Work of one thing that must not be done twice at once: an encoder's, a decoder's. Turns of many
// workers alternate, so a slow one delays others by one turn at most.
class PoolWorker {
public:
    // `turn` does one piece of work, on a thread of the pool, and says whether there is more.
    PoolWorker(WorkPool& pool, std::function<bool()> turn);
    ~PoolWorker() { stop(); }
    PoolWorker(const PoolWorker&) = delete;
    PoolWorker& operator=(const PoolWorker&) = delete;

    void wake();  // there is work
    void stop();  // waits for a turn that is running; none begins afterwards
    bool idle() const;

private:
    enum class State { idle, queued, running, woken, stopped };
    struct Shared;
    static void enqueue(const std::shared_ptr<Shared>& shared);
    static void take_turn(const std::shared_ptr<Shared>& shared);

    std::shared_ptr<Shared> shared_;  // a task in the pool's queue may outlive this
};

}  // namespace vmr::mixer
