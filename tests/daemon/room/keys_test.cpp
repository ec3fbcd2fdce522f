// Phone keys: each one, and what a lost digit makes of them.
#include "daemon/room/keypad.hpp"
#include "tests/daemon/room/room_fixture.hpp"

namespace vmr::room {
namespace {

std::vector<KeyCommand> commands_of(const std::string& pressed, KeyPad::List list = KeyPad::List::none) {
    KeyPad pad;
    TimePoint now{1h};
    if (list != KeyPad::List::none) {
        pad.open(list, now);
    }
    std::vector<KeyCommand> all;
    for (const char key : pressed) {
        now += 300ms;
        if (const auto press = pad.press(key, now)) {
            all.push_back(press->command);
            if (press->command == KeyCommand::who_waits) {
                pad.open(KeyPad::List::waiting, now);
            } else if (press->command == KeyCommand::who_is_here) {
                pad.open(KeyPad::List::people, now);
            }
        }
    }
    return all;
}

TEST(KeyPad, NoCommandArisesFromAnotherWithOneDigitLost) {
    // Each command as a whole, from no list and from within each list.
    const std::vector<std::string> whole{"*4",    "*5",    "*6",    "*7",    "*8",   "*9",    "*0",
                                         "**1",   "##",    "###",   "*91",   "*92",  "**114", "**115",
                                         "**116", "**117", "**118", "**119", "**110"};
    for (const auto& command : whole) {
        for (std::size_t lost = 0; lost < command.size(); ++lost) {
            std::string pressed = command;
            pressed.erase(lost, 1);
            // What is left may open a list or ask, no more than the whole would have; it never acts.
            for (const KeyCommand got : commands_of(pressed)) {
                const bool harmless = got == KeyCommand::who_waits || got == KeyCommand::who_is_here ||
                                      got == KeyCommand::ask_end;
                EXPECT_TRUE(harmless) << command << " became " << pressed << ": " << to_string(got);
            }
            if (command.size() == 2) {
                for (const auto list : {KeyPad::List::waiting, KeyPad::List::people}) {
                    EXPECT_TRUE(commands_of(pressed, list).empty()) << command << " without a key, in a list";
                }
            }
        }
    }
}

TEST(KeyPad, ALostDigitDoesNotSpoilTheNextCommand) {
    EXPECT_EQ(commands_of("**6"), std::vector{KeyCommand::self_mute});
    EXPECT_EQ(commands_of("4*6"), std::vector{KeyCommand::self_mute});
    EXPECT_EQ(commands_of("#*6"), std::vector{KeyCommand::self_mute});
    EXPECT_EQ(commands_of("*9*6"), (std::vector{KeyCommand::who_waits, KeyCommand::self_mute}));
    EXPECT_EQ(commands_of("*91"), (std::vector{KeyCommand::who_waits, KeyCommand::list_admit}));
    EXPECT_EQ(commands_of("##*6"),
              (std::vector{KeyCommand::ask_end, KeyCommand::cancel_end, KeyCommand::self_mute}));
}

TEST(KeyPad, HalfACommandIsForgottenAfterAWhile) {
    KeyPad pad;
    const TimePoint now{1h};
    EXPECT_FALSE(pad.press('*', now));
    EXPECT_FALSE(pad.press('4', now + 3s));
    EXPECT_FALSE(pad.press('#', now + 10s));
    EXPECT_TRUE(pad.press('#', now + 11s));
    EXPECT_FALSE(pad.press('#', now + 21s)) << "too late to confirm";
    pad.open(KeyPad::List::waiting, now + 30s);
    EXPECT_FALSE(pad.press('1', now + 60s)) << "the list has closed";
}

class KeysTest : public RoomTest {
protected:
    void SetUp() override {
        RoomTest::SetUp();
        host("h", LegKind::phone);
        guest("g", LegKind::phone);
    }
};

TEST_F(KeysTest, HandMuteLockLayoutHelp) {
    keys("g", "*4");
    EXPECT_TRUE(room->find("g")->hand);
    EXPECT_NE(said(Prompt::hand_up, "g"), nullptr);
    EXPECT_EQ(said(Prompt::hand_raised)->audience, Audience::hosts);
    keys("g", "*4");
    EXPECT_FALSE(room->find("g")->hand);
    keys("g", "*6");
    EXPECT_TRUE(room->find("g")->self_muted);
    keys("g", "*6");
    EXPECT_FALSE(room->find("g")->self_muted);
    keys("h", "*5");
    EXPECT_TRUE(room->find("g")->muted);
    keys("h", "*5");
    EXPECT_FALSE(room->find("g")->muted);
    keys("h", "*7");
    EXPECT_TRUE(room->view().locked);
    keys("h", "*7");
    EXPECT_FALSE(room->view().locked);
    keys("h", "*8");
    EXPECT_EQ(room->view().layout, Layout::equal);
    keys("g", "*0");
    EXPECT_EQ(said(Prompt::keys_help, "g")->params.at("role"), "guest");
}

TEST_F(KeysTest, GuestsAreToldTheyMayNot) {
    for (const char* pressed : {"*5", "*7", "*8", "*9", "**1", "##"}) {
        keys("g", pressed);
        EXPECT_NE(said(Prompt::not_allowed, "g"), nullptr) << pressed;
    }
    keys("g", "###");
    EXPECT_TRUE(here("h"));
}

TEST_F(KeysTest, WhoWaitsAdmitRefuseNext) {
    keys("h", "*7");
    for (const char* id : {"a", "b", "c"}) {
        guest(id);
    }
    keys("h", "*9");
    EXPECT_EQ(said(Prompt::waiting_item, "h")->params.at("name"), "Name a");
    keys("h", "3");
    EXPECT_EQ(said(Prompt::waiting_item, "h")->params.at("name"), "Name b");
    keys("h", "1");
    EXPECT_EQ(state("b"), State::in_room);
    EXPECT_EQ(state("a"), State::lobby);
    EXPECT_EQ(said(Prompt::waiting_item, "h")->params.at("name"), "Name c");
    keys("h", "2");
    EXPECT_FALSE(here("c"));
    EXPECT_NE(said(Prompt::nobody_waits, "h"), nullptr);
    keys("h", "1");
    EXPECT_EQ(state("a"), State::lobby) << "the list is closed";
}

TEST_F(KeysTest, WhoLeftMeanwhileIsNotReplacedByTheNext) {
    keys("h", "*7");
    guest("a");
    guest("b");
    keys("h", "*9");
    send(Left{"a", Cause::normal});
    keys("h", "1");
    EXPECT_EQ(state("b"), State::lobby);
}

TEST_F(KeysTest, EndForAllAsksAgain) {
    keys("h", "##");
    EXPECT_NE(said(Prompt::confirm_end, "h"), nullptr);
    EXPECT_TRUE(here("g"));
    keys("h", "5");
    EXPECT_NE(said(Prompt::cancelled, "h"), nullptr);
    keys("h", "#");
    EXPECT_TRUE(here("g"));
    now += 5s;
    keys("h", "###");
    EXPECT_EQ(get<RoomEnded>()->cause, Cause::ended_by_host);
}

TEST_F(KeysTest, AHostWithoutAScreenReachesEveryone) {
    keys("h", "**1");
    EXPECT_NE(said(Prompt::room_item, "h"), nullptr);
    keys("h", "14");
    EXPECT_TRUE(room->view().recording);
    keys("h", "15");
    EXPECT_TRUE(room->view().mute_newcomers);
    keys("h", "3");
    EXPECT_EQ(said(Prompt::person_item, "h")->params.at("participant"), "g");
    keys("h", "14");
    EXPECT_TRUE(room->find("g")->muted);
    keys("h", "18");
    EXPECT_TRUE(room->find("g")->spotlight);
    keys("h", "17");
    EXPECT_EQ(role("g"), Role::host);
    keys("h", "17");
    EXPECT_EQ(role("g"), Role::guest);
    keys("h", "15");
    EXPECT_EQ(reason("g"), LobbyReason::held);
    keys("h", "*91");
    EXPECT_EQ(state("g"), State::in_room);
    keys("h", "**1316");
    EXPECT_FALSE(here("g"));
}

TEST_F(KeysTest, InTheLobbyOnlyOneselfAndHelp) {
    act("h", Hold{"g"});
    keys("g", "*6");
    EXPECT_TRUE(room->find("g")->self_muted);
    keys("g", "*4");
    EXPECT_NE(said(Prompt::not_allowed, "g"), nullptr);
    EXPECT_FALSE(room->find("g")->hand);
}

}  // namespace
}  // namespace vmr::room
