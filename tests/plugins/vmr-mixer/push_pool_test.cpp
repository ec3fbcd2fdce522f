#include "push_pool.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>

namespace vmr::mixer {
namespace {

using namespace std::chrono_literals;

constexpr auto kDeadline = 10s;

// What the pool does with pads, seen from downstream: pads listed in `blocked` do not return.
struct Downstream {
    std::mutex lock;
    std::condition_variable changed;
    std::map<GstPad*, PushLane> lanes;
    std::map<GstPad*, unsigned> pushed;
    bool blocked = false;
    unsigned waiting = 0;
    GstPad* passing = nullptr;  // not blocked

    template <typename Condition>
    bool wait_until(Condition condition) {
        std::unique_lock held(lock);
        return changed.wait_for(held, kDeadline, condition);
    }
};

Downstream* downstream = nullptr;

PushLane& lane_of(GstPad* pad) {
    return downstream->lanes.at(pad);
}

void on_push(GstPad* pad, BufferPtr) {
    std::unique_lock held(downstream->lock);
    ++downstream->waiting;
    downstream->changed.notify_all();
    downstream->changed.wait(held, [pad] { return !downstream->blocked || pad == downstream->passing; });
    --downstream->waiting;
    ++downstream->pushed[pad];
    downstream->changed.notify_all();
}

class PushPoolTest : public ::testing::Test {
protected:
    void SetUp() override {
        gst_init(nullptr, nullptr);
        downstream = &downstream_;
        for (PadPtr& pad : pads_) {
            pad = PadPtr::adopt(gst_pad_new(nullptr, GST_PAD_SRC));
            downstream_.lanes.try_emplace(pad.get());
            downstream_.pushed[pad.get()] = 0;
        }
        downstream_.passing = pads_[0].get();
        pool_.start("push-pool-test", {lane_of, [](GstPad*) {}, on_push});
    }
    void TearDown() override { pool_.stop(); }

    void submit(std::size_t pad) {
        std::vector<PushPool::Job> jobs;
        jobs.push_back({pads_[pad], BufferPtr::adopt(gst_buffer_new())});
        pool_.submit(jobs);
    }
    // As the mixer's tick does: what waits for a thread gets one at a later submission.
    bool submit_until(std::size_t pad, const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + kDeadline;
        while (std::chrono::steady_clock::now() < end) {
            submit(pad);
            std::unique_lock held(downstream_.lock);
            if (downstream_.changed.wait_for(held, 10ms, done)) {
                return true;
            }
        }
        return false;
    }
    void set_blocked(bool blocked) {
        const std::lock_guard held(downstream_.lock);
        downstream_.blocked = blocked;
        downstream_.changed.notify_all();
    }

    Downstream downstream_;
    std::array<PadPtr, 4> pads_;
    PushPool pool_;
};

TEST_F(PushPoolTest, ABlockedListenerHoldsUpNobody) {
    set_blocked(true);
    submit(1);
    EXPECT_TRUE(submit_until(0, [this] { return downstream_.pushed[pads_[0].get()] > 0; }));
    EXPECT_EQ(downstream_.pushed[pads_[1].get()], 0u);
    set_blocked(false);
    EXPECT_TRUE(downstream_.wait_until([this] { return downstream_.pushed[pads_[1].get()] == 1; }));
}

// All threads become idle at the same moment: one of them has to stay for what comes next.
TEST_F(PushPoolTest, OneThreadStaysWhenAllBecomeIdleAtOnce) {
    for (int round = 0; round < 20; ++round) {
        set_blocked(true);
        for (std::size_t pad = 1; pad < pads_.size(); ++pad) {
            submit(pad);
        }
        ASSERT_TRUE(submit_until(0, [this] { return downstream_.waiting == pads_.size() - 1; }));
        set_blocked(false);
        ASSERT_TRUE(downstream_.wait_until([this] { return downstream_.waiting == 0; }));
        unsigned before = 0;
        {
            const std::lock_guard held(downstream_.lock);
            before = downstream_.pushed[pads_[1].get()];
        }
        submit(1);
        ASSERT_TRUE(downstream_.wait_until([this, before] {
            return downstream_.pushed[pads_[1].get()] > before;
        })) << "round "
            << round;
    }
}

}  // namespace
}  // namespace vmr::mixer
