// Whom the room calls: in the roster from the first moment, in the room without PIN, out of it without a
// trace but the record.
#include "tests/daemon/room/room_fixture.hpp"

namespace vmr::room {
namespace {

class DialTest : public RoomTest {
protected:
    void SetUp() override {
        RoomTest::SetUp();
        host("h");
    }
    Outcome dial(const std::string& id, Role role = Role::guest, const Actor& by = Actor::of("h")) {
        return act(by, DialOut{id, "alice@example.org", "Alice", LegKind::sip, role});
    }
    CallProgress call(const std::string& id) const { return room->find(id)->call; }
};

TEST_F(DialTest, IsInTheRosterFromTheStartAndSaysHowFarItGot) {
    EXPECT_EQ(dial("a"), Outcome::done);
    ASSERT_NE(get<PlaceCall>("a"), nullptr);
    EXPECT_EQ(get<PlaceCall>("a")->address, "alice@example.org");
    EXPECT_EQ(get<Answer>("a"), nullptr);
    EXPECT_EQ(state("a"), State::connecting);
    EXPECT_EQ(call("a"), CallProgress::dialling);
    EXPECT_EQ(room->find("a")->name, "Alice");
    send(Progressed{"a", CallProgress::ringing});
    EXPECT_EQ(call("a"), CallProgress::ringing);
    EXPECT_NE(get<ParticipantChanged>(), nullptr);
    send(Progressed{"a", CallProgress::early_media});
    EXPECT_EQ(call("a"), CallProgress::early_media);
    send(MediaUp{"a", strong()});
    EXPECT_EQ(call("a"), CallProgress::none);
    EXPECT_EQ(state("a"), State::in_room);
    EXPECT_EQ(role("a"), Role::guest);
    send(Progressed{"a", CallProgress::ringing});  // late
    EXPECT_EQ(call("a"), CallProgress::none);
}

TEST_F(DialTest, ComesInAsTheRoleAskedForPastPinAndLock) {
    act("h", SetLock{true});
    dial("a", Role::host);
    dial("b");
    send(MediaUp{"a", strong()});
    send(MediaUp{"b", strong()});
    EXPECT_EQ(state("a"), State::in_room);
    EXPECT_EQ(role("a"), Role::host);
    EXPECT_EQ(state("b"), State::in_room);
}

TEST_F(DialTest, AGuestWaitsForAHostAsOthersDo) {
    send(Left{"h", Cause::normal});
    EXPECT_EQ(dial("a", Role::guest, Actor::administrator()), Outcome::done);
    send(MediaUp{"a", strong()});
    EXPECT_EQ(reason("a"), LobbyReason::awaiting_host);
    host("h2");
    EXPECT_EQ(state("a"), State::in_room);
}

TEST_F(DialTest, IsAHostWhereEveryoneIs) {
    RoomConfig open;
    open.id = "open";
    open.guests_allowed = false;
    open.can_dial_out = true;
    use(open);
    act(Actor::administrator(), DialOut{"a", "alice@example.org", "", LegKind::sip, {}});
    send(MediaUp{"a", strong()});
    EXPECT_EQ(state("a"), State::in_room);
    EXPECT_EQ(role("a"), Role::host);
    act(Actor::administrator(), DialOut{"b", "bob@example.org", "", LegKind::sip, Role::guest});
    send(MediaUp{"b", strong()});
    EXPECT_EQ(role("b"), Role::guest);
}

TEST_F(DialTest, EncryptionPolicyHoldsForThemToo) {
    RoomConfig config = room->config();
    config.encryption = Encryption::required;
    send(ConfigChanged{config});
    dial("a");
    send(MediaUp{"a", {}});
    EXPECT_FALSE(here("a"));
    EXPECT_EQ(record("a")->cause, Cause::encryption_required);
}

TEST_F(DialTest, AFailedCallLeavesARecordAndNoSound) {
    dial("a");
    send(Left{"a", Cause::not_answered});
    EXPECT_FALSE(here("a"));
    EXPECT_EQ(get<ParticipantLeft>()->cause, Cause::not_answered);
    EXPECT_EQ(said(Prompt::left_room), nullptr);
    EXPECT_EQ(record("a")->cause, Cause::not_answered);
    EXPECT_FALSE(record("a")->admitted);
}

TEST_F(DialTest, RemovingTakesTheCallBack) {
    dial("a");
    EXPECT_EQ(act("h", Remove{"a"}), Outcome::done);
    ASSERT_NE(get<Release>("a"), nullptr);
    EXPECT_EQ(get<Release>("a")->cause, Cause::removed);
    EXPECT_FALSE(here("a"));
}

TEST_F(DialTest, ACallThatNobodyReportsOnIsGivenUp) {
    dial("a");
    pass(room->config().dial_timeout);
    EXPECT_FALSE(here("a"));
    EXPECT_EQ(record("a")->cause, Cause::not_answered);
}

TEST_F(DialTest, OnlyHostsAndNeverFromATelephone) {
    guest("g");
    EXPECT_EQ(dial("a", Role::guest, Actor::of("g")), Outcome::not_allowed);
    Arrived phone;
    phone.id = "p";
    phone.leg = LegKind::phone;
    phone.address = "+491";
    phone.trunk = "carrier";
    send(phone);
    send(MediaUp{"p", strong()});
    enter_pin("p", PinMatch::host);
    EXPECT_EQ(role("p"), Role::host);
    EXPECT_EQ(dial("a", Role::guest, Actor::of("p")), Outcome::not_allowed);  // no trunk to trunk
    EXPECT_FALSE(here("a"));
}

TEST_F(DialTest, DoesNotTakeThePlaceOfWhoComes) {
    RoomConfig config = room->config();
    config.max_at_door = 1;
    send(ConfigChanged{config});
    dial("a");
    dial("b");
    come("g");
    EXPECT_EQ(state("g"), State::pin);
}

TEST_F(DialTest, EndingTheMeetingEndsTheCall) {
    dial("a");
    act("h", EndRoom{});
    EXPECT_NE(get<Release>("a"), nullptr);
    EXPECT_TRUE(room->idle());
}

TEST_F(DialTest, TheAuditLogSaysWhoIsCalledAndWhereTheOrderCameFrom) {
    ASSERT_EQ(dial("a", Role::guest, Actor::administrator("192.0.2.9")), Outcome::done);
    const auto* audit = get<Audit>();
    ASSERT_NE(audit, nullptr);
    EXPECT_EQ(audit->what, "dial_out");
    EXPECT_EQ(audit->target, "alice@example.org");
    EXPECT_EQ(audit->actor, "admin");
    EXPECT_EQ(audit->source, "192.0.2.9");
    ASSERT_EQ(dial("b"), Outcome::done);
    EXPECT_EQ(get<Audit>()->source, "192.0.2.1");
}

TEST_F(DialTest, AnOrderOnSomebodysBehalfIsTheirsInTheAuditLogAlone) {
    guest("g");
    ASSERT_EQ(dial("a", Role::guest, Actor::on_behalf_of("g", "carrier|+491")), Outcome::done);
    EXPECT_EQ(get<Audit>()->actor, "g");
    EXPECT_EQ(get<Audit>()->source, "carrier|+491");
    EXPECT_EQ(get<PlaceCall>()->by, "admin");
}

}  // namespace
}  // namespace vmr::room
