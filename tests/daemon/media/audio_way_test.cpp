// The ways that a leg's sound takes: two audio calls between two rooms, over real sockets.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "two_rooms.hpp"

namespace vmr::media {
namespace {

unsigned threads_of_rtp() {
    unsigned threads = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::getline(std::ifstream(task.path() / "comm"), name);
        threads += name.find("rtp") != std::string::npos || name == "timer" ? 1 : 0;
    }
    return threads;
}

class AudioWayTest : public TwoRooms {
protected:
    void SetUp() override {
        ASSERT_NO_FATAL_FAILURE(TwoRooms::SetUp());
        near_ = session("near-leg");
        far_ = session("far-leg");
        attach(*near_, *far_);
    }
    void TearDown() override {
        detach();
        near_.reset();
        far_.reset();
        TwoRooms::TearDown();
    }
    std::unique_ptr<Session> session(const char* name) {
        sdp::Policy policy;
        policy.encryption = sdp::Encryption::required;
        policy.ice = policy.video = policy.content = false;
        auto made = std::make_unique<Session>(environment_, name, policy, "127.0.0.1");
        made->set_signalling("TLSv1.3 TLS_AES_256_GCM_SHA384");
        return made;
    }
    // `without`: payload formats that near's offer does not have.
    void call(const std::string& without = {}) {
        const SdpResult offer = near_->offer();
        ASSERT_TRUE(offer.ok());
        std::string text = offer.sdp();
        for (auto at = without.empty() ? std::string::npos : text.find(without); at != std::string::npos;
             at = text.find(without)) {
            text.replace(at, without.size(), "x-nothing");
        }
        const SdpResult answer = far_->answer(text);
        ASSERT_TRUE(answer.ok());
        ASSERT_TRUE(near_->accept_answer(answer.sdp()).ok());
        ASSERT_TRUE(run_until([&] { return received(*near_) > 5 && received(*far_) > 5; }));
    }
    static uint64_t received(const Session& session) { return counted(session).received_packets; }
    static MediaStats counted(const Session& session) {
        for (const SessionStats& stats : session.stats()) {
            if (stats.slot == Slot::audio) {
                return stats.rtp;
            }
        }
        return {};
    }
    bool has_pad(const Session& session, const char* name) const {
        auto& bin = const_cast<Session&>(session).bin();
        return static_cast<bool>(PadPtr::adopt(gst_element_get_static_pad(bin.element(), name)));
    }
    void admit(Session& session, RoomPipeline& room, const std::string& name) {
        g_signal_emit_by_name(session.bin().ivr(), "accept");
        room.admit(name);
    }

    std::unique_ptr<Session> near_, far_;
};

// The far room asks for a PIN all the time: that is who talks in the near room.
TEST_F(AudioWayTest, WhoIsInTheRoomIsHeardStraightFromTheNetwork) {
    call();
    EXPECT_FALSE(near_->bin().direct());
    EXPECT_FALSE(listener_.heard("near-leg")) << "at the PIN nothing passes";
    admit(*near_, *near_room_, "near-leg");
    EXPECT_TRUE(near_->bin().direct() && near_->bin().shared(Slot::audio));
    EXPECT_TRUE(run_until([&] { return listener_.heard("near-leg"); }));

    near_room_->say("near-leg", {"joined", "", "en"});
    EXPECT_TRUE(near_->bin().direct()) << "who is spoken to is still heard";
    EXPECT_FALSE(near_->bin().shared(Slot::audio));
    EXPECT_TRUE(run_until([&] { return near_->bin().shared(Slot::audio); }));

    near_room_->dismiss("near-leg", "held");
    EXPECT_FALSE(near_->bin().direct() || near_->bin().shared(Slot::audio));
    EXPECT_FALSE(has_pad(*near_, "audio_rtp_src") || has_pad(*near_, "audio_rtp_sink"));
    EXPECT_TRUE(run_until([&] { return listener_.talkers.empty(); }));
    listener_.talked.clear();
    const uint64_t before = received(*near_);
    EXPECT_TRUE(run_until([&] { return received(*near_) > before + 100; }));
    EXPECT_FALSE(listener_.heard("near-leg"));

    near_room_->admit("near-leg");
    EXPECT_TRUE(run_until([&] { return listener_.heard("near-leg"); })) << "the call goes on";
    EXPECT_EQ(counted(*near_).lost_packets, 0);
    EXPECT_EQ(counted(*far_).lost_packets, 0);
}

TEST_F(AudioWayTest, ALegInTheRoomHasNoThread) {
    call();
    EXPECT_GT(threads_of_rtp(), 0U);
    admit(*near_, *near_room_, "near-leg");
    admit(*far_, *far_room_, "far-leg");
    EXPECT_EQ(threads_of_rtp(), 0U);
    const auto both = [&] { return received(*near_) + received(*far_); };
    const uint64_t before = both();
    // Two rooms in which nobody speaks: Opus pauses, and says so a few times a second.
    EXPECT_TRUE(run_until([&] { return both() > before + 5; }));
    const SlotTaps taps = near_->bin().taps(Slot::audio);
    guint64 packets = 0;
    EXPECT_TRUE(gst_structure_get_uint64(taps.received.get(), "packets", &packets));
    EXPECT_GT(packets, 5U);
    EXPECT_EQ(taps.receive_codec, "opus");
}

TEST_F(AudioWayTest, WhoMayPressKeysAsTonesIsListenedTo) {
    g_object_set(near_->bin().ivr(), "inband", TRUE, nullptr);
    g_object_set(far_->bin().ivr(), "inband", TRUE, nullptr);
    call("telephone-event");
    admit(*near_, *near_room_, "near-leg");
    EXPECT_FALSE(near_->bin().direct());
    EXPECT_TRUE(near_->bin().shared(Slot::audio)) << "that is the other direction";
    EXPECT_TRUE(run_until([&] { return listener_.heard("near-leg"); }));
}

TEST_F(AudioWayTest, WhoseKeysComeAsEventsIsNot) {
    g_object_set(near_->bin().ivr(), "inband", TRUE, nullptr);
    call();
    admit(*near_, *near_room_, "near-leg");
    EXPECT_TRUE(near_->bin().direct());
}

}  // namespace
}  // namespace vmr::media
