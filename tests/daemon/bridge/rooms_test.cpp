// Rooms and their settings: hashed by the worker, in force together, and never by halves.
#include <time.h>

#include "bridge_fixture.hpp"

namespace vmr::bridge {
namespace {

using nlohmann::json;

std::chrono::milliseconds cpu_time_of_this_thread() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::milliseconds(time.tv_sec * 1000 + time.tv_nsec / 1'000'000);
}

ops::RoomConfig room(const std::string& id, const std::string& host_pin = "", const std::string& title = "") {
    ops::RoomConfig config;
    config.id = id;
    config.title = title;
    config.aliases = {id};
    config.host_pin = host_pin;
    return config;
}

class BridgeRoomsTest : public BridgeFixture {
protected:
    // Answers come in answers_, now or later.
    void ask(const std::string& operation, const json& params) {
        bridge_->perform({api::Caller::Kind::admin, "", "", ""}, operation, params,
                         [this](const api::Response& response) { answers_.push_back(response); });
    }
    std::size_t rooms() {
        ask("listRooms", json::object());
        const std::size_t count = answers_.back().body["rooms"].size();
        answers_.pop_back();
        return count;
    }

    std::vector<api::Response> answers_;
};

TEST_F(BridgeRoomsTest, AReloadOfManyRoomsLeavesTheControlThreadFree) {
    std::vector<ops::RoomConfig> many;
    for (int i = 0; i < 100; ++i) {
        many.push_back(room("r" + std::to_string(i), std::to_string(100'000 + i)));
    }
    const auto before = cpu_time_of_this_thread();
    ASSERT_TRUE(hasher_.hash({"482913", "1234", "5678", "9999"}));
    const auto four_hashes = cpu_time_of_this_thread() - before;
    const auto start = cpu_time_of_this_thread();
    bridge_->reload_rooms(many);
    EXPECT_EQ(rooms(), 0U);
    EXPECT_TRUE(run_until([&] { return rooms() == 100; }));
#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // our code is slower there, libsodium's not
    // The whole of it costs this thread less than half of its 100 hashes would.
    EXPECT_LT((cpu_time_of_this_thread() - start).count(), 12 * four_hashes.count());
#endif
}

TEST_F(BridgeRoomsTest, RoomsWithoutAChangedPinChangeAtOnce) {
    bridge_->start_rooms({room("meet"), room("board", "482913")});
    EXPECT_EQ(rooms(), 2U);
    bridge_->reload_rooms({room("meet", "", "Everyone"), room("board", "482913", "The board")});
    for (const char* id : {"meet", "board"}) {
        ask("getRoom", {{"room", id}});
    }
    EXPECT_EQ(answers_[0].body["title"], "Everyone");
    EXPECT_EQ(answers_[1].body["title"], "The board");
    EXPECT_TRUE(answers_[1].body["has_host_pin"]);
    bridge_->reload_rooms({room("board", "999999", "With a new PIN")});
    EXPECT_EQ(rooms(), 1U);
    ask("getRoom", {{"room", "board"}});
    EXPECT_EQ(answers_.back().body["title"], "The board");  // all of it, or nothing
    EXPECT_TRUE(run_until([&] {
        ask("getRoom", {{"room", "board"}});
        return answers_.back().body["title"] == "With a new PIN";
    }));
}

TEST_F(BridgeRoomsTest, ChangesThatOvertakeEachOtherAllCount) {
    ask("createRoom", {{"id", "board"}, {"host_pin", "482913"}});
    ask("createRoom", {{"id", "board"}});
    ask("createRoom", {{"id", "other"}, {"aliases", {"Board"}}});
    ASSERT_EQ(answers_.size(), 2U);  // the name is taken, though the room is not there yet
    EXPECT_EQ(answers_[0].status, 409);
    EXPECT_EQ(answers_[1].status, 409);
    ASSERT_TRUE(run_until([&] { return answers_.size() == 3; }));
    EXPECT_EQ(answers_[2].status, 201);
    ask("updateRoom", {{"room", "board"}, {"host_pin", "111111"}, {"title", "First"}});
    ask("updateRoom", {{"room", "board"}, {"guests_allowed", true}, {"guest_pin", "222222"}});
    ASSERT_TRUE(run_until([&] { return answers_.size() == 5; }));
    for (const std::size_t one : {3, 4}) {
        EXPECT_EQ(answers_[one].status, 200);
        EXPECT_EQ(answers_[one].body["title"], "First");
        EXPECT_TRUE(answers_[one].body["has_guest_pin"]);
    }
}

TEST_F(BridgeRoomsTest, ChatIsASettingLikeOthers) {
    ask("createRoom", {{"id", "board"}, {"chat_allowed", false}});
    ask("getRoom", {{"room", "board"}});
    EXPECT_FALSE(answers_.back().body["chat_allowed"]);
    ask("updateRoom", {{"room", "board"}, {"chat_allowed", true}});
    EXPECT_TRUE(answers_.back().body["chat_allowed"]);
    ask("allowChat", {{"room", "board"}, {"allowed", false}});
    EXPECT_EQ(answers_.back().status, 204);
    ask("getRoom", {{"room", "board"}});
    EXPECT_FALSE(answers_.back().body["chat_allowed"]);
    ask("sendMessage", {{"room", "board"}, {"text", "anybody?"}});
    EXPECT_EQ(answers_.back().status, 409);
    EXPECT_EQ(answers_.back().body["detail"], "the room is empty");
    ask("sendMessage", {{"room", "board"}, {"text", "\x07"}});
    EXPECT_EQ(answers_.back().status, 422);
    bool called = false;
    bridge_->perform({api::Caller::Kind::participant, "board", "nobody", ""}, "sendMessage",
                     {{"room", "board"}, {"text", "let me in"}}, [&](const api::Response& response) {
                         called = true;
                         EXPECT_EQ(response.status, 403);
                     });
    EXPECT_TRUE(called);
}

TEST_F(BridgeRoomsTest, ARoomDeletedMeanwhileStaysAway) {
    bridge_->start_rooms({room("board", "482913")});
    ask("updateRoom", {{"room", "board"}, {"host_pin", "111111"}});
    ask("deleteRoom", {{"room", "board"}});
    ASSERT_EQ(answers_.size(), 2U);
    EXPECT_EQ(answers_[0].status, 503);
    EXPECT_EQ(answers_[1].status, 204);
    ask("createRoom", {{"id", "later"}, {"host_pin", "333333"}});
    ASSERT_TRUE(run_until([&] { return answers_.size() == 3; }));  // hashed after board's
    EXPECT_EQ(rooms(), 1U);
}

}  // namespace
}  // namespace vmr::bridge
