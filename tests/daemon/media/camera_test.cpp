// Far-end camera control between two sessions: negotiated, protected, bounded.
#include "daemon/media/transport/data_line.hpp"
#include "two_rooms.hpp"

namespace vmr::media {
namespace {

using Octets = std::vector<std::uint8_t>;

TEST(DataLine, ReadsWhatItWrites) {
    const SteadyTime start{};
    DataLine near(65535, 7, start), far(1, 1, start);
    near.set({0x01020304, 104, 4800});
    Octets space(600);
    const Octets message{1, 2, 3};
    for (int i = 0; i < 3; ++i) {  // across the end of sequence numbers
        const auto size = near.write(message, start + std::chrono::seconds(i), space);
        ASSERT_EQ(size, 15U);
        const Bytes read = far.read(Bytes(space).first(size), start);
        EXPECT_EQ(Octets(read.begin(), read.end()), message);
    }
    EXPECT_EQ(near.write(Octets(513), start, space), 0U);
    EXPECT_EQ(near.write({}, start, space), 0U);
    EXPECT_EQ(near.write(message, start, std::span(space).first(14)), 0U);
}

TEST(DataLine, BoundsSizeAndRate) {
    const SteadyTime start{};
    DataLine line(1, 1, start);
    Octets packet{0x80, 104, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9};
    EXPECT_TRUE(line.read(packet, start).empty());
    packet.resize(12 + 513);
    EXPECT_TRUE(line.read(packet, start).empty());
    packet.resize(20);
    int passed = 0;
    for (int i = 0; i < 1000; ++i) {
        passed += line.read(packet, start).empty() ? 0 : 1;
    }
    EXPECT_EQ(passed, 40);
    EXPECT_FALSE(line.read(packet, start + std::chrono::seconds(1)).empty());
    packet[0] |= 0x20;
    packet.back() = 200;  // more padding than there is
    EXPECT_TRUE(line.read(packet, start + std::chrono::seconds(2)).empty());
    packet.back() = 4;
    EXPECT_EQ(line.read(packet, start + std::chrono::seconds(2)).size(), 4U);
    EXPECT_TRUE(line.read(Octets(5), start).empty());
}

class CameraTest : public TwoRooms {
protected:
    std::unique_ptr<Session> session(const char* name, bool steers, sdp::Encryption encryption) {
        sdp::Policy policy;
        policy.encryption = encryption;
        policy.ice = policy.content = false;
        policy.far_end_camera = steers;
        auto made = std::make_unique<Session>(environment_, name, policy, "127.0.0.1");
        made->set_signalling("TLSv1.3 TLS_AES_256_GCM_SHA384");
        return made;
    }
    void call(bool near_steers, bool far_steers, sdp::Encryption encryption) {
        near_ = session("near-leg", near_steers, encryption);
        far_ = session("far-leg", far_steers, encryption);
        attach(*near_, *far_);
        const SdpResult offer = near_->offer();
        ASSERT_TRUE(offer.ok()) << offer.problem().text;
        const SdpResult answer = far_->answer(offer.sdp());
        ASSERT_TRUE(answer.ok()) << answer.problem().text;
        ASSERT_TRUE(near_->accept_answer(answer.sdp()).ok());
        EXPECT_TRUE(run_until([&] { return near_->ready() && far_->ready(); }));
    }
    std::unique_ptr<Session> near_, far_;
};

TEST_F(CameraTest, MessagesPassBothWays) {
    for (const auto encryption : {sdp::Encryption::required, sdp::Encryption::off}) {
        ASSERT_NO_FATAL_FAILURE(call(true, true, encryption));
        EXPECT_TRUE(near_->takes_camera_control() && far_->takes_camera_control());
        Octets at_near, at_far;
        near_->set_on_camera_steered([&](const Octets& message) { at_near = message; });
        far_->set_on_camera_steered([&](const Octets& message) { at_far = message; });
        unsigned keyframes = 0;
        MediaSession::Callbacks callbacks;
        callbacks.on_keyframe_wanted = [&] { ++keyframes; };
        near_->set_callbacks(callbacks);
        g_signal_emit_by_name(near_->bin().ivr(), "accept");
        near_room_->admit("near-leg");
        const auto asked_by_rtcp = [&] {
            const auto stats = near_->stats();
            return std::ranges::any_of(stats, [](const auto& one) { return one.rtp.plis_sent > 0; });
        };
        EXPECT_TRUE(run_until([&] {
            if (GstPad* pad = near_->bin().to_room(Slot::video)) {
                gst_pad_send_event(pad, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                                                             gst_structure_new_empty("GstForceKeyUnit")));
            }
            return asked_by_rtcp();
        }));
        EXPECT_TRUE(run_until([&] {
            near_->steer_camera(Octets{0x7e, 1});
            far_->steer_camera(Octets{0x7e, 2, 3});
            return at_far == Octets{0x7e, 1} && at_near == Octets{0x7e, 2, 3};
        }));
        EXPECT_EQ(keyframes, 0U) << "RTCP asks";
        const bool required = encryption == sdp::Encryption::required;
        EXPECT_EQ(near_->crypto_receipt().key_exchange, required ? "SDES" : "none");
        detach();
    }
}

TEST_F(CameraTest, OffOnOneSideIsOff) {
    ASSERT_NO_FATAL_FAILURE(call(true, false, sdp::Encryption::required));
    EXPECT_FALSE(near_->takes_camera_control() || far_->takes_camera_control());
    EXPECT_FALSE(near_->steer_camera(Octets{1}));
    detach();
}

// A room system whose camera line has no keys beside protected sound: refused, and the call goes on.
TEST_F(CameraTest, NotInTheClearBesideWhatIsProtected) {
    auto far = session("far-leg", true, sdp::Encryption::best_effort);
    const std::string key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + std::string(40, 'B') + "\r\n";
    const std::string head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n";
    const std::string camera = "m=application 40010 RTP/AVP 107\r\na=rtpmap:107 H224/4800\r\n";
    const SdpResult exposed = far->answer(head + "m=audio 40000 RTP/AVP 0\r\n" + key + camera);
    ASSERT_TRUE(exposed.ok());
    EXPECT_NE(exposed.sdp().find("m=application 0 RTP/AVP 107\r\n"), std::string::npos) << exposed.sdp();
    auto near = session("near-leg", true, sdp::Encryption::best_effort);
    const SdpResult offer = near->offer();
    ASSERT_TRUE(offer.ok());
    const std::string taken = "a=crypto:1 AEAD_AES_256_GCM inline:" + std::string(58, 'B') + "A=\r\n";
    std::string lines;
    for (auto at = offer.sdp().find("m=video"); at != std::string::npos;
         at = offer.sdp().find("m=video", at + 1)) {
        lines += "m=video 0 RTP/AVP 97\r\n";
    }
    ASSERT_TRUE(near->accept_answer(head + "m=audio 40000 RTP/AVP 0\r\n" + taken + lines + camera).ok());
    EXPECT_FALSE(near->takes_camera_control()) << offer.sdp();
    EXPECT_EQ(near->crypto_receipt().key_exchange, "SDES");
    auto plain = session("plain-leg", true, sdp::Encryption::best_effort);
    const SdpResult clear = plain->answer(head + "m=audio 40000 RTP/AVP 0\r\n" + camera);
    ASSERT_TRUE(clear.ok());
    EXPECT_NE(clear.sdp().find("a=rtpmap:107 H224/4800\r\n"), std::string::npos) << clear.sdp();
}

}  // namespace
}  // namespace vmr::media
