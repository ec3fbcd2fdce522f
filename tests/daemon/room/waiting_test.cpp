// Rules 7 to 14: waiting and the lock; reconnection.
#include "tests/daemon/room/room_fixture.hpp"

namespace vmr::room {
namespace {

RoomConfig with(HostAbsence absence) {
    auto config = pins_and_guests();
    config.host_absence = absence;
    return config;
}

TEST_F(RoomTest, Rule7GuestsWaitForAHostAndHearWhy) {
    guest("g");
    EXPECT_EQ(reason("g"), LobbyReason::awaiting_host);
    EXPECT_EQ(get<CloseGate>("g")->reason, GateReason::awaiting_host);
    EXPECT_EQ(get<OpenGate>("g"), nullptr);
    EXPECT_NE(said(Prompt::awaiting_host, "g"), nullptr);
    pass(31s);
    EXPECT_NE(said(Prompt::awaiting_host, "g"), nullptr) << "the prompt is periodic";
}

TEST_F(RoomTest, Rule8TheFirstHostBringsInWhoAwaitsOne) {
    guest("g1");
    guest("g2");
    act(Actor::administrator(), Hold{"g2"});
    host("h");
    EXPECT_EQ(state("g1"), State::in_room);
    EXPECT_NE(get<OpenGate>("g1"), nullptr);
    EXPECT_EQ(reason("g2"), LobbyReason::held);
}

TEST_F(RoomTest, Rule9EndAfterGrace) {
    host("h");
    guest("g");
    send(Left{"h", Cause::normal});
    pass(59s);
    EXPECT_EQ(state("g"), State::in_room);
    pass(1s);
    EXPECT_EQ(get<RoomEnded>()->cause, Cause::host_absent);
    EXPECT_EQ(record("g")->cause, Cause::host_absent);
    EXPECT_FALSE(room->view().started_at.has_value());
}

TEST_F(RoomTest, Rule9AHostBackWithinTheGraceChangesNothing) {
    for (const auto absence : {HostAbsence::end, HostAbsence::rehold}) {
        use(with(absence));
        host("h");
        guest("g");
        send(Left{"h", Cause::network});
        pass(50s);
        host("h2");
        EXPECT_EQ(state("g"), State::in_room);
        EXPECT_EQ(get<CloseGate>("g"), nullptr);
        pass(10min);
        EXPECT_EQ(state("g"), State::in_room);
    }
}

TEST_F(RoomTest, Rule9Continue) {
    use(with(HostAbsence::keep_going));
    host("h");
    guest("g");
    send(Left{"h", Cause::normal});
    pass(1h);
    EXPECT_EQ(state("g"), State::in_room);
    guest("late");
    EXPECT_EQ(reason("late"), LobbyReason::awaiting_host);
}

TEST_F(RoomTest, Rule9ReholdSendsGuestsBackUntilAHostReturns) {
    use(with(HostAbsence::rehold));
    host("h");
    guest("g");
    send(Left{"h", Cause::normal});
    EXPECT_EQ(reason("g"), LobbyReason::awaiting_host) << "hung up: at once";
    EXPECT_NE(get<CloseGate>("g"), nullptr);
    host("h2");
    EXPECT_EQ(state("g"), State::in_room);
    send(Left{"h2", Cause::network});
    EXPECT_EQ(state("g"), State::in_room) << "dropped: the grace period counts";
    pass(60s);
    EXPECT_EQ(reason("g"), LobbyReason::awaiting_host);
}

TEST_F(RoomTest, Rule10TheLobbyTimesOut) {
    guest("g");
    pass(899s);
    EXPECT_TRUE(here("g"));
    pass(1s);
    EXPECT_EQ(get<Release>("g")->cause, Cause::lobby_timeout);
    EXPECT_EQ(get<Release>("g")->prompt, Prompt::lobby_timeout);
    EXPECT_EQ(record("g")->lobby_time, 900s);
    EXPECT_FALSE(record("g")->admitted);
}

TEST_F(RoomTest, Rule10ALoneParticipantIsReleased) {
    auto config = pins_and_guests();
    config.lone_timeout = 300s;
    use(config);
    host("h");
    pass(200s);
    guest("g");
    send(Left{"g", Cause::normal});
    pass(299s);
    EXPECT_TRUE(here("h"));
    pass(1s);
    EXPECT_EQ(get<Release>("h")->cause, Cause::lone_timeout);
    use(pins_and_guests());
    host("h");
    pass(24h);
    EXPECT_TRUE(here("h")) << "0 = never";
}

TEST_F(RoomTest, Rule10NoMediaFromAnyoneForTwoMinutesEndsTheRoom) {
    host("h");
    guest("g");
    send(MediaSilent{"h"});
    pass(10min);
    EXPECT_TRUE(here("h"));
    send(MediaSilent{"g"});
    pass(119s);
    send(MediaSeen{"h"});
    send(MediaSilent{"h"});
    pass(119s);
    EXPECT_TRUE(here("h"));
    pass(1s);
    EXPECT_EQ(get<RoomEnded>()->cause, Cause::no_media);
}

TEST_F(RoomTest, EveryoneHearsHowLongThereIsOfTheLongestDuration) {
    auto config = pins_and_guests();
    config.max_duration = 1h;
    use(config);
    host("h");
    for (const char* minutes : {"5", "1"}) {
        pass(minutes == std::string("5") ? 55min : 4min);
        const auto* warning = said(Prompt::minutes_left);
        ASSERT_TRUE(warning);
        EXPECT_EQ(warning->params.at("minutes"), minutes);
    }
    pass(59s);
    EXPECT_FALSE(get<RoomEnded>());
    pass(1s);
    EXPECT_TRUE(get<RoomEnded>());
}

TEST_F(RoomTest, WhoEntersARecordedMeetingHearsSo) {
    use(pins_and_guests());
    host("h");
    act("h", SetRecording{true});
    guest("g");
    EXPECT_TRUE(said(Prompt::being_recorded, "g"));
}

TEST_F(RoomTest, Rule10TheLongestDurationEndsTheRoom) {
    auto config = pins_and_guests();
    config.max_duration = 1h;
    use(config);
    host("h");
    pass(1h);
    EXPECT_EQ(get<RoomEnded>()->cause, Cause::max_duration);
    host("again");
    EXPECT_EQ(state("again"), State::in_room) << "the room may be used again";
}

TEST_F(RoomTest, Rule11WhileLockedWhoArrivesWaitsButAHostPinsHolder) {
    host("h");
    EXPECT_EQ(act("h", SetLock{true}), Outcome::done);
    EXPECT_NE(said(Prompt::locked), nullptr);
    guest("g");
    EXPECT_EQ(reason("g"), LobbyReason::locked);
    EXPECT_EQ(act("g", SetLock{false}), Outcome::not_allowed);
    host("h2");
    EXPECT_EQ(state("h2"), State::in_room);
}

TEST_F(RoomTest, Rule11WithoutHostPinAnyoneInTheRoomLocksAndAllWait) {
    auto config = pins_and_guests();
    config.guests_allowed = false;
    config.host_pin_length = 0;
    use(config);
    come("a");
    EXPECT_EQ(act("a", SetLock{true}), Outcome::done);
    come("b");
    EXPECT_EQ(reason("b"), LobbyReason::locked);
    EXPECT_EQ(role("b"), Role::host);
    config.guests_allowed = true;
    use(config);
    arrive("h", LegKind::sip, "x", true);
    send(MediaUp{"h", strong()});
    come("g");
    EXPECT_EQ(role("g"), Role::guest);
    EXPECT_EQ(act("g", SetLock{true}), Outcome::done);
}

TEST_F(RoomTest, Rule11AnEmptyRoomCannotBeLocked) {
    EXPECT_EQ(act(Actor::administrator(), SetLock{true}), Outcome::conflict);
}

TEST_F(RoomTest, Rule12HostsAreToldOfEachOneWaiting) {
    host("h");
    act("h", SetLock{true});
    guest("g");
    ASSERT_NE(said(Prompt::waiting), nullptr);
    EXPECT_EQ(said(Prompt::waiting)->audience, Audience::hosts);
    EXPECT_EQ(said(Prompt::waiting)->params.at("name"), "Name g");
    EXPECT_TRUE(said(Prompt::waiting)->sound);
    guest("g2");
    EXPECT_FALSE(said(Prompt::waiting)->sound) << "many who knock make no noise";
    host("h2");
    EXPECT_EQ(said(Prompt::waiting, "h2")->params.at("count"), "2");
}

TEST_F(RoomTest, Rule12AdmitOneAdmitAllRefuse) {
    host("h");
    act("h", SetLock{true});
    for (const char* id : {"a", "b", "c", "d", "e"}) {
        guest(id);
    }
    EXPECT_EQ(act("h", Admit{"a"}), Outcome::done);
    EXPECT_EQ(state("a"), State::in_room);
    EXPECT_EQ(act("h", RefuseWaiting{"b"}), Outcome::done);
    EXPECT_EQ(record("b")->cause, Cause::refused);
    EXPECT_EQ(act("h", Hold{"c"}), Outcome::done);
    EXPECT_EQ(act("h", AdmitAll{}), Outcome::done);
    EXPECT_EQ(state("d"), State::in_room);
    EXPECT_EQ(state("e"), State::in_room);
    EXPECT_EQ(reason("c"), LobbyReason::held);
    EXPECT_EQ(act("h", Admit{"zz"}), Outcome::not_found);
    EXPECT_EQ(act("h", Admit{"d"}), Outcome::conflict);
}

TEST_F(RoomTest, Rule12UnlockingAdmitsLockedNotHeld) {
    host("h");
    guest("held");
    act("h", Hold{"held"});
    act("h", SetLock{true});
    guest("g");
    act("h", SetLock{false});
    EXPECT_EQ(state("g"), State::in_room);
    EXPECT_EQ(reason("held"), LobbyReason::held);
}

TEST_F(RoomTest, Rule13AnyoneButTheLastHostGoesToTheLobbyAndBack) {
    host("h");
    EXPECT_EQ(act("h", Hold{"h"}), Outcome::conflict);
    EXPECT_EQ(act(Actor::administrator(), Hold{"h"}), Outcome::conflict);
    host("h2");
    EXPECT_EQ(act("h", Hold{"h2"}), Outcome::done);
    EXPECT_EQ(get<CloseGate>("h2")->reason, GateReason::held);
    EXPECT_EQ(count_in<Release>(last), 0U);
    EXPECT_EQ(act("h2", Admit{"h2"}), Outcome::not_allowed);
    EXPECT_EQ(act("h", Admit{"h2"}), Outcome::done);
    EXPECT_NE(get<OpenGate>("h2"), nullptr);
}

TEST_F(RoomTest, Rule14TheLockLiftsWhenTheRoomEmpties) {
    host("h");
    act("h", SetLock{true});
    guest("g");
    send(Left{"h", Cause::normal});
    EXPECT_FALSE(room->view().locked);
    EXPECT_EQ(reason("g"), LobbyReason::awaiting_host);
    EXPECT_NE(get<RoomChanged>(), nullptr);
}

TEST_F(RoomTest, ReconnectKeepsTheSeat) {
    host("h");
    guest("g");
    act("h", SetLock{true});
    act("h", SetMute{"g", true});
    send(Reconnecting{"g"});
    EXPECT_EQ(get<CloseGate>("g")->reason, GateReason::reconnecting);
    pass(29s);
    send(Resumed{"g", strong()});
    EXPECT_EQ(state("g"), State::in_room) << "the lock does not meet who has a seat";
    EXPECT_NE(get<OpenGate>("g"), nullptr);
    EXPECT_TRUE(get<SetMuted>("g")->muted) << "the new leg is muted as the old one was";
    send(Reconnecting{"g"});
    pass(30s);
    EXPECT_EQ(record("g")->cause, Cause::reconnect_timeout);
    EXPECT_EQ(record("g")->reconnects, 1U);
}

TEST_F(RoomTest, WhoNeverWasInTheRoomHasNoGrace) {
    host("h");
    arrive("forger");  // and its DTLS fails
    send(Reconnecting{"forger"});
    ASSERT_NE(record("forger"), nullptr);
    EXPECT_EQ(record("forger")->cause, Cause::network);
    EXPECT_FALSE(record("forger")->admitted);
    EXPECT_FALSE(here("forger"));
    come("at_pin");
    send(Reconnecting{"at_pin"});
    ASSERT_NE(record("at_pin"), nullptr);
    EXPECT_FALSE(here("at_pin"));
}

TEST_F(RoomTest, ReconnectOfAHostCountsGraceFromTheDrop) {
    host("h");
    guest("g");
    send(Reconnecting{"h"});
    pass(30s);
    EXPECT_FALSE(here("h"));
    EXPECT_TRUE(here("g"));
    pass(30s);
    EXPECT_FALSE(here("g"));
}

TEST_F(RoomTest, AFullRoomRefusesAndFillsFromTheLobby) {
    auto config = pins_and_guests();
    config.max_participants = 2;
    use(config);
    guest("a");
    guest("b");
    host("h");
    EXPECT_EQ(state("a"), State::in_room);
    EXPECT_EQ(reason("b"), LobbyReason::awaiting_host);
    EXPECT_EQ(act("h", Admit{"b"}), Outcome::conflict);
    guest("c");
    EXPECT_EQ(get<Release>("c")->cause, Cause::room_full);
    send(Left{"a", Cause::normal});
    EXPECT_EQ(state("b"), State::in_room);
}

}  // namespace
}  // namespace vmr::room
