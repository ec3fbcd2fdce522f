// What a call is protected by may change while it lasts: everybody is told, and the room's policy holds.
#include "bridge_fixture.hpp"

namespace vmr::bridge {
namespace {

using nlohmann::json;

const std::string kSound =
    "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/SAVP 0\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
const std::string kPlainPicture = "m=video 30002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n";

class ReceiptTest : public BridgeFixture {
protected:
    void SetUp() override {
        BridgeFixture::SetUp();
        ops::RoomConfig room;
        room.id = "board";
        room.aliases = {"board"};
        bridge_->start_rooms({room});
    }
    // A call over TLS of which the sound alone is there, and protected.
    void call() {
        Arrival arrival;
        arrival.leg = leg_->id();
        arrival.alias = "board";
        arrival.remote_address = "127.0.0.1:5061";
        arrival.signalling = "TLSv1.3 TLS_AES_256_GCM_SHA384";
        session_ = bridge_->on_leg_arrived(leg_, arrival);
        ASSERT_NE(session_, nullptr);
        ASSERT_TRUE(run_until([&] { return leg_->accepted; }));
        ASSERT_TRUE(session_->answer(kSound).ok());
        bridge_->on_leg_answered(leg_->id());
        ASSERT_TRUE(run_until([&] { return crypto()["encrypted"] == true; }));
    }
    json asked(const std::string& operation, const json& params) {
        json body;
        bridge_->perform({api::Caller::Kind::admin, "", "", ""}, operation, params,
                         [&](const api::Response& response) { body = response.body; });
        return body;
    }
    json crypto() {
        const json all = asked("listParticipants", {{"room", "board"}})["participants"];
        return all.empty() ? json::object() : all[0]["crypto"];
    }

    std::shared_ptr<FakeLeg> leg_ = std::make_shared<FakeLeg>("sip-1");
    std::shared_ptr<MediaSession> session_;
};

TEST_F(ReceiptTest, APlainPictureBesideProtectedSoundStrikesThePadlock) {
    ASSERT_NO_FATAL_FAILURE(call());
    EXPECT_EQ(asked("getRoom", {{"room", "board"}})["unencrypted"], false);
    ASSERT_TRUE(session_->answer(kSound + kPlainPicture).ok());
    EXPECT_TRUE(run_until([&] { return crypto()["encrypted"] == false; }));
    EXPECT_EQ(asked("getRoom", {{"room", "board"}})["unencrypted"], true);
}

TEST_F(ReceiptTest, WhoFallsBelowThePolicyIsEnded) {
    ASSERT_NO_FATAL_FAILURE(call());
    asked("updateRoom", {{"room", "board"}, {"encryption", "required"}});
    ASSERT_TRUE(session_->answer(kSound + kPlainPicture).ok());  // as its session was told to answer
    EXPECT_TRUE(run_until([&] { return leg_->ended == EndCause::encryption_required; }));
}

}  // namespace
}  // namespace vmr::bridge
