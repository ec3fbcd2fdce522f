#include "work_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace vmr::mixer {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

TEST(WorkPool, OneForTheProcessAsLongAsSomebodyHoldsIt) {
    const auto one = WorkPool::shared();
    EXPECT_EQ(one, WorkPool::shared());
}

TEST(PoolWorker, ASlowWorkerDelaysNobody) {
    WorkPool pool(2);
    std::promise<void> release;
    std::promise<void> done;
    const auto released = release.get_future().share();
    PoolWorker slow(pool, [released] {
        released.wait();
        return false;
    });
    int turns = 0;
    PoolWorker quick(pool, [&] {
        if (++turns == 100) {
            done.set_value();
        }
        return turns < 100;
    });
    slow.wake();
    quick.wake();
    EXPECT_EQ(done.get_future().wait_for(kPatience), std::future_status::ready);
    EXPECT_FALSE(slow.idle());
    release.set_value();
}

TEST(PoolWorker, TwoWorkersRunAtTheSameTime) {
    WorkPool pool(2);
    std::promise<void> first;
    std::promise<void> second;
    const auto first_runs = first.get_future().share();
    const auto second_runs = second.get_future().share();
    std::atomic<int> met{0};
    PoolWorker one(pool, [&] {
        first.set_value();
        met += second_runs.wait_for(kPatience) == std::future_status::ready ? 1 : 0;
        return false;
    });
    PoolWorker two(pool, [&] {
        second.set_value();
        met += first_runs.wait_for(kPatience) == std::future_status::ready ? 1 : 0;
        return false;
    });
    one.wake();
    two.wake();
    first_runs.wait();
    second_runs.wait();
    one.stop();
    two.stop();
    EXPECT_EQ(met, 2);
}

TEST(PoolWorker, NeverTakesTwoTurnsAtOnceAndLosesNoWakeUp) {
    WorkPool pool(4);
    std::atomic<int> work{0};
    std::atomic<int> inside{0};
    std::atomic<bool> clash{false};
    std::promise<void> done;
    int finished = 0;
    constexpr int kAll = 4000;
    PoolWorker worker(pool, [&] {
        clash = clash || ++inside > 1;
        finished += work.exchange(0);
        if (finished == kAll) {
            done.set_value();
        }
        --inside;
        return false;
    });
    for (int i = 0; i < kAll; ++i) {
        ++work;
        worker.wake();
    }
    EXPECT_EQ(done.get_future().wait_for(kPatience), std::future_status::ready);
    EXPECT_FALSE(clash);
}

TEST(PoolWorker, AfterStopThereAreNoTurns) {
    WorkPool pool(1);
    std::atomic<int> turns{0};
    {
        PoolWorker worker(pool, [&] {
            ++turns;
            return true;
        });
        worker.wake();
        worker.stop();
        const int taken = turns;
        worker.wake();
        PoolWorker other(pool, [] { return false; });
        other.wake();
        while (!other.idle()) {
            std::this_thread::yield();
        }
        EXPECT_EQ(turns, taken);
    }
}

}  // namespace
}  // namespace vmr::mixer
