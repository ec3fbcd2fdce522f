#include "fan_out.hpp"

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <future>
#include <stdexcept>
#include <utility>

namespace vmr::mixer {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);
constexpr std::size_t kMany = 10 * FanOut::kFewest;
constexpr std::int64_t kNoTime = 1;  // ns
constexpr std::int64_t kAnyTime = 1'000'000'000'000;
constexpr FanOut::Cost kDear{1'000'000};

using Pieces = std::vector<std::pair<std::size_t, std::size_t>>;

TEST(FanOut, OneForTheProcessAsLongAsSomebodyHoldsIt) {
    const auto one = FanOut::shared();
    EXPECT_EQ(one, FanOut::shared());
}

TEST(FanOut, FewAreDoneByTheCallerInOneGo) {
    FanOut fan_out(3);
    FanOut::Cost cost = kDear;
    Pieces pieces;
    fan_out.run(FanOut::kFewest - 1, cost, kNoTime,
                [&](std::size_t first, std::size_t end) { pieces.emplace_back(first, end); });
    EXPECT_EQ(pieces, (Pieces{{0, FanOut::kFewest - 1}}));
}

TEST(FanOut, WhatIsDoneInTimeIsDoneByTheCaller) {
    FanOut fan_out(3);
    FanOut::Cost cost;
    Pieces pieces;
    for (int i = 0; i < 2; ++i) {
        fan_out.run(kMany, cost, kAnyTime,
                    [&](std::size_t first, std::size_t end) { pieces.emplace_back(first, end); });
    }
    EXPECT_EQ(pieces, (Pieces{{0, kMany}, {0, kMany}}));
}

TEST(FanOut, WhatWouldTakeTooLongIsShared) {
    FanOut fan_out(1);
    FanOut::Cost cost;
    const auto work = [](std::size_t first, std::size_t end) {
        volatile double sum = 0;
        for (std::size_t i = 0; i < 100 * (end - first); ++i) {
            sum = sum + static_cast<double>(i);
        }
    };
    fan_out.run(kMany, cost, kNoTime, work);  // what it costs is not known yet
    EXPECT_GT(cost.item_ns, 0);
    std::atomic<unsigned> pieces = 0;
    fan_out.run(kMany, cost, kNoTime, [&](std::size_t first, std::size_t end) {
        work(first, end);
        ++pieces;
    });
    EXPECT_EQ(pieces, kMany / FanOut::kPiece);
}

TEST(FanOut, EachIsDoneOnceAndBeforeTheCallerGoesOn) {
    for (const unsigned helpers : {0u, 1u, 3u, 100u}) {
        FanOut fan_out(helpers);
        for (const std::size_t count : {FanOut::kFewest, FanOut::kFewest + 1, kMany - 1}) {
            FanOut::Cost cost = kDear;
            std::vector<int> done(count);  // not atomic: what helpers wrote is there
            fan_out.run(count, cost, kNoTime, [&](std::size_t first, std::size_t end) {
                for (std::size_t i = first; i < end; ++i) {
                    ++done[i];
                }
            });
            EXPECT_EQ(done, std::vector<int>(count, 1));
        }
    }
}

TEST(FanOut, AHelperTakesOverWhatTheCallerHasNoTimeFor) {
    FanOut fan_out(1);
    FanOut::Cost cost = kDear;
    std::promise<void> helped;
    const auto caller = std::this_thread::get_id();
    const auto by_helper = helped.get_future().share();
    std::atomic<bool> told = false;
    fan_out.run(kMany, cost, kNoTime, [&](std::size_t, std::size_t) {
        if (std::this_thread::get_id() == caller) {
            EXPECT_EQ(by_helper.wait_for(kPatience), std::future_status::ready);
        } else if (!told.exchange(true)) {
            helped.set_value();
        }
    });
}

TEST(FanOut, TwoRoomsAtOnceShareTheHelpers) {
    FanOut fan_out(2);
    const auto room = [&fan_out] {
        for (int tick = 0; tick < 50; ++tick) {
            FanOut::Cost cost = kDear;
            std::atomic<std::size_t> done = 0;
            fan_out.run(kMany, cost, kNoTime,
                        [&](std::size_t first, std::size_t end) { done += end - first; });
            EXPECT_EQ(done, kMany);
        }
    };
    std::thread other(room);
    room();
    other.join();
}

TEST(FanOut, AnExceptionEndsItsPieceAlone) {
    FanOut fan_out(1);
    FanOut::Cost cost = kDear;
    std::atomic<std::size_t> done = 0;
    const auto quiet =
        g_log_set_default_handler([](const char*, GLogLevelFlags, const char*, gpointer) {}, nullptr);
    fan_out.run(kMany, cost, kNoTime, [&](std::size_t first, std::size_t end) {
        if (first == 0) {
            throw std::runtime_error("of one listener");
        }
        done += end - first;
    });
    g_log_set_default_handler(quiet, nullptr);
    EXPECT_EQ(done, kMany - FanOut::kPiece);
}

}  // namespace
}  // namespace vmr::mixer
