#include "daemon/store/call_records.hpp"

#include <glib.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "daemon/store/call_costs.hpp"
#include "daemon/store/refusal_log.hpp"
#include "schemas/validator.hpp"
#include "tests/support/main_loop.hpp"

namespace vmr::store {
namespace {

using nlohmann::json;

class CallRecordsTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/vmr-records-XXXXXX";
        folder = mkdtemp(name);
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    std::string path() const { return folder + "/calls.jsonl"; }
    std::unique_ptr<CallRecords> open(std::size_t max_pending = 100, std::uint64_t rotate = 0) {
        auto records = CallRecords::open({path(), max_pending, rotate, std::chrono::milliseconds(20), "0.1.0",
                                          [this](const std::string& text) { troubles.push_back(text); }});
        EXPECT_TRUE(records) << (records ? "" : records.error());
        return records ? std::move(*records) : nullptr;
    }
    static CallRecord sample(const std::string& room = "board") {
        CallRecord record;
        record.id = CallRecords::new_id();
        record.room = room;
        record.participant = "p1";
        record.name = "Ad\xc3\xa9 \xff";  // broken UTF-8 from a phone
        record.leg = "sip";
        record.started_at = Time(std::chrono::seconds(1'700'000'000));
        record.ended_at = record.started_at + std::chrono::seconds(60);
        record.end_cause = "left";
        record.streams.push_back({"audio", "in", "opus", 100, 5000, -1, 0, 0, 0, 1.5, 32000, 12.5, 3, 0.5});
        return record;
    }
    std::vector<json> lines() const {
        std::vector<json> result;
        std::ifstream file(path());
        for (std::string line; std::getline(file, line);) {
            result.push_back(json::parse(line));
        }
        return result;
    }
    static bool run_until(const std::function<bool()>& done) {
        return test::run_until(done, std::chrono::seconds(30));
    }
    // Runs `body` in a process that then dies without any cleaning up.
    static void in_crashing_process(const std::function<void()>& body) {
        const pid_t child = fork();
        if (child == 0) {
            body();
            _exit(9);
        }
        int status = 0;
        waitpid(child, &status, 0);
        ASSERT_EQ(WEXITSTATUS(status), 9);
    }

    std::string folder;
    std::vector<std::string> troubles;
};

TEST_F(CallRecordsTest, RecordIsOnDiskWhenItsEndIsAcknowledged) {
    auto records = open();
    const CallRecord record = sample();
    bool stored = false;
    records->begin(record);
    records->finish(record, [&](Status status) {
        stored = status.ok();
        EXPECT_EQ(lines().size(), 1u);
    });
    ASSERT_TRUE(run_until([&] { return stored; }));
    const json line = lines().at(0);
    const auto findings = schema::Validator(schema::embedded("cdr.json")).check(line);
    EXPECT_TRUE(findings.empty()) << findings[0].pointer << " " << findings[0].message;
    const auto read = call_record_from_json(line);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->started_at, record.started_at);
    EXPECT_EQ(read->streams[0].lost, -1);
    EXPECT_EQ(read->server_version, "0.1.0");
}

TEST_F(CallRecordsTest, NextStartClosesWhatACrashLeftOpen) {
    const CallRecord finished = sample(), open_one = sample(), open_two = sample();
    in_crashing_process([&] {
        auto records = open();
        bool stored = false;
        for (const CallRecord* record : {&open_one, &finished, &open_two}) {
            records->begin(*record);
        }
        CallRecord changed = open_two;
        changed.role = "host";
        records->begin(changed);
        records->finish(finished, [&](Status) { stored = true; });
        run_until([&] { return stored; });
        (void)records.release();
    });
    {
        auto records = open();
        EXPECT_EQ(records->recovered(), 2u);
    }
    const auto all = lines();
    ASSERT_EQ(all.size(), 3u);
    for (const json& line : all) {
        EXPECT_EQ(line["end_cause"], line["id"] == finished.id ? "left" : "crash");
        EXPECT_EQ(line["role"], line["id"] == open_two.id ? "host" : "none");
        EXPECT_TRUE(schema::Validator(schema::embedded("cdr.json")).check(line).empty());
    }
    EXPECT_EQ(open()->recovered(), 0u);  // once
}

TEST_F(CallRecordsTest, WhatCallsCostIsKnownAfterARestartAndACrash) {
    const Time now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    const auto costing = [&](const std::string& room, std::int64_t cost, Time ended) {
        CallRecord record = sample(room);
        record.cost = cost;
        record.ended_at = ended;
        return record;
    };
    const CallRecord old = costing("board", 5, now - std::chrono::hours(25));
    const CallRecord ended = costing("board", 240'001, now - std::chrono::hours(1));
    const CallRecord free = costing("board", 0, now);
    in_crashing_process([&] {
        auto records = open();
        CallRecord running = costing("other", 0, {});
        records->begin(running);
        running.cost = 120'000;
        records->begin(running);
        bool stored = false;
        for (const CallRecord* record : {&old, &ended, &free}) {
            records->finish(*record, [&, record](Status) { stored = record == &free; });
        }
        run_until([&] { return stored; });
        (void)records.release();
    });
    EXPECT_EQ(open()->recovered(), 1U);
    for (const json& line : lines()) {
        EXPECT_TRUE(schema::Validator(schema::embedded("cdr.json")).check(line).empty()) << line;
        EXPECT_EQ(line.contains("cost"), line["id"] != free.id);
        EXPECT_TRUE(line["id"] != ended.id || call_record_from_json(line)->cost == ended.cost);
    }
    std::ofstream(path(), std::ios::app)
        << "{\"cost\":\nnone\n[\"cost\":1]\n{\"cost\":1e99,\"room\":\"x\"}\n";
    const auto check = [&] {
        const auto costs = call_costs(path(), now - std::chrono::hours(24));
        ASSERT_EQ(costs.size(), 2U);
        EXPECT_EQ(costs[0].room, "board");
        EXPECT_EQ(costs[0].cost, 240'001);
        EXPECT_EQ(costs[0].ended_at, ended.ended_at);
        EXPECT_EQ(costs[1].room, "other");
        EXPECT_EQ(costs[1].cost, 120'000);
        EXPECT_GE(costs[1].ended_at, now - std::chrono::minutes(1));
    };
    check();
    std::filesystem::rename(path(), path() + ".1");
    check();
}

// The journal is rewritten for what ended calls left in it, not for calls that stand.
TEST_F(CallRecordsTest, ManyOpenCallsDoNotMakeEachEndRewriteTheJournal) {
    auto records = open(10'000);
    const auto end = [&](const CallRecord& record) {
        bool stored = false;
        records->finish(record, [&](Status) { stored = true; });
        ASSERT_TRUE(run_until([&] { return stored; }));
    };
    const auto journal = [this] {
        struct stat info {};
        EXPECT_EQ(stat((path() + ".open").c_str(), &info), 0);
        return info;
    };
    std::vector<CallRecord> calls(400, sample());  // over 256 KiB
    for (CallRecord& call : calls) {
        call.id = CallRecords::new_id();
        call.user_agent = std::string(700, 'x');
        records->begin(call);
    }
    end(calls[0]);
    const auto before = journal();
    EXPECT_GT(before.st_size, 256 * 1024);
    end(calls[1]);
    EXPECT_EQ(journal().st_ino, before.st_ino);
    for (const CallRecord& call : calls) {
        end(call);
    }
    EXPECT_NE(journal().st_ino, before.st_ino);
    EXPECT_LT(journal().st_size, 256 * 1024 + 4096);
}

TEST_F(CallRecordsTest, TornLastLineIsMended) {
    {
        auto records = open();
        records->finish(sample(), {});
    }
    std::ofstream(path(), std::ios::app) << R"({"id":"torn","room":"bo)";
    {
        auto records = open();
        records->finish(sample(), {});
    }
    EXPECT_EQ(lines().size(), 2u);
}

TEST_F(CallRecordsTest, StoredButNotJournalledIsNotClosedTwice) {
    const CallRecord record = sample();
    {
        auto records = open();
        records->finish(record, {});
    }
    std::ofstream(path() + ".open", std::ios::app)
        << to_json(record).dump(-1, ' ', false, json::error_handler_t::replace) << "\n{\"half";
    EXPECT_EQ(open()->recovered(), 0u);
    EXPECT_EQ(lines().size(), 1u);
}

TEST_F(CallRecordsTest, FullDiskIsReportedRetriedAndBounded) {
    signal(SIGXFSZ, SIG_IGN);
    auto records = open(5);
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    const rlimit full{10, limit.rlim_max};  // bytes: every write ends short
    setrlimit(RLIMIT_FSIZE, &full);
    int stored = 0, refused = 0;
    for (int i = 0; i < 8; ++i) {
        records->finish(sample(), [&](Status status) { ++(status ? stored : refused); });
    }
    EXPECT_TRUE(run_until([&] { return refused == 3 && troubles.size() == 1; }))
        << refused << troubles.size();
    EXPECT_EQ(records->pending(), 5u);
    EXPECT_EQ(stored, 0);
    setrlimit(RLIMIT_FSIZE, &limit);
    EXPECT_TRUE(run_until([&] { return stored == 5 && troubles.size() == 2; }));
    EXPECT_EQ(troubles.back(), "");
    EXPECT_EQ(lines().size(), 5u);  // none twice, none torn
}

TEST_F(CallRecordsTest, ListsTheLatestAndRotates) {
    auto records = open(100, 1500);
    int stored = 0;
    for (int i = 0; i < 5; ++i) {
        CallRecord record = sample(i == 3 ? "meet" : "board");
        record.participant = "p" + std::to_string(i);
        records->finish(record, [&](Status) { ++stored; });
        ASSERT_TRUE(run_until([&] { return stored == i + 1; }));
    }
    EXPECT_TRUE(std::filesystem::exists(path() + ".1"));
    json found;
    records->list({"", 3}, [&](json list) { found = list; });
    ASSERT_TRUE(run_until([&] { return found.is_array(); }));
    ASSERT_GE(found.size(), 2u);
    EXPECT_EQ(found[0]["participant"], "p4");
    json of_room;
    records->list({"meet", 3}, [&](json list) { of_room = list; });
    ASSERT_TRUE(run_until([&] { return of_room.is_array(); }));
    ASSERT_EQ(of_room.size(), 1u);
    EXPECT_EQ(of_room[0]["participant"], "p3");
}

// However many calls are refused, the disk takes little, and none is lost from the count.
TEST_F(CallRecordsTest, RefusalsAreCountedNotWrittenOneByOne) {
    {
        auto records = open(1000);
        for (int i = 0; i < 5000; ++i) {
            CallRecord record = sample();
            record.remote_address = "192.0.2.7:" + std::to_string(1024 + i);
            record.end_cause = i % 2 == 0 ? "overload" : "not_found";
            records->refuse(record);
        }
    }
    const auto all = lines();
    ASSERT_EQ(all.size(), 12u);  // 10, and one for each cause
    std::uint64_t count = 0;
    for (const json& line : all) {
        count += line["count"].get<std::uint64_t>();
        EXPECT_TRUE(schema::Validator(schema::embedded("cdr.json")).check(line).empty());
    }
    EXPECT_EQ(count, 5000u);
    EXPECT_EQ(call_record_from_json(all.back())->count, 2495u);
}

TEST(RefusalLogTest, BoundsSourcesAndBeginsAnew) {
    RefusalLog log({2, 5, 3, std::chrono::seconds(60)});
    const auto refused = [&](const std::string& address, RefusalLog::SteadyTime now) {
        CallRecord record;
        record.remote_address = address;
        record.from = "somebody";
        record.end_cause = "overload";
        return log.take(record, now).has_value();
    };
    RefusalLog::SteadyTime now{std::chrono::hours(1)};
    EXPECT_TRUE(refused("[2001:db8::1]:5060", now));
    EXPECT_TRUE(refused("2001:db8::2", now));
    EXPECT_FALSE(refused("[2001:db8::3]:5060", now));  // the same network
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(refused("192.0.2." + std::to_string(i) + ":5060", now), i < 3);  // five in all
    }
    const auto counted = log.counted();
    ASSERT_EQ(counted.size(), 4u);  // the network, two more, the rest
    std::uint64_t count = 0;
    for (const CallRecord& record : counted) {
        count += record.count;
        EXPECT_EQ(record.from.empty(), record.count == 95) << record.count;
    }
    EXPECT_EQ(count, 98u);
    EXPECT_FALSE(refused("192.0.2.1:5060", now + std::chrono::seconds(59)));
    EXPECT_EQ(log.counted().size(), 1u);
    EXPECT_TRUE(refused("192.0.2.1:5060", now + std::chrono::seconds(60)));
}

TEST_F(CallRecordsTest, OneProcessAtATime) {
    auto records = open();
    EXPECT_FALSE(CallRecords::open({path()}));
}

}  // namespace
}  // namespace vmr::store
