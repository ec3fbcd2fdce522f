// What a call is protected by may change while it lasts: everybody is told, and the room's policy holds.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "daemon/bridge/bridge.hpp"

namespace vmr::bridge {
namespace {

using nlohmann::json;

const std::string kSound =
    "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/SAVP 0\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
const std::string kPlainPicture = "m=video 30002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n";

class FakeLeg final : public Leg {
public:
    const std::string& id() const override { return id_; }
    LegKind kind() const override { return LegKind::sip; }
    void accept() override { accepted = true; }
    void refuse(EndCause cause) override { ended = cause; }
    void end(EndCause cause) override { ended = cause; }

    bool accepted = false;
    std::optional<EndCause> ended;

private:
    std::string id_ = "sip-1";
};

class ReceiptTest : public testing::Test {
protected:
    void SetUp() override {
        gst_init(nullptr, nullptr);
        char name[] = "/tmp/vmr-receipt-XXXXXX";
        folder_ = mkdtemp(name);
        auto loaded = media::Pipelines::load(std::string(std::getenv("VMR_SOURCE_ROOT")) + "/pipelines");
        ASSERT_TRUE(loaded) << (loaded ? "" : loaded.error());
        pipelines_ = std::make_unique<media::Pipelines>(std::move(*loaded));
        environment_.pipelines = pipelines_.get();
        environment_.io = std::make_shared<media::MediaIoPool>(1);
        environment_.ice = [] { return media::IceParams{}; };
        environment_.certificate = *media::DtlsCertificate::generate();
        store::CallRecordsOptions options;
        options.path = folder_ + "/calls.jsonl";
        auto records = store::CallRecords::open(std::move(options));
        ASSERT_TRUE(records);
        records_ = std::move(*records);
        services_ = std::make_unique<Services>(Services{
            *pipelines_,
            {},
            {},
            *records_,
            events_,
            tokens_,
            hasher_,
            std::make_shared<room::PinThrottle>(),
            [](const std::string&) { return json::array(); },
            "test",
        });
        bridge_ = std::make_unique<Bridge>(*services_, environment_);
        ops::RoomConfig room;
        room.id = "board";
        room.aliases = {"board"};
        bridge_->start_rooms({room});
    }
    void TearDown() override {
        bridge_.reset();
        records_.reset();
        std::filesystem::remove_all(folder_);
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
    bool run_until(const std::function<bool()>& done) {
        const gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
        const guint tick = g_timeout_add(
            5, [](gpointer) -> gboolean { return G_SOURCE_CONTINUE; }, nullptr);
        while (!done() && g_get_monotonic_time() < deadline) {
            g_main_context_iteration(nullptr, TRUE);
        }
        g_source_remove(tick);
        return done();
    }

    std::string folder_;
    std::unique_ptr<media::Pipelines> pipelines_;
    media::MediaEnvironment environment_;
    api::TokenStore tokens_;
    api::EventHub events_;
    ops::PinHasher hasher_;
    std::unique_ptr<store::CallRecords> records_;
    std::unique_ptr<Services> services_;
    std::unique_ptr<Bridge> bridge_;
    std::shared_ptr<FakeLeg> leg_ = std::make_shared<FakeLeg>();
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
