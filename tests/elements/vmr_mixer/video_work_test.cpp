// What the mixer does for its pictures, and what it need not: by its own counters.
#include "room_pipeline.hpp"

namespace vmr::test {
namespace {

constexpr const char* kSmall = "video/x-raw,format=I420,width=320,height=180";

// Pictures by hand: a source that sends when told to.
class Screen {
public:
    explicit Screen(GstElement* mixer, const char* pad)
        : src_(PadPtr::adopt(gst_pad_new("src", GST_PAD_SRC))) {
        const PadPtr sink = PadPtr::adopt(gst_element_request_pad_simple(mixer, pad));
        gst_pad_set_active(src_.get(), TRUE);
        EXPECT_EQ(gst_pad_link(src_.get(), sink.get()), GST_PAD_LINK_OK);
        const CapsPtr caps =
            CapsPtr::adopt(gst_caps_from_string("video/x-raw,format=I420,width=64,height=36,framerate=25/1"));
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        gst_pad_push_event(src_.get(), gst_event_new_stream_start("screen"));
        gst_pad_push_event(src_.get(), gst_event_new_caps(caps.get()));
        gst_pad_push_event(src_.get(), gst_event_new_segment(&segment));
    }
    void show(std::uint8_t luma) {
        GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 64 * 36 * 3 / 2, nullptr);
        gst_buffer_memset(buffer, 0, luma, 64 * 36 * 3 / 2);
        EXPECT_EQ(gst_pad_push(src_.get(), buffer), GST_FLOW_OK);
    }

private:
    PadPtr src_;
};

bool shows(GstSample* sample, int luma) {
    return std::abs(RoomPipeline::pixel(sample, 0.5, 0.3).y - luma) < 3;
}

TEST(MixerVideoWork, AStillViewIsNeitherScaledNorComposedAgain) {
    RoomPipeline room(listener("content_src_0", kSmall, "c0"));
    room.play();
    Screen screen(room.mixer(), "content_sink_1");
    screen.show(120);
    ASSERT_TRUE(room.picture("c0", [](GstSample* s) { return shows(s, 120); }));
    const auto composites = room.stat("composites");
    const auto scales = room.stat("scales");
    const auto ticks = room.stat("video-ticks");
    ASSERT_TRUE(wait_for([&] { return room.stat("video-ticks") > ticks + 20; }));
    EXPECT_EQ(room.stat("composites"), composites);
    EXPECT_EQ(room.stat("scales"), scales);
    screen.show(200);
    EXPECT_TRUE(room.picture("c0", [](GstSample* s) { return shows(s, 200); }));
    EXPECT_EQ(room.stat("composites"), composites + 1);
    EXPECT_EQ(room.stat("scales"), scales + 1);
}

TEST(MixerVideoWork, ASourceIsScaledOnceForAllViewsAndNotWhileOffStage) {
    std::string people;
    std::string viewers;
    for (unsigned i = 0; i < 12; ++i) {  // the speaker's stage has eight places
        people += camera(i, "0xff0000ff");
        viewers += listener("video_src_" + std::to_string(i), kSmall, "v" + std::to_string(i));
    }
    RoomPipeline room(people + viewers, "max-views=0");
    room.play();
    ASSERT_TRUE(wait_for([&] { return room.stat("scales") >= 8; }));
    const auto scales = room.stat("scales");
    const auto ticks = room.stat("video-ticks");
    ASSERT_TRUE(wait_for([&] { return room.stat("video-ticks") >= ticks + 30; }));
    EXPECT_LE(room.stat("scales") - scales, 8 * (room.stat("video-ticks") - ticks + 1));
}

}  // namespace
}  // namespace vmr::test
