// Rules 15 to 22: in the room, encryption, records.
#include "tests/daemon/room/room_fixture.hpp"

namespace vmr::room {
namespace {

class MeetingTest : public RoomTest {
protected:
    void SetUp() override {
        RoomTest::SetUp();
        host("h");
        guest("g");
    }
};

TEST_F(MeetingTest, Rule15GuestsMayNotDoWhatHostsMay) {
    const std::vector<ActionKind> kinds{SetLock{true},
                                        SetRoomLayout{Layout::equal},
                                        MuteGuests{true},
                                        MuteNewcomers{true},
                                        EndRoom{},
                                        SetRecording{true},
                                        DialOut{"d", "sip:x"},
                                        Hold{"h"},
                                        Remove{"h"},
                                        SetMute{"h", true},
                                        SetRole{"g", Role::host},
                                        SetSpotlight{"g", true},
                                        Rename{"h", "x"},
                                        Grant{"g", Right::admit, true},
                                        SetHand{"h", true},
                                        SetSelfMute{"h", true}};
    for (const auto& kind : kinds) {
        EXPECT_EQ(act("g", kind), Outcome::not_allowed);
    }
    EXPECT_EQ(act("g", SetHand{"g", true}), Outcome::done);
    EXPECT_EQ(act("g", SetSelfMute{"g", true}), Outcome::done);
    EXPECT_EQ(act("g", SetSharing{"g", true}), Outcome::done);
    EXPECT_EQ(act("nobody", SetLock{true}), Outcome::not_found);
}

TEST_F(MeetingTest, Rule15PromoteAndDemoteNeverTheLastHost) {
    EXPECT_EQ(act("h", SetRole{"h", Role::guest}), Outcome::conflict);
    EXPECT_EQ(act("h", SetRole{"g", Role::host}), Outcome::done);
    EXPECT_EQ(act("g", SetRole{"h", Role::guest}), Outcome::done);
    EXPECT_EQ(act("h", SetLock{true}), Outcome::not_allowed);
    EXPECT_EQ(act("g", SetRole{"g", Role::guest}), Outcome::conflict);
}

TEST_F(MeetingTest, Rule15WhatTheDaemonCannotDoIsRefusedAndNotAnnounced) {
    RoomConfig config = room->config();
    config.can_record = config.can_dial_out = false;
    send(ConfigChanged{config});
    EXPECT_EQ(act("h", SetRecording{true}), Outcome::conflict);
    EXPECT_EQ(said(Prompt::recording_started), nullptr);
    EXPECT_FALSE(room->view().recording);
    EXPECT_EQ(act("h", DialOut{"d", "sip:a@b"}), Outcome::conflict);
}

TEST_F(MeetingTest, Rule15LayoutSpotlightRecordDialOutEnd) {
    act("h", SetRoomLayout{Layout::equal});
    EXPECT_EQ(get<SetLayout>()->layout, Layout::equal);
    act("h", SetSpotlight{"g", true});
    EXPECT_EQ(get<Spotlight>()->ids, std::vector<ParticipantId>{"g"});
    act("h", SetRecording{true});
    EXPECT_NE(get<StartRecording>(), nullptr);
    EXPECT_NE(said(Prompt::recording_started), nullptr);
    act("h", DialOut{"d", "sip:a@b"});
    EXPECT_EQ(get<PlaceCall>()->by, "h");
    EXPECT_EQ(act("h", DialOut{"e", ""}), Outcome::invalid);
    EXPECT_EQ(act("h", EndRoom{}), Outcome::done);
    EXPECT_NE(get<StopRecording>(), nullptr);
    EXPECT_EQ(get<RoomEnded>()->cause, Cause::ended_by_host);
    EXPECT_EQ(get<Release>("g")->prompt, Prompt::meeting_ended);
    EXPECT_EQ(room->view().layout, Layout::speaker);
}

// The leg is another one then.
TEST_F(MeetingTest, Rule15WhoIsInTheSpotlightAndComesBackIsShownAgain) {
    act("h", SetSpotlight{"g", true});
    send(Reconnecting{"g"});
    EXPECT_EQ(get<Spotlight>(), nullptr);
    send(Resumed{"g", strong()});
    ASSERT_NE(get<Spotlight>(), nullptr);
    EXPECT_EQ(get<Spotlight>()->ids, std::vector<ParticipantId>{"g"});
    act("h", SetSpotlight{"g", false});
    send(Reconnecting{"g"});
    send(Resumed{"g", strong()});
    EXPECT_EQ(get<Spotlight>(), nullptr);
}

TEST_F(MeetingTest, Rule15RemovedIsReleasedWithItsCause) {
    act("h", Remove{"g"});
    EXPECT_EQ(get<Release>("g")->cause, Cause::removed);
    EXPECT_EQ(get<RoomEnded>(), nullptr);
}

TEST_F(MeetingTest, Rule15MuteAllGuestsAndNewcomers) {
    act("h", MuteGuests{true});
    EXPECT_TRUE(get<SetMuted>("g")->muted);
    EXPECT_FALSE(room->find("h")->muted);
    guest("late");
    EXPECT_TRUE(room->find("late")->muted);
    act("h", MuteGuests{false});
    EXPECT_TRUE(room->find("g")->audible());
    act("h", MuteNewcomers{true});
    guest("later");
    EXPECT_FALSE(room->find("later")->audible());
    // muted before the gate opens
    const auto index = [&](auto matches) {
        return std::find_if(last.begin(), last.end(), matches) - last.begin();
    };
    EXPECT_LT(index([](const Command& c) { return std::holds_alternative<SetMuted>(c); }),
              index([](const Command& c) { return std::holds_alternative<OpenGate>(c); }));
    host("h2");
    EXPECT_FALSE(room->find("h2")->muted);
}

TEST_F(MeetingTest, Rule16TwoMutesBothMustBeOff) {
    act("h", SetMute{"g", true});
    EXPECT_TRUE(get<SetMuted>("g")->muted);
    act("g", SetSelfMute{"g", true});
    EXPECT_EQ(get<SetMuted>("g"), nullptr);
    act("h", SetMute{"g", false});
    EXPECT_EQ(get<SetMuted>("g"), nullptr) << "still muted by itself";
    EXPECT_EQ(act("h", SetSelfMute{"g", false}), Outcome::done);
    EXPECT_NE(said(Prompt::please_unmute, "g"), nullptr);
    EXPECT_TRUE(room->find("g")->self_muted) << "a host may only ask";
    EXPECT_EQ(act("g", SetMute{"g", false}), Outcome::not_allowed);
    act("g", SetSelfMute{"g", false});
    EXPECT_FALSE(get<SetMuted>("g")->muted);
}

TEST_F(MeetingTest, Rule17OneRightGrantedAndTakenBack) {
    guest("g2");
    EXPECT_EQ(act("h", Grant{"g", Right::mute, true}), Outcome::done);
    EXPECT_TRUE(audited("grant", "ok"));
    EXPECT_EQ(act("g", SetMute{"g2", true}), Outcome::done);
    EXPECT_EQ(act("g", SetMute{"h", true}), Outcome::not_allowed) << "a delegated right never reaches a host";
    EXPECT_EQ(act("g", SetRoomLayout{Layout::equal}), Outcome::not_allowed);
    act("h", Grant{"g", Right::mute, false});
    EXPECT_TRUE(audited("revoke", "ok"));
    EXPECT_EQ(act("g", SetMute{"g2", false}), Outcome::not_allowed);
    act("h", Grant{"g", Right::admit, true});
    act("h", SetLock{true});
    guest("w");
    EXPECT_NE(said(Prompt::waiting, "g"), nullptr);
    EXPECT_EQ(act("g", Admit{"w"}), Outcome::done);
    send(Left{"g", Cause::normal});
    act("h", SetLock{false});
    guest("g");
    EXPECT_TRUE(room->find("g")->grants.empty()) << "not inherited by who comes later";
}

TEST_F(MeetingTest, Rule18JoinSoundsAreLimited) {
    now += 10s;
    guest("a");
    EXPECT_TRUE(said(Prompt::joined)->sound);
    guest("b");
    EXPECT_FALSE(said(Prompt::joined)->sound);
    EXPECT_EQ(said(Prompt::joined)->params.at("name"), "Name b") << "shown all the same";
    send(Left{"b", Cause::normal});
    EXPECT_FALSE(said(Prompt::left_room)->sound);
    now += 3s;
    send(Left{"a", Cause::normal});
    EXPECT_TRUE(said(Prompt::left_room)->sound);
    for (int n = 0; n < 19; ++n) {
        now += 5s;
        guest("n" + std::to_string(n));
        EXPECT_EQ(said(Prompt::joined)->sound, n < 18) << "none in rooms over 20";
    }
}

TEST_F(MeetingTest, Rule19TheRosterTellsAll) {
    act("g", SetHand{"g", true});
    EXPECT_EQ(get<ParticipantChanged>()->participant.hand, true);
    send(Talking{{"g", "unknown"}});
    EXPECT_EQ(get<TalkingChanged>()->ids, std::vector<ParticipantId>{"g"});
    send(Talking{{"g"}});
    EXPECT_EQ(get<TalkingChanged>(), nullptr);
    const Participant p = room->roster().at(1);
    EXPECT_EQ(p.name, "Name g");
    EXPECT_TRUE(p.talking);
    EXPECT_EQ(p.joined_at, now);
    EXPECT_TRUE(p.encrypted);
}

TEST_F(MeetingTest, SharingIsOneAtATime) {
    act("g", SetSharing{"g", true});
    act("h", SetSharing{"h", true});
    EXPECT_FALSE(room->find("g")->sharing);
    EXPECT_TRUE(room->find("h")->sharing);
}

TEST_F(RoomTest, Rule20RequiredRefusesBeforeAnsweringWhenTheOfferTells) {
    auto config = pins_and_guests();
    config.encryption = Encryption::required;
    use(config);
    Arrived arrived;
    arrived.id = "a";
    arrived.leg = LegKind::sip;
    arrived.receipt = CryptoReceipt{};
    send(arrived);
    EXPECT_EQ(get<Refuse>("a")->cause, Cause::encryption_required);
    EXPECT_EQ(record("a")->cause, Cause::encryption_required);
    EXPECT_TRUE(room->idle());
    come("b", LegKind::webrtc, {});
    EXPECT_EQ(get<Release>("b")->cause, Cause::encryption_required);
    EXPECT_EQ(get<AskPin>("b"), nullptr);
    host("h");
    send(ReceiptChanged{"h", {}});
    EXPECT_EQ(record("h")->cause, Cause::encryption_required) << "never silently downgraded";
}

TEST_F(MeetingTest, Rule21AReceiptThatChangesIsShownAndTheRecordHasTheWeakest) {
    const CryptoReceipt weaker{"TLSv1.3", "SDES", "AES_CM_128_HMAC_SHA1_80", 128};
    send(ReceiptChanged{"g", weaker});
    EXPECT_EQ(room->find("g")->crypto, weaker);
    EXPECT_NE(get<ParticipantChanged>(), nullptr);
    EXPECT_FALSE(room->view().unencrypted);
    send(ReceiptChanged{"g", {"TLSv1.3", "", "", 0}});
    EXPECT_FALSE(get<ParticipantChanged>()->participant.encrypted);
    EXPECT_TRUE(get<RoomChanged>()->room.unencrypted);
    EXPECT_NE(said(Prompt::unencrypted, "h"), nullptr);
    send(ReceiptChanged{"g", strong()});
    EXPECT_FALSE(room->view().unencrypted);
    EXPECT_TRUE(get<ParticipantChanged>()->participant.encrypted);
    send(Left{"g", Cause::normal});
    EXPECT_EQ(record("g")->crypto.suite, "");
    EXPECT_FALSE(record("g")->encrypted) << "for a while it was not";
    send(Left{"h", Cause::normal});
    EXPECT_EQ(record("h")->crypto, strong());
    EXPECT_TRUE(record("h")->encrypted);
}

TEST_F(RoomTest, Rule20BelowTheFloorCountsAsUnencrypted) {
    auto config = pins_and_guests();
    config.encryption = Encryption::required;
    EXPECT_TRUE(counts_as_encrypted({"", "DTLS-SRTP", "X", 112}, 0));
    EXPECT_FALSE(counts_as_encrypted({"", "DTLS-SRTP", "X", 112}, 128));
    EXPECT_FALSE(counts_as_encrypted({"", "DTLS-SRTP", "X", 0}, 0));
    config.encryption_floor_bits = 256;
    use(config);
    come("a", LegKind::sip, {"TLSv1.3", "DTLS-SRTP", "AES_CM_128_HMAC_SHA1_80", 128});
    EXPECT_FALSE(here("a"));
    come("b");
    EXPECT_TRUE(here("b"));
}

TEST(RoomRules, Rule21SdesOverPlainSignallingIsUnencrypted) {
    EXPECT_FALSE(counts_as_encrypted({"", "SDES", "AES_CM_128", 128}, 0));
    EXPECT_TRUE(counts_as_encrypted({"TLSv1.2", "SDES", "AES_CM_128", 128}, 0));
    EXPECT_TRUE(counts_as_encrypted({"", "DTLS-SRTP", "AES_CM_128", 128}, 0));
    EXPECT_FALSE(counts_as_encrypted({"TLSv1.3", "", "", 0}, 0));
}

TEST_F(MeetingTest, Rule21AnUnencryptedLegStrikesThePadlockAndEachHearsItOnce) {
    EXPECT_FALSE(room->view().unencrypted);
    come("p", LegKind::phone, {});
    EXPECT_FALSE(room->view().unencrypted) << "at the door it changes nothing";
    send(Digits{"p", ""});
    EXPECT_TRUE(room->view().unencrypted);
    EXPECT_TRUE(get<RoomChanged>()->room.unencrypted);
    for (const char* id : {"h", "g", "p"}) {
        EXPECT_NE(said(Prompt::unencrypted, id), nullptr);
    }
    guest("late");
    EXPECT_NE(said(Prompt::unencrypted, "late"), nullptr);
    EXPECT_EQ(said(Prompt::unencrypted, "h"), nullptr);
    send(Left{"p", Cause::normal});
    EXPECT_FALSE(room->view().unencrypted);
    EXPECT_NE(said(Prompt::encrypted_again), nullptr);
}

TEST_F(RoomTest, Rule22EachLegLeavesOneRecord) {
    arrive("h");
    now += 2s;
    send(MediaUp{"h", strong()});
    now += 3s;
    enter_pin("h", PinMatch::none);
    now += 3s;
    enter_pin("h", PinMatch::host);
    guest("g");
    act("h", Hold{"g"});
    now += 20s;
    act("h", Admit{"g"});
    now += 40s;
    send(Left{"g", Cause::network});
    send(Left{"g", Cause::network});
    const RecordDraft& g = *record("g");
    EXPECT_EQ(g.lobby_time, 20s);
    EXPECT_EQ(g.room_time, 40s);
    EXPECT_EQ(g.cause, Cause::network);
    EXPECT_TRUE(g.admitted);
    EXPECT_EQ(g.role, Role::guest);
    EXPECT_EQ(g.states.front().state, State::connecting);
    EXPECT_EQ(g.states.back().state, State::left);
    send(Left{"h", Cause::normal});
    const RecordDraft& h = *record("h");
    EXPECT_EQ(h.pin_attempts, 2U);
    EXPECT_EQ(h.pin_wrong, 1U);
    EXPECT_EQ(h.role, Role::host);
    EXPECT_EQ(h.stop - h.start, 68s);
    EXPECT_EQ(h.crypto, strong());
    EXPECT_EQ(count_in<WriteRecord>(all), 2U);
    EXPECT_EQ(count_in<RoomEnded>(all), 1U);
}

}  // namespace
}  // namespace vmr::room
