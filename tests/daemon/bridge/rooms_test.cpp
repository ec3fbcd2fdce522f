// Rooms and their settings: hashed by the worker, in force together, and never by halves.
#include <time.h>

#include "bridge_fixture.hpp"
#include "daemon/bridge/room_settings.hpp"
#include "schemas/validator.hpp"

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
    BridgeRoomsTest() = default;
    explicit BridgeRoomsTest(std::size_t max_hashing) : BridgeFixture(max_hashing) {}
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

    // Title of the room that a name or number leads to; empty: none, or one with a PIN.
    std::string reached(const std::string& name) {
        ask("getJoinInfo", {{"alias", name}});
        std::string title = answers_.back().body["title"];
        answers_.pop_back();
        return title;
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
    EXPECT_TRUE(run_until([&] {
        ask("getRoom", {{"room", "r99"}});  // the last one
        return answers_.back().status == 200;
    }));
    EXPECT_EQ(rooms(), 100U);
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

ops::RoomConfig numbered(const std::string& id, const std::vector<std::string>& numbers) {
    ops::RoomConfig config = room(id, "", id);
    config.numbers = numbers;
    return config;
}

TEST_F(BridgeRoomsTest, ANumberThatMovesToAnotherRoomLeadsThereAfterAReload) {
    bridge_->start_rooms({numbered("board", {"2000"}), numbered("meet", {"1000", "3000"})});
    EXPECT_EQ(reached("2000"), "board");
    bridge_->reload_rooms({numbered("boardroom", {"2000"}), numbered("meet", {"1000", "3000"})});
    EXPECT_EQ(reached("2000"), "boardroom");
    EXPECT_EQ(reached("board"), "");
    bridge_->reload_rooms({numbered("boardroom", {"3000", "2000"}), numbered("meet", {"1000"})});
    EXPECT_EQ(reached("3000"), "boardroom");
    bridge_->reload_rooms({numbered("boardroom", {"1000"}), numbered("meet", {"2000"})});
    EXPECT_EQ(reached("1000"), "boardroom");
    EXPECT_EQ(reached("2000"), "meet");
    EXPECT_EQ(reached("3000"), "");
}

TEST_F(BridgeRoomsTest, ARoomThatStaysForWhoIsInItGivesUpTheNamesThatOthersHaveNow) {
    bridge_->start_rooms({numbered("board", {"2000", "2001"})});
    const auto leg = std::make_shared<FakeLeg>("sip-1");
    Arrival arrival;
    arrival.leg = leg->id();
    arrival.alias = "board";
    arrival.remote_address = "127.0.0.1:5061";
    ASSERT_NE(bridge_->on_leg_arrived(leg, arrival), nullptr);
    ASSERT_TRUE(run_until([&] { return leg->accepted; }));
    bridge_->reload_rooms({numbered("boardroom", {"2000", "board"})});
    EXPECT_EQ(rooms(), 2U);
    EXPECT_EQ(reached("2000"), "boardroom");
    EXPECT_EQ(reached("board"), "boardroom");
    EXPECT_EQ(reached("2001"), "board");
    bridge_->on_leg_ended(leg->id(), EndCause::hangup, nullptr);
    EXPECT_TRUE(run_until([&] {
        bridge_->reload_rooms({numbered("boardroom", {"2000", "board"})});
        return rooms() == 1;
    }));
    EXPECT_EQ(reached("board"), "boardroom");
    EXPECT_EQ(reached("2001"), "");
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

// No PIN is hashed, but those of the configuration at start.
class RefusedSettingsTest : public BridgeRoomsTest {
protected:
    RefusedSettingsTest() : BridgeRoomsTest(0) {}
};

TEST_F(RefusedSettingsTest, StayAway) {
    bridge_->start_rooms({room("meet", "", "Meet"), room("board", "482913", "The board")});
    ask("updateRoom", {{"room", "meet"}, {"title", "Other"}, {"aliases", {"x"}}, {"host_pin", "9999"}});
    ask("updateRoom", {{"room", "board"}, {"title", "Other"}, {"host_pin", "9999"}});
    EXPECT_EQ(answers_[0].status, 503);
    EXPECT_EQ(answers_[1].status, 503);
    EXPECT_EQ(reached("x"), "");
    EXPECT_EQ(reached("meet"), "Meet");
    ask("createRoom", {{"id", "third"}, {"aliases", {"x"}}});
    EXPECT_EQ(answers_[2].status, 201);
    for (const char* id : {"meet", "board"}) {
        ask("updateRoom", {{"room", id}, {"locale", "de"}});  // the PIN is the one whose hash is known
        EXPECT_EQ(answers_.back().status, 200);
        EXPECT_NE(answers_.back().body["title"], "Other");
    }
    EXPECT_FALSE(answers_[3].body["has_host_pin"]);
    EXPECT_TRUE(answers_[4].body["has_host_pin"]);
}

TEST_F(RefusedSettingsTest, OfANewRoomLeaveNoneOfItsNames) {
    ask("createRoom", {{"id", "board"}, {"aliases", {"x"}}, {"host_pin", "9999"}});
    EXPECT_EQ(answers_.back().status, 503);
    bridge_->reload_rooms({room("meet", "9999")});
    EXPECT_EQ(rooms(), 0U);
    for (const char* id : {"board", "meet", "x"}) {
        ask("createRoom", {{"id", id}});
        EXPECT_EQ(answers_.back().status, 201) << id;
    }
}

TEST_F(RefusedSettingsTest, OfAReloadLeaveTheRoomItsNames) {
    ops::RoomConfig board = numbered("board", {"2000", "2001"});
    bridge_->start_rooms({board});
    ops::RoomConfig wanted = numbered("board", {"2002"});
    wanted.host_pin = "9999";
    bridge_->reload_rooms({wanted, numbered("meet", {"2001"})});
    EXPECT_EQ(reached("2000"), "board");
    EXPECT_EQ(reached("2001"), "meet");
    EXPECT_EQ(reached("2002"), "");
}

TEST_F(BridgeRoomsTest, ARoomKeepsItsNamesUntilOthersAreInForce) {
    bridge_->start_rooms({numbered("board", {"2000"})});
    ask("updateRoom", {{"room", "board"}, {"aliases", {"x"}}, {"host_pin", "9999"}});
    ask("updateRoom", {{"room", "board"}, {"aliases", {"y"}}});
    ask("createRoom", {{"id", "x"}});
    ask("createRoom", {{"id", "y"}});
    ASSERT_EQ(answers_.size(), 2U);
    EXPECT_EQ(answers_[0].status, 409);
    EXPECT_EQ(answers_[1].status, 409);
    ASSERT_TRUE(run_until([&] { return answers_.size() == 4; }));
    EXPECT_EQ(answers_[2].status, 200);
    EXPECT_EQ(answers_[3].body["aliases"], json::array({"board", "y"}));
    ask("createRoom", {{"id", "x"}});
    EXPECT_EQ(answers_.back().status, 201);
}

TEST_F(BridgeRoomsTest, ARoomMadeByTheApiStaysThoughTheFileOnceHadOneOfItsName) {
    bridge_->start_rooms({room("board")});
    ask("deleteRoom", {{"room", "board"}});
    ask("createRoom", {{"id", "board"}});
    EXPECT_EQ(answers_.back().status, 201);
    bridge_->reload_rooms({});
    EXPECT_EQ(rooms(), 1U);
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

// What is left of the settings that the API's document takes would be ignored without a word.
TEST(RoomSettings, EachPropertyOfTheDocumentIsTaken) {
    using Config = ops::RoomConfig;
    struct Property {
        json value;
        std::function<json(const Config&)> read;
    };
    const std::map<std::string, Property> properties{
        {"id", {"board", [](const Config& c) { return c.id; }}},
        {"title", {"The board", [](const Config& c) { return c.title; }}},
        {"aliases", {{"one", "two"}, [](const Config& c) { return c.aliases; }}},
        {"host_pin", {"482913", [](const Config& c) { return c.host_pin; }}},
        {"guest_pin", {"1234", [](const Config& c) { return c.guest_pin; }}},
        {"guests_allowed", {true, [](const Config& c) { return c.guests_allowed; }}},
        {"chat_allowed", {false, [](const Config& c) { return c.chat_allowed; }}},
        {"layout", {"single", [](const Config& c) { return ops::text(c.layout); }}},
        {"encryption", {"required", [](const Config& c) { return ops::text(c.encryption); }}},
        {"min_key_bits", {256, [](const Config& c) { return c.min_key_bits; }}},
        {"host_absence", {"rehold", [](const Config& c) { return ops::text(c.host_absence); }}},
        {"grace", {7, [](const Config& c) { return c.grace.count(); }}},
        {"lobby_timeout", {8, [](const Config& c) { return c.lobby_timeout.count(); }}},
        {"lone_timeout", {9, [](const Config& c) { return c.lone_timeout.count(); }}},
        {"max_duration", {10, [](const Config& c) { return c.max_duration.count(); }}},
        {"max_participants", {11, [](const Config& c) { return c.max_participants; }}},
        {"locale", {"de", [](const Config& c) { return c.locale; }}},
    };
    const json schemas = schema::embedded("api/openapi.json")["components"]["schemas"];
    for (const char* name : {"RoomCreate", "RoomUpdate"}) {
        for (const auto& [key, rules] : schemas[name]["properties"].items()) {
            ASSERT_TRUE(properties.contains(key)) << name << ": " << key;
            const Property& property = properties.at(key);
            Config config;
            EXPECT_NE(property.read(config), property.value) << key;
            config.id = "board";
            merge(config, {{key, property.value}});
            EXPECT_EQ(property.read(config), property.value) << key;
        }
    }
}

TEST_F(BridgeRoomsTest, PinsThatTheConfigurationRefusesAreRefused) {
    const std::string host = "482913";
    ask("createRoom", {{"id", "a"}, {"guest_pin", "1234"}});
    ask("createRoom", {{"id", "b"}, {"host_pin", host}, {"guest_pin", host}});
    ask("createRoom", {{"id", "c"}, {"host_pin", host}, {"guest_pin", "1234"}, {"guests_allowed", false}});
    ASSERT_EQ(answers_.size(), 3U);
    for (const api::Response& answer : answers_) {
        EXPECT_EQ(answer.status, 422) << answer.body;
    }
    ask("createRoom", {{"id", "d"}, {"host_pin", host}, {"guest_pin", "1234"}});
    ASSERT_TRUE(run_until([&] { return answers_.size() == 4; }));
    EXPECT_EQ(answers_[3].status, 201);
    EXPECT_TRUE(answers_[3].body["guests_allowed"]);
    ask("updateRoom", {{"room", "d"}, {"guests_allowed", false}});
    ask("updateRoom", {{"room", "d"}, {"host_pin", ""}});
    EXPECT_EQ(answers_[4].status, 422);
    EXPECT_EQ(answers_[5].status, 422);
    EXPECT_EQ(answers_[5].body["detail"], "guest_pin needs a host_pin");
}

TEST_F(BridgeRoomsTest, ARoomDeletedWithSomebodyInItGoesWithThem) {
    bridge_->start_rooms({room("board")});
    const auto leg = std::make_shared<FakeLeg>("sip-1");
    Arrival arrival;
    arrival.leg = leg->id();
    arrival.alias = "board";
    arrival.remote_address = "127.0.0.1:5061";
    const auto session = bridge_->on_leg_arrived(leg, arrival);
    ASSERT_NE(session, nullptr);
    ASSERT_TRUE(run_until([&] { return leg->accepted; }));
    ask("deleteRoom", {{"room", "board"}});
    EXPECT_EQ(answers_.back().status, 204);
    ASSERT_TRUE(run_until([&] { return leg->ended.has_value(); }));
    EXPECT_EQ(rooms(), 0U);
    for (const char* operation : {"getRoom", "updateRoom", "deleteRoom"}) {
        ask(operation, {{"room", "board"}});
        EXPECT_EQ(answers_.back().status, 404) << operation;
    }
    bridge_->on_leg_ended(leg->id(), EndCause::hangup, nullptr);
    EXPECT_TRUE(run_until([&] {
        if (rooms() == 0) {
            ask("createRoom", {{"id", "board"}});
        }
        return answers_.back().status == 201;
    }));
    EXPECT_EQ(rooms(), 1U);
}

TEST_F(BridgeRoomsTest, RoomsSayHowATelephoneGetsThere) {
    ops::RoomConfig meet = room("meet");
    meet.numbers = {"1000"};
    bridge_->start_rooms({meet, room("board")});
    bridge_->set_dial_in({{"+491", "reception"}, {"+492", "board"}, {"+493", "meet"}, {"+492", "board"}});
    ask("listRooms", json::object());
    const json rooms = answers_.back().body["rooms"];
    ASSERT_EQ(rooms.size(), 2U);
    EXPECT_EQ(rooms[0]["id"], "board");  // it has no number to type at the reception
    EXPECT_EQ(rooms[0]["numbers"], json::array());
    EXPECT_EQ(rooms[0]["dial_in"], json::array({"+492"}));
    EXPECT_EQ(rooms[1]["numbers"], json::array({"1000"}));
    EXPECT_EQ(rooms[1]["dial_in"], json::array({"+491", "+493"}));
    const schema::Validator document(
        schema::resolve(schema::embedded("api/openapi.json")["components"]["schemas"]["Room"],
                        schema::embedded("api/openapi.json")));
    EXPECT_TRUE(document.check(rooms[1]).empty());
}

TEST_F(BridgeRoomsTest, WhatTelephonesCanTypeLeadsFromTheReception) {
    ops::RoomConfig digits = numbered("digits", {"+4930", "1000"});
    ops::RoomConfig plus = numbered("plus", {"+4931"});
    bridge_->start_rooms({digits, plus});
    bridge_->set_dial_in({{"+491", "reception"}});
    ask("createRoom", {{"id", "4711"}});
    EXPECT_EQ(answers_.back().body["dial_in"], json::array({"+491"}));
    ask("updateRoom", {{"room", "4711"}, {"aliases", {"open"}}});
    EXPECT_EQ(answers_.back().body["dial_in"], json::array({"+491"}));
    ask("getRoom", {{"room", "digits"}});
    EXPECT_EQ(answers_.back().body["dial_in"], json::array({"+491"}));
    ask("getRoom", {{"room", "plus"}});
    EXPECT_EQ(answers_.back().body["dial_in"], json::array());
}

}  // namespace
}  // namespace vmr::bridge
