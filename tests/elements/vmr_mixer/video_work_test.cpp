// What the mixer does for its pictures, and what it need not: by its own counters.
#include "room_pipeline.hpp"

namespace vmr::test {
namespace {

constexpr const char* kSmall = "video/x-raw,format=I420,width=320,height=180";

// Pictures by hand: a source that sends when told to.
class Screen {
public:
    Screen(GstElement* mixer, const char* pad, GstCaps* caps)
        : mixer_(mixer),
          src_(PadPtr::adopt(gst_pad_new("src", GST_PAD_SRC))),
          sink_(PadPtr::adopt(gst_element_request_pad_simple(mixer, pad))) {
        gst_pad_set_active(src_.get(), TRUE);
        EXPECT_EQ(gst_pad_link(src_.get(), sink_.get()), GST_PAD_LINK_OK);
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        gst_pad_push_event(src_.get(), gst_event_new_stream_start("screen"));
        gst_pad_push_event(src_.get(), gst_event_new_caps(caps));
        gst_pad_push_event(src_.get(), gst_event_new_segment(&segment));
    }
    Screen(GstElement* mixer, const char* pad, const std::string& caps)
        : Screen(mixer, pad, CapsPtr::adopt(gst_caps_from_string(caps.c_str())).get()) {}
    Screen(GstElement* mixer, const char* pad)
        : Screen(mixer, pad, std::string("video/x-raw,format=I420,width=64,height=36,framerate=25/1")) {}
    void show(std::uint8_t luma) {
        GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 64 * 36 * 3 / 2, nullptr);
        gst_buffer_memset(buffer, 0, luma, 64 * 36 * 3 / 2);
        send(buffer);
    }
    void send(GstBuffer* buffer) { EXPECT_EQ(gst_pad_push(src_.get(), buffer), GST_FLOW_OK); }
    GstPad* sink() const { return sink_.get(); }
    void leave() { gst_element_release_request_pad(mixer_, sink_.get()); }

private:
    GstElement* mixer_;
    PadPtr src_, sink_;
};

bool red(RoomPipeline::Pixel p) {
    return p.v > 200 && p.u < 130;
}

bool shows(GstSample* sample, int luma) {
    return std::abs(RoomPipeline::pixel(sample, 0.5, 0.3).y - luma) < 3;
}

TEST(MixerVideoWork, AStillViewIsNeitherScaledNorComposedAgain) {
    RoomPipeline room(listener("content_src_0", kSmall, "c0"));
    room.play();
    Screen screen(room.mixer(), "content_sink_1");
    screen.show(120);
    ASSERT_TRUE(room.picture("c0", [](GstSample* s) { return shows(s, 120); }));
    ASSERT_TRUE(wait_for([&] { return room.stat("composites") > 0; }));
    const auto composites = room.stat("composites");
    const auto scales = room.stat("scales");
    const auto ticks = room.stat("video-ticks");
    ASSERT_TRUE(wait_for([&] { return room.stat("video-ticks") > ticks + 20; }));
    EXPECT_EQ(room.stat("composites"), composites);
    EXPECT_EQ(room.stat("scales"), scales);
    screen.show(200);
    EXPECT_TRUE(room.picture("c0", [](GstSample* s) { return shows(s, 200); }));
    EXPECT_TRUE(wait_for([&] { return room.stat("composites") == composites + 1; }));
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

TEST(MixerVideoWork, ViewersOfOneClassShareOneEncodePerFrame) {
    std::string viewers;
    for (unsigned i = 10; i < 30; ++i) {
        viewers += listener("video_src_" + std::to_string(i), "video/x-h264,width=320,height=180",
                            "v" + std::to_string(i));
    }
    RoomPipeline room(camera(0, "0xff0000ff") + viewers);
    room.play();
    for (unsigned i = 10; i < 30; ++i) {
        for (int frame = 0; frame < 15; ++frame) {
            ASSERT_TRUE(room.pull(("v" + std::to_string(i)).c_str()));
        }
    }
    EXPECT_LE(room.stat("video-encodes"), room.stat("video-ticks"));
    EXPECT_TRUE(wait_for([&] { return room.stat("video-encodes") >= 15; }));
    EXPECT_LE(room.stat("scales"), room.stat("video-ticks"));
}

TEST(MixerVideoWork, AStillViewIsEncodedSeldomButAKeyframeComesAtOnce) {
    RoomPipeline room(listener("content_src_0", "video/x-vp8,width=320,height=180", "c0"));
    room.play();
    Screen screen(room.mixer(), "content_sink_1");
    screen.show(120);
    ASSERT_TRUE(room.pull("c0"));
    const auto encodes_in = [&](std::uint64_t frames) {
        const auto ticks = room.stat("video-ticks");
        const auto encodes = room.stat("video-encodes");
        EXPECT_TRUE(wait_for([&] { return room.stat("video-ticks") >= ticks + frames; }));
        return room.stat("video-encodes") - encodes;
    };
    ASSERT_TRUE(wait_for([&] { return encodes_in(5) == 0; }));  // it has become sharp
    EXPECT_LE(encodes_in(50), 12U);                             // two a second, and ticks may be missed
    const ElementPtr sink = room.element("c0");
    const PadPtr pad = PadPtr::adopt(gst_element_get_static_pad(sink.get(), "sink"));
    const auto waits = [&] {
        return GPtr<GstSample>::adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(sink.get()), 0));
    };
    while (waits()) {
    }
    const auto is_keyframe = [](GstSample* sample) {
        return !GST_BUFFER_FLAG_IS_SET(gst_sample_get_buffer(sample), GST_BUFFER_FLAG_DELTA_UNIT);
    };
    // It comes before the next one that would come anyway; not when this thread asks late.
    GstClockTime taken = GST_CLOCK_TIME_NONE;
    for (int attempt = 0; attempt < 10 && taken > 8 * 40 * GST_MSECOND; ++attempt) {
        const auto before = room.pull("c0");
        ASSERT_TRUE(before);
        gst_pad_push_event(pad.get(),
                           gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 1));
        GPtr<GstSample> keyframe;
        ASSERT_TRUE(room.picture("c0", [&](GstSample* sample) {
            keyframe = GPtr<GstSample>::ref(sample);
            return is_keyframe(sample);
        }));
        taken = GST_BUFFER_PTS(gst_sample_get_buffer(keyframe.get())) -
                GST_BUFFER_PTS(gst_sample_get_buffer(before.get()));
    }
    EXPECT_LE(taken, 8 * 40 * GST_MSECOND);
}

TEST(MixerVideoWork, ALateViewerBeginsWithARecentKeyframe) {
    RoomPipeline room(camera(0, "0xffff0000") +
                      listener("video_src_7", "video/x-h264,width=320,height=180", "v7"));
    room.play();
    ASSERT_TRUE(room.pull("v7"));
    ASSERT_TRUE(room.pull("v7"));
    const auto keyframes = room.stat("video-keyframes");
    GError* problem = nullptr;
    GstElement* late = gst_parse_bin_from_description(
        "capsfilter caps=video/x-h264,width=320,height=180 ! h264parse ! avdec_h264 ! appsink name=late "
        "sync=false",
        TRUE, &problem);
    ASSERT_NE(late, nullptr);
    gst_bin_add(GST_BIN(room.pipeline()), late);
    gst_element_sync_state_with_parent(late);
    ASSERT_TRUE(gst_element_link_pads(room.mixer(), "video_src_9", late, "sink"));
    const auto first = room.pull("late");
    ASSERT_TRUE(first);
    EXPECT_TRUE(red(RoomPipeline::pixel(first.get(), 0.5, 0.3)));
    if (room.stat("video-keyframes") == keyframes) {  // else the machine was too slow for a replay
        EXPECT_EQ(room.stat("video-replays"), 1U);
    }
    GstClockTime last = GST_BUFFER_PTS(gst_sample_get_buffer(first.get()));
    for (int i = 0; i < 20; ++i) {
        const auto next = room.pull("late");
        ASSERT_TRUE(next);
        EXPECT_GT(GST_BUFFER_PTS(gst_sample_get_buffer(next.get())), last);
        last = GST_BUFFER_PTS(gst_sample_get_buffer(next.get()));
    }
}

TEST(MixerVideoWork, AViewersClassFollowsItsNetworkDownAndUp) {
    RoomPipeline room(camera(0, "0xffff0000") + listener("video_src_7", "video/x-vp8", "v7") +
                          listener("video_src_8", "video/x-vp8", "v8"),
                      "width=640 height=360 video-bitrate=1000000");
    room.play();
    const auto wide = [&](int width) {
        return [width](GstSample* sample) {
            int found = 0;
            gst_structure_get_int(gst_caps_get_structure(gst_sample_get_caps(sample), 0), "width", &found);
            return found == width;
        };
    };
    const PadPtr viewer = PadPtr::adopt(gst_element_get_static_pad(room.mixer(), "video_src_7"));
    const auto bitrate_class = [&] {
        guint value = 9;
        g_object_get(viewer.get(), "bitrate-class", &value, nullptr);
        return value;
    };
    ASSERT_TRUE(room.picture("v7", wide(640)));
    g_object_set(viewer.get(), "max-bitrate", 150000U, nullptr);
    ASSERT_TRUE(room.picture("v7", wide(320)));
    EXPECT_EQ(bitrate_class(), 2U);
    const ElementPtr sink = room.element("v7");
    const PadPtr pad = PadPtr::adopt(gst_element_get_static_pad(sink.get(), "sink"));
    gst_pad_push_event(pad.get(), gst_event_new_custom(
                                      GST_EVENT_CUSTOM_UPSTREAM,
                                      gst_structure_new("vmr-bitrate", "bitrate", G_TYPE_UINT, 0U, nullptr)));
    EXPECT_TRUE(room.picture("v7", wide(640)));
    EXPECT_TRUE(room.picture("v8", wide(640)));
    EXPECT_EQ(bitrate_class(), 0U);
}

// What a camera is told: the newest vmr-video-wanted, and how often a keyframe was asked for.
struct Told {
    std::mutex lock;
    bool on_stage = false;
    int width = 0, height = 0;
    int keyframes = 0;

    static GstPadProbeReturn on_event_passed(GstPad*, GstPadProbeInfo* info, gpointer data) {
        auto& told = *static_cast<Told*>(data);
        GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
        const std::lock_guard held(told.lock);
        told.keyframes += gst_video_event_is_force_key_unit(event) ? 1 : 0;
        if (gst_event_has_name(event, "vmr-video-wanted")) {
            gboolean on_stage = FALSE;
            gst_structure_get(gst_event_get_structure(event), "on-stage", G_TYPE_BOOLEAN, &on_stage, "width",
                              G_TYPE_INT, &told.width, "height", G_TYPE_INT, &told.height, nullptr);
            told.on_stage = on_stage != FALSE;
        }
        return GST_PAD_PROBE_OK;
    }
    bool is(bool stage, int wide, int high) {
        return wait_for([&] {
            const std::lock_guard held(lock);
            return on_stage == stage && width == wide && height == high;
        });
    }
};

TEST(MixerVideoWork, SendersAreToldWhetherAndHowLargeTheyAreSeen) {
    RoomPipeline room(
        camera(0, "0xffff0000") + camera(1, "0xff0000ff") + listener("video_src_9", kSmall, "v9"),
        "layout=single spotlight=0");
    Told told;
    const PadPtr pad = PadPtr::adopt(gst_element_get_static_pad(room.mixer(), "video_sink_1"));
    const gulong probe = gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
                                           Told::on_event_passed, &told, nullptr);
    room.play();
    ASSERT_TRUE(room.pull("v9"));
    EXPECT_TRUE(told.is(false, 0, 0));
    EXPECT_EQ(told.keyframes, 0);
    g_object_set(room.mixer(), "spotlight", 1, nullptr);
    EXPECT_TRUE(told.is(true, 320, 180));
    EXPECT_TRUE(wait_for([&] {
        const std::lock_guard held(told.lock);
        return told.keyframes == 1;
    }));
    gst_util_set_object_arg(G_OBJECT(room.mixer()), "layout", "equal");
    EXPECT_TRUE(told.is(true, 160, 90));
    gboolean on_stage = FALSE;
    g_object_get(pad.get(), "on-stage", &on_stage, nullptr);
    EXPECT_TRUE(on_stage);
    g_object_set(pad.get(), "visible", FALSE, nullptr);
    EXPECT_TRUE(told.is(false, 0, 0));
    room.stop();
    gst_pad_remove_probe(pad.get(), probe);
}

// A camera that comes encoded, with a keyframe at its start and whenever it is asked for one.
std::string coded_camera(unsigned index, const char* colour, const std::string& codec) {
    const std::string encoder =
        codec == "vp8" ? "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=2000 "
                       : "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=2000 ! "
                         "video/x-h264,profile=constrained-baseline,stream-format=byte-stream,alignment=au ";
    return std::string(" videotestsrc is-live=true pattern=solid-color foreground-color=") + colour +
           " ! video/x-raw,format=I420,framerate=25/1,width=320,height=180 ! " + encoder +
           " ! m.video_sink_" + std::to_string(index) + " ";
}

class MixerVideoDecode : public testing::TestWithParam<const char*> {};

TEST_P(MixerVideoDecode, OnlyWhoIsOnStageIsDecodedAndWhoEntersIsSeenSoon) {
    RoomPipeline room(coded_camera(0, "0xffff0000", GetParam()) + coded_camera(1, "0xff0000ff", GetParam()) +
                          listener("video_src_9", kSmall, "v9"),
                      "layout=single spotlight=0 transitions=false");
    room.play();
    const auto is_red = [](GstSample* s) { return red(RoomPipeline::pixel(s, 0.5, 0.3)); };
    const auto is_blue = [](GstSample* s) { return RoomPipeline::pixel(s, 0.5, 0.3).u > 200; };
    ASSERT_TRUE(room.picture("v9", is_red));
    const auto undecoded = room.stat("video-undecoded");
    ASSERT_TRUE(wait_for([&] { return room.stat("video-undecoded") >= undecoded + 20; }));

    g_object_set(room.mixer(), "spotlight", 1, nullptr);
    ASSERT_TRUE(room.picture("v9", is_blue));  // no keyframe comes unless asked for
    g_object_set(room.mixer(), "spotlight", 0, nullptr);
    EXPECT_TRUE(room.picture("v9", is_red));
}

TEST_P(MixerVideoDecode, WithoutViewersNothingIsDecoded) {
    RoomPipeline room(coded_camera(0, "0xffff0000", GetParam()) + listener("audio_src_9", kAudioCaps, "a9"));
    room.play();
    ASSERT_TRUE(wait_for([&] { return room.stat("video-undecoded") >= 20; }));
    EXPECT_EQ(room.stat("video-decodes"), 0U);
    EXPECT_EQ(room.stat("scales"), 0U);
}

TEST_P(MixerVideoDecode, GarbageHarmsNobody) {
    RoomPipeline room(camera(1, "0xff0000ff") + listener("video_src_9", kSmall, "v9"), "layout=equal");
    room.play();
    Screen garbage(room.mixer(), "video_sink_0",
                   std::string(GetParam()) == "vp8" ? "video/x-vp8"
                                                    : "video/x-h264,stream-format=byte-stream,alignment=au");
    ASSERT_TRUE(wait_for([&] {
        gboolean on_stage = FALSE;
        g_object_get(garbage.sink(), "on-stage", &on_stage, nullptr);
        return on_stage != FALSE;
    }));
    std::uint32_t random = 1;
    for (std::size_t size = 0; size < 200; ++size) {
        std::vector<std::uint8_t> bytes(1 + size * 7 % 300);
        for (std::uint8_t& byte : bytes) {
            random = random * 1664525U + 1013904223U;
            byte = static_cast<std::uint8_t>(random >> 24U);
        }
        garbage.send(gst_buffer_new_memdup(bytes.data(), bytes.size()));
    }
    EXPECT_TRUE(room.picture("v9", [](GstSample* s) { return RoomPipeline::pixel(s, 0.75, 0.4).u > 200; }));
    garbage.leave();
    EXPECT_TRUE(room.picture("v9", [](GstSample* s) { return RoomPipeline::pixel(s, 0.25, 0.4).u > 200; }));
}

// Frames of theirs are in the decoder's hands then, large enough to keep it busy.
TEST_P(MixerVideoDecode, WhoLeavesWhileTheyAreDecodedHarmsNobody) {
    RoomPipeline room(camera(1, "0xff0000ff") + listener("video_src_9", kSmall, "v9"), "layout=equal");
    room.play();
    const bool vp8 = std::string(GetParam()) == "vp8";
    const ElementPtr source = ElementPtr::adopt(gst_parse_launch(
        (std::string("videotestsrc num-buffers=1 pattern=snow ! video/x-raw,width=1920,height=1080 ! ") +
         (vp8 ? "vp8enc deadline=1"
              : "x264enc speed-preset=ultrafast ! video/x-h264,stream-format=byte-stream") +
         " ! appsink name=frame sync=false")
            .c_str(),
        nullptr));
    gst_element_set_state(source.get(), GST_STATE_PLAYING);
    GstSample* made = nullptr;
    g_signal_emit_by_name(ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(source.get()), "frame")).get(),
                          "pull-sample", &made);
    ASSERT_NE(made, nullptr);
    const std::unique_ptr<GstSample, decltype(&gst_sample_unref)> frame(made, gst_sample_unref);
    gst_element_set_state(source.get(), GST_STATE_NULL);
    for (int i = 0; i < 20; ++i) {
        Screen leaver(room.mixer(), "video_sink_0", gst_sample_get_caps(made));
        const auto send = [&] { leaver.send(gst_buffer_copy(gst_sample_get_buffer(made))); };
        const auto decodes = room.stat("video-decodes");
        ASSERT_TRUE(wait_for([&] {
            send();  // none counts before they are on stage
            return room.stat("video-decodes") > decodes;
        }));
        for (int frames = 0; frames < 8; ++frames) {
            send();
        }
        leaver.leave();
    }
    EXPECT_TRUE(room.picture("v9", [](GstSample* s) { return RoomPipeline::pixel(s, 0.25, 0.4).u > 200; }));
}

INSTANTIATE_TEST_SUITE_P(Codecs, MixerVideoDecode, testing::Values("vp8", "h264"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace vmr::test
