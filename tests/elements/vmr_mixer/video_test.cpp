// What participants see.
#include <cmath>

#include "room_pipeline.hpp"

namespace vmr::test {
namespace {

constexpr const char* kSmall = "video/x-raw,format=I420,width=320,height=180";

// BT.601 limited range.
bool red(RoomPipeline::Pixel p) {
    return p.v > 200 && p.u < 130;
}
bool blue(RoomPipeline::Pixel p) {
    return p.u > 200 && p.v < 140;
}
bool green(RoomPipeline::Pixel p) {
    return p.u < 90 && p.v < 90 && p.y > 90;
}
bool has(GstSample* sample, bool (*colour)(RoomPipeline::Pixel)) {
    for (double y = 0.05; y < 1.0; y += 0.1) {
        for (double x = 0.05; x < 1.0; x += 0.1) {
            if (colour(RoomPipeline::pixel(sample, x, y))) {
                return true;
            }
        }
    }
    return false;
}

const std::string kThree = camera(0, "0xffff0000") + camera(1, "0xff0000ff") + camera(2, "0xff00ff00");

class MixerVideoLayout : public testing::TestWithParam<const char*> {};

TEST_P(MixerVideoLayout, EveryoneSeesTheOthersOnly) {
    RoomPipeline room(kThree + listener("video_src_0", kSmall, "v0") + listener("video_src_1", kSmall, "v1") +
                          listener("video_src_9", kSmall, "v9"),
                      std::string("layout=") + GetParam());
    room.play();
    EXPECT_TRUE(
        room.picture("v0", [](GstSample* s) { return has(s, blue) && has(s, green) && !has(s, red); }));
    EXPECT_TRUE(
        room.picture("v1", [](GstSample* s) { return has(s, red) && has(s, green) && !has(s, blue); }));
    EXPECT_TRUE(
        room.picture("v9", [](GstSample* s) { return has(s, red) && has(s, green) && has(s, blue); }));
    for (int i = 0; i < 10; ++i) {
        const auto own = room.pull("v0");
        ASSERT_TRUE(own);
        EXPECT_FALSE(has(own.get(), red));
    }
}

INSTANTIATE_TEST_SUITE_P(Layouts, MixerVideoLayout, testing::Values("equal", "speaker"),
                         [](const auto& info) { return std::string(info.param); });

struct VideoCodec {
    const char* name;
    const char* tail;
};
class MixerVideoCodec : public testing::TestWithParam<VideoCodec> {};

TEST_P(MixerVideoCodec, DecodesToTheOthers) {
    RoomPipeline room(camera(0, "0xffff0000") + camera(1, "0xff0000ff") +
                      listener("video_src_0",
                               std::string(GetParam().tail) + " ! videoconvert ! video/x-raw,format=I420",
                               "v0"));
    room.play();
    EXPECT_TRUE(room.picture(
        "v0", [](GstSample* s) { return blue(RoomPipeline::pixel(s, 0.5, 0.3)) && !has(s, red); }));
}

INSTANTIATE_TEST_SUITE_P(
    Codecs, MixerVideoCodec,
    testing::Values(VideoCodec{"vp8", "video/x-vp8,width=320,height=180 ! rtpvp8pay ! rtpvp8depay ! vp8dec"},
                    VideoCodec{"h264",
                               "video/x-h264,width=320,height=180 ! rtph264pay ! rtph264depay ! avdec_h264"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(MixerVideo, ViewersOfOneViewShareOneEncodeAndNewOnesGetAKeyframe) {
    RoomPipeline room(camera(0, "0xffff0000") +
                      listener("video_src_7", "video/x-vp8,width=320,height=180", "v7") +
                      listener("video_src_8", "video/x-vp8,width=320,height=180", "v8"));
    room.play();
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(room.pull("v7"));
        ASSERT_TRUE(room.pull("v8"));
    }
    EXPECT_LE(room.stat("video-encodes"), room.stat("video-ticks"));
    EXPECT_LE(room.stat("composites"), room.stat("video-ticks"));

    GError* problem = nullptr;
    GstElement* late = gst_parse_bin_from_description(
        "capsfilter caps=video/x-vp8,width=320,height=180 ! appsink name=late sync=false", TRUE, &problem);
    ASSERT_NE(late, nullptr);
    gst_bin_add(GST_BIN(room.pipeline()), late);
    gst_element_sync_state_with_parent(late);
    ASSERT_TRUE(gst_element_link_pads(room.mixer(), "video_src_9", late, "sink"));
    const auto first = room.pull("late");
    ASSERT_TRUE(first);
    EXPECT_FALSE(GST_BUFFER_FLAG_IS_SET(gst_sample_get_buffer(first.get()), GST_BUFFER_FLAG_DELTA_UNIT));
}

TEST(MixerVideo, KeyframeRequestsAreCoalesced) {
    RoomPipeline room(camera(0, "0xffff0000") +
                      listener("video_src_7", "video/x-vp8,width=320,height=180", "v7"));
    room.play();
    const ElementPtr sink = room.element("v7");
    const PadPtr pad = PadPtr::adopt(gst_element_get_static_pad(sink.get(), "sink"));
    unsigned keyframes = 0;
    GstClockTime first = GST_CLOCK_TIME_NONE, last = 0;
    // Two seconds at least; pictures that waited here were made before they were asked for.
    for (int i = 0; i < 50 || (i < 500 && keyframes < 3); ++i) {
        const auto sample = room.pull("v7");
        ASSERT_TRUE(sample);
        last = GST_BUFFER_PTS(gst_sample_get_buffer(sample.get()));
        first = i == 0 ? last : first;
        keyframes +=
            GST_BUFFER_FLAG_IS_SET(gst_sample_get_buffer(sample.get()), GST_BUFFER_FLAG_DELTA_UNIT) ? 0 : 1;
        gst_pad_push_event(pad.get(),
                           gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 1));
    }
    EXPECT_GE(keyframes, 3U);
    EXPECT_LE(keyframes, (last - first) / (500 * GST_MSECOND) + 2);
}

TEST(MixerVideo, AudioOnlyParticipantHasAPlaceholderAndHiddenOneHasNone) {
    RoomPipeline room(talker(4, 400) + camera(0, "0xffff0000") + listener("video_src_9", kSmall, "v9"),
                      "layout=equal audio_sink_4::display-name=Grace");
    room.play();
    const auto right_tile_used = [](GstSample* s) {
        return std::abs(RoomPipeline::pixel(s, 0.55, 0.5).y - 24) > 3;
    };
    EXPECT_TRUE(room.picture("v9", right_tile_used));
    const PadPtr pad = PadPtr::adopt(gst_element_get_static_pad(room.mixer(), "audio_sink_4"));
    g_object_set(pad.get(), "visible", FALSE, nullptr);
    EXPECT_TRUE(room.picture("v9", [](GstSample* s) { return red(RoomPipeline::pixel(s, 0.55, 0.5)); }));
}

TEST(MixerVideo, ContentGoesToAllButItsSender) {
    RoomPipeline room(camera(0, "0xffff0000") + camera(1, "0xff0000ff", 320, 180, "content") +
                      listener("content_src_0", kSmall, "c0") + listener("content_src_1", kSmall, "c1") +
                      listener("video_src_9", kSmall, "v9"));
    room.play();
    EXPECT_TRUE(room.picture("c0", [](GstSample* s) { return blue(RoomPipeline::pixel(s, 0.5, 0.5)); }));
    EXPECT_TRUE(room.picture("v9", [](GstSample* s) { return red(RoomPipeline::pixel(s, 0.5, 0.5)); }));
    const ElementPtr own = room.element("c1");
    const auto none = GPtr<GstSample>::adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(own.get()), 0));
    EXPECT_FALSE(none);
    gst_util_set_object_arg(G_OBJECT(room.mixer()), "layout", "content");
    EXPECT_TRUE(room.picture(
        "v9", [](GstSample* s) { return blue(RoomPipeline::pixel(s, 0.5, 0.3)) && has(s, red); }));
}

TEST(MixerVideo, ABannerIsShownOnEveryViewAndGoesAway) {
    RoomPipeline room(camera(0, "0xff0000ff") + listener("video_src_0", kSmall, "v0") +
                      listener("video_src_9", kSmall, "v9"));
    room.play();
    ASSERT_TRUE(room.picture("v9", [](GstSample* s) { return blue(RoomPipeline::pixel(s, 0.5, 0.04)); }));
    g_signal_emit_by_name(room.mixer(), "banner", "Ada Lovelace joined the meeting", 1500U);
    const auto covered = [](GstSample* s) { return !blue(RoomPipeline::pixel(s, 0.45, 0.05)); };
    EXPECT_TRUE(room.picture("v9", covered));
    EXPECT_TRUE(room.picture("v0", covered));
    EXPECT_TRUE(room.picture("v9", [&](GstSample* s) { return !covered(s); }));
}

TEST(MixerVideo, APadlockIsDrawnOnTilesAndInTheCorner) {
    RoomPipeline room(camera(0, "0xff0000ff", 640, 360) +
                      listener("video_src_9", "video/x-raw,format=I420,width=640,height=360", "v9"));
    room.play();
    const auto all_blue = [](GstSample* s, double x0, double x1, double y0, double y1) {
        for (double y = y0; y < y1; y += 0.01) {
            for (double x = x0; x < x1; x += 0.01) {
                if (!blue(RoomPipeline::pixel(s, x, y))) {
                    return false;
                }
            }
        }
        return true;
    };
    const auto bare = [&](GstSample* s) {
        return all_blue(s, 0.9, 1.0, 0.0, 0.1) && all_blue(s, 0.0, 0.1, 0.85, 1.0);
    };
    ASSERT_TRUE(room.picture("v9", bare));
    gst_util_set_object_arg(G_OBJECT(room.mixer()), "padlock", "struck");
    EXPECT_TRUE(room.picture("v9", [&](GstSample* s) { return !all_blue(s, 0.9, 1.0, 0.0, 0.1); }));
    const PadPtr pad = PadPtr::adopt(gst_element_get_static_pad(room.mixer(), "video_sink_0"));
    gst_util_set_object_arg(G_OBJECT(pad.get()), "padlock", "closed");
    EXPECT_TRUE(room.picture("v9", [&](GstSample* s) { return !all_blue(s, 0.0, 0.1, 0.85, 1.0); }));
    gst_util_set_object_arg(G_OBJECT(room.mixer()), "padlock", "none");
    gst_util_set_object_arg(G_OBJECT(pad.get()), "padlock", "none");
    EXPECT_TRUE(room.picture("v9", bare));
}

TEST(MixerVideo, ACameraThatStopsBecomesAPlaceholder) {
    RoomPipeline room(camera(0, "0xffff0000") + listener("video_src_9", kSmall, "v9"));
    room.play();
    EXPECT_TRUE(room.picture("v9", [](GstSample* s) { return red(RoomPipeline::pixel(s, 0.1, 0.3)); }));
    const PadPtr pad = PadPtr::adopt(gst_element_get_static_pad(room.mixer(), "video_sink_0"));
    const gulong probe = gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_DROP; }, nullptr, nullptr);
    EXPECT_TRUE(room.picture("v9", [](GstSample* s) { return !red(RoomPipeline::pixel(s, 0.1, 0.3)); }));
    gst_pad_remove_probe(pad.get(), probe);
    EXPECT_TRUE(room.picture("v9", [](GstSample* s) { return red(RoomPipeline::pixel(s, 0.1, 0.3)); }));
}

}  // namespace
}  // namespace vmr::test
