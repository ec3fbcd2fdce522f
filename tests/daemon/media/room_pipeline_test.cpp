// A room's pipeline outlives its legs: their numbers, and what is still said of them when they have gone.
#include "daemon/media/room_pipeline.hpp"

#include <gst/check/gstharness.h>
#include <gst/rtp/gstrtpbuffer.h>

#include <set>

#include "daemon/media/h264_packets.hpp"
#include "two_rooms.hpp"

namespace vmr::media {
namespace {

TEST(PadIndices, ComeAgainOnlyWhenAllOthersHaveBeenGivenOut) {
    PadIndices indices;
    for (unsigned leg = 0; leg < 3 * PadIndices::kCount; ++leg) {
        const unsigned index = indices.take();
        ASSERT_EQ(index, leg % PadIndices::kCount);
        indices.give_back(index);
    }
    std::set<unsigned> taken;
    for (unsigned leg = 0; leg < PadIndices::kCount; ++leg) {
        ASSERT_TRUE(taken.insert(indices.take()).second);
    }
    EXPECT_EQ(*taken.rbegin(), 65535U);
    EXPECT_THROW(indices.take(), std::length_error);
    indices.give_back(7);
    EXPECT_EQ(indices.take(), 7U);
}

class RoomPipelineTest : public TwoRooms {
protected:
    std::unique_ptr<Session> session(const char* name) {
        sdp::Policy policy;
        policy.ice = false;
        return std::make_unique<Session>(environment_, name, policy, "127.0.0.1");
    }
    static void fail(GstElement* element) {
        GST_ELEMENT_ERROR(element, STREAM, FORMAT, ("a broken picture"), (nullptr));
    }
};

// The second error is of a leg that the first one ended: the room is none the worse.
TEST_F(RoomPipelineTest, AnErrorOfWhoHasGoneHarmsNobody) {
    const auto gone = session("gone");
    near_room_->attach("gone", gone->bin(), "Gone");
    fail(gone->bin().ivr());
    ASSERT_TRUE(run_until([&] { return !listener_.problems.empty(); }));
    EXPECT_TRUE(listener_.problems.front().starts_with("gone: ")) << listener_.problems.front();
    listener_.problems.clear();

    fail(gone->bin().ivr());
    const auto ivr = ElementPtr::ref(gone->bin().ivr());
    near_room_->detach("gone");
    const auto other = session("other");
    near_room_->attach("other", other->bin(), "Other");
    fail(other->bin().ivr());
    ASSERT_TRUE(run_until([&] { return !listener_.problems.empty(); }));
    EXPECT_EQ(listener_.problems.size(), 1U);
    EXPECT_TRUE(listener_.problems.front().starts_with("other: ")) << listener_.problems.front();
    listener_.problems.clear();
    near_room_->detach("other");
}

TEST(H264Packets, OnlyNalUnitsThatAreTakenPass) {
    gst_init(nullptr, nullptr);
    GstHarness* harness = gst_harness_new("identity");
    drop_unknown_nal_units(PadPtr::adopt(gst_element_get_static_pad(harness->element, "sink")).get());
    gst_harness_set_src_caps_str(harness,
                                 "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000");
    const auto passes = [harness](int type) {
        const unsigned before = gst_harness_buffers_received(harness);
        GstBuffer* packet = gst_rtp_buffer_new_allocate(type < 0 ? 0 : 4, 0, 0);
        if (type >= 0) {
            GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
            gst_rtp_buffer_map(packet, GST_MAP_WRITE, &rtp);
            static_cast<guint8*>(gst_rtp_buffer_get_payload(&rtp))[0] = static_cast<guint8>(0x60 | type);
            gst_rtp_buffer_unmap(&rtp);
        }
        gst_harness_push(harness, packet);
        return gst_harness_buffers_received(harness) == before + 1;
    };
    for (const int type : {1, 5, 7, 8, 23, 24, 25, 28, 29, -1}) {
        EXPECT_TRUE(passes(type)) << type;
    }
    for (const int type : {0, 26, 27, 30, 31}) {
        EXPECT_FALSE(passes(type)) << type;
    }
    GstBuffer* garbage = gst_buffer_new_memdup("\x80", 1);
    gst_harness_push(harness, garbage);
    EXPECT_EQ(gst_harness_buffers_received(harness), 10U);
    gst_harness_teardown(harness);
}

}  // namespace
}  // namespace vmr::media
