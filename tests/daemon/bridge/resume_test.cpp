// Browsers that come and go at moments that nobody expects: with the old connection still open, at once, at
// the end.
#include "bridge_fixture.hpp"

namespace vmr::bridge {
namespace {

class ResumeTest : public BridgeFixture {
protected:
    void SetUp() override {
        BridgeFixture::SetUp();
        ops::RoomConfig room;
        room.id = "board";
        bridge_->start_rooms({room});
    }
    void come(const std::shared_ptr<FakeLeg>& leg, const std::string& token) {
        Arrival arrival;
        arrival.leg = leg->id();
        arrival.kind = LegKind::webrtc;
        arrival.alias = "board";
        arrival.remote_address = "127.0.0.1";
        arrival.resume = token;
        media_ = bridge_->on_leg_arrived(leg, arrival);
        ASSERT_NE(media_, nullptr);
        ASSERT_TRUE(run_until([&] { return leg->told.contains("joined"); }));
    }
    static std::string text(const FakeLeg& leg, const char* field) { return leg.told.at("joined").at(field); }

    std::shared_ptr<MediaSession> media_;  // of who came last
};

// Their seat ends with the connection: there was nothing in it to keep.
TEST_F(ResumeTest, WhoWasNotInYetComesAnew) {
    const auto first = std::make_shared<FakeLeg>("web-1");
    const auto second = std::make_shared<FakeLeg>("web-2");
    ASSERT_NO_FATAL_FAILURE(come(first, ""));
    ASSERT_NO_FATAL_FAILURE(come(second, text(*first, "token")));
    EXPECT_EQ(first->ended, EndCause::replaced);
    EXPECT_EQ(second->told.at("joined").at("resumed"), false);
    EXPECT_NE(text(*second, "participant"), text(*first, "participant"));
    EXPECT_FALSE(second->ended);
    EXPECT_FALSE(tokens_.find(text(*first, "token")));
    bridge_->on_leg_ended("web-1", EndCause::hangup, nullptr);  // nobody's any more
    EXPECT_NE(bridge_->metrics().find("vmr_participants 1\n"), std::string::npos) << bridge_->metrics();
}

// Whoever leaves at once leaves nothing behind: there is room for so many bearers, and each lasts a day.
TEST_F(ResumeTest, TheBearerGoesWithWhoLeaves) {
    const auto leg = std::make_shared<FakeLeg>("web-1");
    ASSERT_NO_FATAL_FAILURE(come(leg, ""));
    EXPECT_TRUE(tokens_.find(text(*leg, "token")));
    bridge_->on_leg_ended("web-1", EndCause::hangup, nullptr);
    EXPECT_FALSE(tokens_.find(text(*leg, "token")));
    EXPECT_EQ(tokens_.size(), 0U);
}

// What ends a leg may be a callback of its own media: floor control, or that they are ready in a room that is
// full.
TEST_F(ResumeTest, MediaOutlastTheCallThatEndsThem) {
    const auto leg = std::make_shared<FakeLeg>("web-1");
    ASSERT_NO_FATAL_FAILURE(come(leg, ""));
    const std::weak_ptr<MediaSession> media = media_;
    media_.reset();
    bridge_->on_leg_ended("web-1", EndCause::hangup, nullptr);
    EXPECT_FALSE(media.expired());
    EXPECT_TRUE(run_until([&] { return media.expired(); }));
}

TEST_F(ResumeTest, WhoIsAtTheDoorWhenAllEndsIsTurnedAway) {
    const auto leg = std::make_shared<FakeLeg>("web-1");
    Arrival arrival;
    arrival.leg = leg->id();
    arrival.kind = LegKind::webrtc;
    arrival.alias = "board";
    ASSERT_NE(bridge_->on_leg_arrived(leg, arrival), nullptr);
    bridge_->drain();
    EXPECT_TRUE(run_until([&] { return leg->ended == EndCause::shutdown; }));
    EXPECT_TRUE(bridge_->is_idle());
}

}  // namespace
}  // namespace vmr::bridge
