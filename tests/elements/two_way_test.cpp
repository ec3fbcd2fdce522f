// pin-ivr and lobby-gate in a row, as in a leg, in a real pipeline with the system's clock: opened, closed,
// typed at and restarted while media runs both ways.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include "base/gst_ptr.hpp"

using namespace vmr;

namespace {

constexpr const char* kLeg =
    "pin-ivr name=pin prompts=/nonexistent speech=false inband=true lobby-gate name=gate "
    "audiotestsrc is-live=true samplesperbuffer=480 ! audio/x-raw,rate=48000,channels=1 ! pin.audio_sink "
    "pin.audio_src ! gate.audio_sink gate.audio_src ! fakesink name=room async=false "
    "videotestsrc is-live=true ! video/x-raw,format=I420,width=160,height=96,framerate=30/1 ! "
    "gate.video_sink "
    "gate.video_src ! fakesink async=false "
    "audiotestsrc name=mix is-live=true samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=1 "
    "! gate.audio_return_sink gate.audio_return_src ! pin.audio_return_sink "
    "pin.audio_return_src ! fakesink name=caller async=false "
    "gate.video_return_src ! pin.video_return_sink pin.video_return_src ! fakesink name=screen async=false";

class TwoWayTest : public testing::Test {
protected:
    void SetUp() override {
        gst_init(nullptr, nullptr);
        pipeline_ = ElementPtr::adopt(gst_parse_launch(kLeg, nullptr));
        ASSERT_TRUE(pipeline_);
        pin_ = named("pin");
        gate_ = named("gate");
    }
    void TearDown() override {
        gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
        const GPtr<GstBus> bus = GPtr<GstBus>::adopt(gst_element_get_bus(pipeline_.get()));
        EXPECT_FALSE(GPtr<GstMessage>::adopt(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR)));
    }
    ElementPtr named(const char* name) const {
        return ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
    }
    static guint64 rendered(const ElementPtr& sink) {
        GstStructure* stats = nullptr;
        g_object_get(sink.get(), "stats", &stats, nullptr);
        guint64 count = 0;
        gst_structure_get_uint64(stats, "rendered", &count);
        gst_structure_free(stats);
        return count;
    }
    // More buffers reach the sink within 10 s.
    static bool flows(const ElementPtr& sink) {
        const guint64 before = rendered(sink);
        const gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
        while (rendered(sink) < before + 3) {
            if (g_get_monotonic_time() > deadline) {
                return false;
            }
            g_thread_yield();
        }
        return true;
    }

    ElementPtr pipeline_, pin_, gate_;
};

}  // namespace

TEST_F(TwoWayTest, CallerHearsAndSeesWhileTheRoomGetsNothingUntilBothAreOpen) {
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    const ElementPtr room = named("room");
    EXPECT_TRUE(flows(named("caller")));
    EXPECT_TRUE(flows(named("screen")));
    EXPECT_EQ(rendered(room), 0U);
    g_signal_emit_by_name(pin_.get(), "accept");
    EXPECT_TRUE(flows(named("caller")));
    EXPECT_EQ(rendered(room), 0U);
    g_object_set(gate_.get(), "open", TRUE, nullptr);
    EXPECT_TRUE(flows(room));
    EXPECT_TRUE(flows(named("caller")));
}

TEST_F(TwoWayTest, OpeningClosingTypingAndPlayingAtAnyTimeIsHarmless) {
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    for (int i = 0; i < 300; ++i) {
        g_object_set(gate_.get(), "open", i % 2 == 0, "reason", i % 3 == 0 ? "held" : "locked", nullptr);
        g_signal_emit_by_name(pin_.get(), "digit", "12#");
        g_signal_emit_by_name(pin_.get(), "play", "joined left");
        if (i % 4 == 0) {
            g_signal_emit_by_name(pin_.get(), "reject", 2U);
        } else if (i % 4 == 1) {
            g_signal_emit_by_name(pin_.get(), "accept");
        } else if (i % 4 == 3) {
            g_signal_emit_by_name(pin_.get(), "ask", "pin");
        }
        if (i % 50 == 0) {
            ASSERT_TRUE(flows(named("caller")));
        }
    }
}

TEST_F(TwoWayTest, RestartsAtAnyTime) {
    for (const GstState state : {GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_READY,
                                 GST_STATE_PLAYING, GST_STATE_NULL, GST_STATE_PLAYING}) {
        ASSERT_NE(gst_element_set_state(pipeline_.get(), state), GST_STATE_CHANGE_FAILURE);
        if (state == GST_STATE_PLAYING) {
            ASSERT_TRUE(flows(named("caller")));
            ASSERT_TRUE(flows(named("screen")));
        }
    }
}
