// What a trunk's profile asks of media, from the profile's table to the description that its peer reads.
#include <gmock/gmock.h>

#include "bridge_fixture.hpp"
#include "daemon/legs/sip/routing/arrival.hpp"
#include "tests/daemon/sdp/support.hpp"

namespace vmr::bridge {
namespace {

using sdp::test::count;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class TrunkTermsTest : public BridgeFixture {
protected:
    void SetUp() override {
        BridgeFixture::SetUp();
        ops::RoomConfig board;
        board.id = "board";
        bridge_->start_rooms({board});
    }
    // The media of a call that comes by a trunk of this profile.
    std::shared_ptr<MediaSession> arrive(const std::string& profile,
                                         const std::map<std::string, sip::SettingValue>& set) {
        const auto settings = sip::trunk_settings(profile, set);
        EXPECT_TRUE(settings) << (settings ? "" : settings.error());
        Arrival arrival;
        arrival.leg = "sip-1";
        arrival.kind = LegKind::phone;
        arrival.alias = "board";
        arrival.trunk = profile;
        arrival.trusted = true;
        arrival.remote_address = "127.0.0.1:5061";
        arrival.signalling = "TLSv1.3 TLS_AES_256_GCM_SHA384";
        arrival.terms = sip::media_terms(*settings, 0);
        leg_ = std::make_shared<FakeLeg>(arrival.leg);
        return bridge_->on_leg_arrived(leg_, arrival);
    }
    // Theirs, with the codec that we like best, and that they do not take.
    static std::string offer() {
        return sdp::test::replaced(sdp::test::sample("teams-direct-routing"), "RTP/SAVP 104",
                                   "RTP/SAVP 96 104") +
               "a=rtpmap:96 opus/48000/2\r\n";
    }
    static void expect_direct_routing(const std::string& text) {
        EXPECT_EQ(count(text, "\r\nm="), 1U) << text;
        EXPECT_EQ(count(text, "a=crypto:"), 1U) << text;
        // 30 bytes of key and salt, the lifetime, and no MKI behind it.
        EXPECT_THAT(
            text,
            ContainsRegex("a=crypto:[0-9]+ AES_CM_128_HMAC_SHA1_80 inline:[A-Za-z0-9+/]{40}[|]2\\^31\r\n"));
        EXPECT_EQ(count(text, "a=rtcp-mux\r\n"), 1U) << text;
        EXPECT_EQ(count(text, "a=fingerprint:"), 0U) << text;
    }

    std::shared_ptr<FakeLeg> leg_;
};

TEST_F(TrunkTermsTest, DirectRoutingsAreInTheAnswer) {
    const auto session = arrive("teams-direct-routing", {});
    const SdpResult answer = session->answer(offer());
    ASSERT_TRUE(answer) << answer.problem().text;
    expect_direct_routing(answer.sdp());
    EXPECT_THAT(answer.sdp(), HasSubstr(" RTP/SAVP 9 101\r\n"));
    EXPECT_THAT(answer.sdp(), Not(HasSubstr("a=ice-")));
    EXPECT_EQ(count(answer.sdp(), "a=candidate:"), 0U);
}

TEST_F(TrunkTermsTest, MediaBypassIsIceLiteWithOneCandidate) {
    const auto session = arrive("teams-direct-routing", {{"ice", std::string("lite")}});
    const SdpResult answer = session->answer(offer());
    ASSERT_TRUE(answer) << answer.problem().text;
    expect_direct_routing(answer.sdp());
    EXPECT_THAT(answer.sdp(), HasSubstr("a=ice-lite\r\n"));
    EXPECT_EQ(count(answer.sdp(), "a=candidate:"), 1U) << answer.sdp();
}

// Where the call came without a description.
TEST_F(TrunkTermsTest, AreInOurOffer) {
    const auto session = arrive("teams-direct-routing", {{"ice", std::string("lite")}});
    const SdpResult offer = session->offer();
    ASSERT_TRUE(offer) << offer.problem().text;
    expect_direct_routing(offer.sdp());
    EXPECT_THAT(offer.sdp(), HasSubstr(" RTP/SAVP 9 8 0 101\r\n"));
    EXPECT_THAT(offer.sdp(), HasSubstr("a=ice-lite\r\n"));
    // Until they have agreed to rtcp-mux, one for RTCP too.
    EXPECT_EQ(count(offer.sdp(), " typ "), 2U) << offer.sdp();
    EXPECT_EQ(count(offer.sdp(), "a=candidate:1 1 udp "), 1U) << offer.sdp();
    EXPECT_EQ(count(offer.sdp(), "a=candidate:1 2 udp "), 1U) << offer.sdp();
}

TEST_F(TrunkTermsTest, WithoutSrtpThereIsNoCallWhateverTheRoomTakes) {
    const std::string plain =
        "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP "
        "0\r\n";
    EXPECT_EQ(arrive("teams-direct-routing", {})->answer(plain).problem().kind,
              MediaProblem::Kind::encryption_required);
    EXPECT_TRUE(arrive("pstn", {})->answer(plain));
}

}  // namespace
}  // namespace vmr::bridge
