// By how a call is answered a stranger does not learn which names exist, and a crowd of strangers is bounded.
#include "daemon/bridge/entrance.hpp"

#include "bridge_fixture.hpp"
#include "daemon/bridge/seat.hpp"

namespace vmr::bridge {
namespace {

const std::string kPlain =
    "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\n";
const std::string kKeyed =
    "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/SAVP 0\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
const std::string kPlainPicture = "m=video 30002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n";

Arrival call(const std::string& alias, const std::string& offer = kPlain,
             const std::string& address = "192.0.2.7:5060") {
    Arrival arrival;
    arrival.alias = alias;
    arrival.leg = "sip-" + alias;
    arrival.remote_address = address;
    arrival.offer = offer;
    return arrival;
}

TEST(DoorstepTest, BoundsANameASourceAndAll) {
    Doorstep doorstep;
    const auto fill = [&doorstep](const std::string& source, const std::string& name, std::size_t count) {
        for (std::size_t number = 0; number < count; ++number) {
            EXPECT_TRUE(doorstep.enter(source + name + std::to_string(number), source, name));
        }
    };
    fill("a", "board", Doorstep::kMaxOfSourceAndName);
    EXPECT_FALSE(doorstep.enter("further", "a", "board"));
    fill("a", "other", Doorstep::kMaxOfSourceAndName);
    fill("a", "third", Doorstep::kMaxOfSource - 2 * Doorstep::kMaxOfSourceAndName);
    EXPECT_FALSE(doorstep.enter("further", "a", "fourth"));
    EXPECT_TRUE(doorstep.enter("b", "b", "board"));
    EXPECT_FALSE(doorstep.enter("b", "c", "board")) << "twice the same";
    doorstep.leave("aboard0");
    doorstep.leave("aboard0");
    doorstep.leave("nobody");
    EXPECT_TRUE(doorstep.enter("further", "a", "board"));
    for (std::size_t count = doorstep.size(); count < Doorstep::kMaxCallers; ++count) {
        EXPECT_TRUE(doorstep.enter("c" + std::to_string(count), std::to_string(count), "board"));
    }
    EXPECT_FALSE(doorstep.enter("late", "late", "late"));
}

TEST(OfferTest, AnOfferIsWeighedAgainstWhatTheRoomDemands) {
    room::RoomConfig room;
    EXPECT_TRUE(offers_enough(call("a"), {}, room));
    room.encryption = room::Encryption::required;
    EXPECT_FALSE(offers_enough(call("a"), {}, room));
    EXPECT_FALSE(offers_enough(call("a", kKeyed), {}, room)) << "keys that travel in the clear";
    Arrival protected_call = call("a", kKeyed);
    protected_call.signalling = "TLSv1.3 TLS_AES_256_GCM_SHA384";
    EXPECT_TRUE(offers_enough(protected_call, {}, room));
    protected_call.offer = kKeyed + kPlainPicture;
    EXPECT_FALSE(offers_enough(protected_call, {}, room)) << "sound is protected, the picture is not";
    protected_call.offer = kKeyed;
    room.encryption_floor_bits = 256;
    EXPECT_FALSE(offers_enough(protected_call, {}, room));
    EXPECT_TRUE(offers_enough(call("a", ""), {}, room)) << "the offer is ours";
    EXPECT_TRUE(offers_enough(call("a", "nonsense"), {}, room)) << "refused alike everywhere";
}

// Also where it takes another's place: a number that is withheld is shown to nobody.
TEST(NameTest, IsTheCallersUnlessTheyWithholdIt) {
    Arrival caller = call("a");
    caller.caller = "+4930123";
    EXPECT_EQ(shown_name(caller), "+4930123");
    caller.withheld = true;
    EXPECT_EQ(shown_name(caller), "Anonymous");
    caller.display_name = "Ada";
    EXPECT_EQ(shown_name(caller), "Ada");
}

class EntranceTest : public BridgeFixture {
protected:
    void SetUp() override {
        BridgeFixture::SetUp();
        ops::RoomConfig board;
        board.id = "board";
        board.host_pin = "482915";
        ops::RoomConfig safe = board;
        safe.id = "safe";
        safe.encryption = ops::Encryption::required;
        bridge_->start_rooms({board, safe});
        bridge_->set_reception("reception", true);
    }
    std::shared_ptr<FakeLeg> arrive(const Arrival& arrival) {
        auto leg = std::make_shared<FakeLeg>(arrival.leg);
        session_ = bridge_->on_leg_arrived(leg, arrival);
        return leg;
    }

    std::shared_ptr<MediaSession> session_;
};

TEST_F(EntranceTest, UnknownNamesAreTakenLikeOthersUnlessTheOperatorSaysSo) {
    for (const char* name : {"board", "nowhere", "reception", "safe"}) {
        const auto leg = arrive(call(name));
        EXPECT_NE(session_, nullptr) << name;
        EXPECT_FALSE(leg->ended) << name;
        EXPECT_TRUE(session_->answer(kPlain)) << name;
    }
    bridge_->set_reception("reception", false);
    EXPECT_EQ(arrive(call("elsewhere"))->ended, EndCause::not_found);
    Arrival clear = call("safe");
    clear.leg = "sip-clear";
    EXPECT_FALSE(arrive(clear)->ended);
    EXPECT_EQ(session_->answer(kPlain).problem().kind, MediaProblem::Kind::encryption_required);
}

// Who is known by a trunk, or by what they have shown, is told plainly.
TEST_F(EntranceTest, KnownCallersAreTold) {
    Arrival by_trunk = call("nowhere");
    by_trunk.trunk = "carrier";
    by_trunk.trusted = true;
    EXPECT_EQ(arrive(by_trunk)->ended, EndCause::not_found);
    Arrival device = call("safe");
    device.trusted = true;
    EXPECT_FALSE(arrive(device)->ended);
    EXPECT_EQ(session_->answer(kPlain).problem().kind, MediaProblem::Kind::encryption_required);
}

TEST_F(EntranceTest, ACrowdOfOneSourceIsRefusedAlikeWhateverItCalls) {
    for (const char* name : {"board", "nowhere", "elsewhere"}) {
        for (std::size_t count = 0; count < Doorstep::kMaxOfSourceAndName; ++count) {
            Arrival one = call(name);
            one.leg += std::to_string(count);
            EXPECT_FALSE(arrive(one)->ended);
        }
        if (services_->doorstep.size() < Doorstep::kMaxOfSource) {
            EXPECT_EQ(arrive(call(name))->ended, EndCause::busy);
        }
    }
    EXPECT_EQ(arrive(call("safe"))->ended, EndCause::busy);
    EXPECT_EQ(arrive(call("fourth"))->ended, EndCause::busy);
    EXPECT_FALSE(arrive(call("fourth", kPlain, "192.0.2.8:5060"))->ended);
    bridge_->on_leg_ended("sip-nowhere0", EndCause::cancelled, nullptr);
    EXPECT_FALSE(arrive(call("safe"))->ended);
}

TEST_F(EntranceTest, WhatComesToNothingAtTheReceptionIsBlamedOnItsSource) {
    const auto mute = arrive(call("nowhere"));
    EXPECT_TRUE(run_until([&] { return mute->accepted; }));
    bridge_->on_leg_ended(mute->id(), EndCause::hangup, nullptr);
    EXPECT_EQ(mute->blamed, 1);
    EXPECT_EQ(services_->doorstep.size(), 0U);

    const auto guesser = arrive(call("other"));
    EXPECT_TRUE(run_until([&] { return guesser->accepted; }));
    for (const char key : std::string("1234#")) {
        bridge_->on_leg_key(guesser->id(), key);
    }
    EXPECT_TRUE(run_until([&] { return guesser->blamed == 1; }));
    bridge_->on_leg_ended(guesser->id(), EndCause::hangup, nullptr);
    EXPECT_EQ(guesser->blamed, 1) << "counted once";
}

}  // namespace
}  // namespace vmr::bridge
