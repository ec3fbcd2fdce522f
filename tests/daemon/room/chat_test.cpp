// Rule 15: who may write, to whom it goes, what and how often.
#include "daemon/room/chat.hpp"

#include "tests/daemon/room/room_fixture.hpp"

namespace vmr::room {
namespace {

class ChatTest : public RoomTest {
protected:
    void SetUp() override {
        RoomTest::SetUp();
        host("h");
        guest("g");
    }
    std::string reason() const { return get<ActionDone>()->reason; }
};

TEST_F(ChatTest, WhoIsInTheRoomWrites) {
    EXPECT_EQ(act("g", Say{"good morning"}), Outcome::done);
    ASSERT_NE(get<Said>(), nullptr);
    EXPECT_EQ(get<Said>()->by, "g");
    EXPECT_EQ(get<Said>()->name, "Name g");
    EXPECT_EQ(get<Said>()->text, "good morning");
    EXPECT_EQ(act("h", Say{"hello"}), Outcome::done);
}

TEST_F(ChatTest, NobodyElseDoes) {
    come("at-pin");
    act("h", SetLock{true});
    guest("waiting");
    arrive("connecting");
    ASSERT_EQ(state("waiting"), State::lobby);
    for (const char* outside : {"at-pin", "waiting", "connecting"}) {
        EXPECT_EQ(act(outside, Say{"let me in"}), Outcome::not_allowed) << outside;
        EXPECT_EQ(reason(), "not in the room yet");
        EXPECT_EQ(get<Said>(), nullptr);
    }
    act("h", Hold{"g"});
    EXPECT_EQ(act("g", Say{"why?"}), Outcome::not_allowed);
    EXPECT_EQ(act("stranger", Say{"hello"}), Outcome::not_found);
}

TEST_F(ChatTest, HostsTurnItOffForGuestsAndOnAgain) {
    EXPECT_TRUE(room->view().chat_allowed);
    EXPECT_EQ(act("g", AllowChat{false}), Outcome::not_allowed);
    EXPECT_EQ(act("h", AllowChat{false}), Outcome::done);
    ASSERT_NE(get<RoomChanged>(), nullptr);
    EXPECT_FALSE(get<RoomChanged>()->room.chat_allowed);
    EXPECT_TRUE(audited("forbid_chat", "ok"));
    EXPECT_EQ(act("g", Say{"hello"}), Outcome::not_allowed);
    EXPECT_EQ(reason(), "chat is off for guests");
    EXPECT_EQ(act("h", Say{"listen to me"}), Outcome::done);
    EXPECT_EQ(act("h", AllowChat{true}), Outcome::done);
    EXPECT_EQ(act("g", Say{"thank you"}), Outcome::done);
}

TEST_F(ChatTest, ConfigurationSaysWhatAMeetingBeginsWith) {
    RoomConfig config = pins_and_guests();
    config.chat_allowed = false;
    use(config);
    host("h");
    guest("g");
    EXPECT_EQ(act("g", Say{"hello"}), Outcome::not_allowed);
    act("h", AllowChat{true});
    EXPECT_EQ(act("g", Say{"hello"}), Outcome::done);
    config.title = "Renamed";
    send(ConfigChanged{config});
    EXPECT_EQ(act("g", Say{"a reload leaves what a host chose"}), Outcome::done);
    act("h", EndRoom{});
    host("h");
    EXPECT_FALSE(room->view().chat_allowed);
    config.chat_allowed = true;
    send(ConfigChanged{config});
    EXPECT_TRUE(room->view().chat_allowed) << "updateRoom does change it";
}

TEST_F(ChatTest, AnAdministratorSpeaksAsTheRoom) {
    act("h", AllowChat{false});
    EXPECT_EQ(act(Actor::administrator(), Say{"the building closes at six"}), Outcome::done);
    EXPECT_EQ(get<Said>()->by, "");
    EXPECT_EQ(get<Said>()->name, "Room");
    use(pins_and_guests());
    EXPECT_EQ(act(Actor::administrator(), Say{"anybody?"}), Outcome::conflict);
}

TEST_F(ChatTest, TenMessagesInTenSecondsEach) {
    for (std::size_t i = 0; i < kMaxSaid; ++i) {
        EXPECT_EQ(act("g", Say{"again"}), Outcome::done);
        now += 500ms;
    }
    EXPECT_EQ(act("g", Say{"again"}), Outcome::too_many);
    EXPECT_EQ(reason(), "at most 10 messages in 10 seconds");
    EXPECT_EQ(get<Said>(), nullptr);
    EXPECT_EQ(act("h", Say{"others may"}), Outcome::done);
    now += 5s;  // the first one is 10 s old
    EXPECT_EQ(act("g", Say{"again"}), Outcome::done);
    EXPECT_EQ(act("g", Say{"again"}), Outcome::too_many);
}

TEST_F(ChatTest, AllGuestsTogetherLeaveRoomForHosts) {
    for (int i = 0; i < 7; ++i) {
        guest("flooder" + std::to_string(i));
    }
    std::size_t done = 0;
    for (int i = 0; i < 70; ++i) {
        done += act("flooder" + std::to_string(i % 7), Say{"spam"}) == Outcome::done ? 1 : 0;
    }
    EXPECT_EQ(done, kMaxSaidByGuests);
    EXPECT_EQ(act("g", Say{"hello"}), Outcome::too_many);
    EXPECT_EQ(act("h", Say{"stop that"}), Outcome::done);
}

TEST_F(ChatTest, TextIsUtf8OfBoundedLength) {
    for (const std::string& text : {std::string("a"), std::string(2000, 'a'), std::string("1\n\t2"),
                                    std::string("\u00a0 \u20ac \U0001f600"), std::string("<b>&amp;</b>")}) {
        EXPECT_TRUE(is_chat_text(text)) << text;
    }
    for (const std::string& text :
         {std::string(), std::string(2001, 'a'), std::string(" \n"), std::string("a\0b", 3),
          std::string("a\r\nb"), std::string("\x1b[31m"), std::string("\x7f"), std::string("\u0085"),
          std::string("\xff"), std::string("\xc0\xaf"), std::string("\xe2\x82"), std::string("\xed\xa0\x80"),
          std::string("\xf4\x90\x80\x80"), std::string("\xe0\x80\x80"), std::string("\xc2")}) {
        EXPECT_FALSE(is_chat_text(text)) << text;
    }
    EXPECT_EQ(act("g", Say{"\xff"}), Outcome::invalid);
    EXPECT_EQ(get<Said>(), nullptr);
}

TEST_F(ChatTest, NothingOfItIsAuditedOrRecorded) {
    act("g", Say{"xyzzy"});
    act("h", EndRoom{});
    for (const Command& command : all) {
        const auto* audit = std::get_if<Audit>(&command);
        EXPECT_FALSE(audit != nullptr && audit->what == "say");
    }
    EXPECT_EQ(record("g")->cause, Cause::ended_by_host);
}

}  // namespace
}  // namespace vmr::room
