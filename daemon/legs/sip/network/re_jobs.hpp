// What other threads ask the sip thread to do.
#pragma once
#include "base/libre.hpp"

#include <deque>
#include <functional>
#include <mutex>

namespace vmr::sip {

class Jobs {
public:
    Jobs() = default;
    ~Jobs() { close(); }
    Jobs(const Jobs&) = delete;
    Jobs& operator=(const Jobs&) = delete;

    // On the sip thread. False when there is no memory.
    bool open();
    void close();
    // From any thread; in this order. Before open() and after close() nothing happens.
    void post(std::function<void()> job);

private:
    static void on_posted(int id, void* data, void* arg);

    std::mutex mutex_;  // a leaf lock: nothing is called while it is held
    std::deque<std::function<void()>> jobs_;
    mqueue* queue_ = nullptr;
};

}  // namespace vmr::sip
