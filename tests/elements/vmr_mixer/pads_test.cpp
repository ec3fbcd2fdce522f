// Pads that come and go in PLAYING.
#include <atomic>

#include "room_pipeline.hpp"

namespace vmr::test {
namespace {

std::string leg_description() {
    return std::string("audiotestsrc is-live=true samplesperbuffer=960 ! ") + kAudioCaps +
           " ! identity name=ao videotestsrc is-live=true ! "
           "video/x-raw,format=I420,width=160,height=90,framerate=25/1 "
           "! identity name=vo  identity name=ai ! audio/x-opus ! fakesink async=false  identity name=vi ! "
           "video/x-vp8,width=160,height=90 ! fakesink async=false";
}

struct Leg {
    GstElement* bin = nullptr;
    std::vector<PadPtr> mixer_pads;
};

// As an application does it: bin in, pads requested and linked, state synchronised.
Leg join(const RoomPipeline& room, unsigned index) {
    Leg leg;
    GError* problem = nullptr;
    leg.bin = gst_parse_bin_from_description(leg_description().c_str(), FALSE, &problem);
    EXPECT_EQ(problem, nullptr);
    for (const auto& [name, pad] : {std::pair{"ao", "src"}, {"vo", "src"}, {"ai", "sink"}, {"vi", "sink"}}) {
        const ElementPtr element = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(leg.bin), name));
        const PadPtr inner = PadPtr::adopt(gst_element_get_static_pad(element.get(), pad));
        GstPad* ghost = gst_ghost_pad_new(name, inner.get());
        gst_element_add_pad(leg.bin, ghost);
    }
    gst_bin_add(GST_BIN(room.pipeline()), leg.bin);
    for (const auto& [ghost_name, templ] : {std::pair{"ao", "audio_sink_%u"},
                                            {"vo", "video_sink_%u"},
                                            {"ai", "audio_src_%u"},
                                            {"vi", "video_src_%u"}}) {
        const GCharPtr name(g_strdup_printf(templ, index));
        const PadPtr pad = PadPtr::adopt(gst_element_request_pad_simple(room.mixer(), name.get()));
        const PadPtr ghost = PadPtr::adopt(gst_element_get_static_pad(leg.bin, ghost_name));
        const bool source = GST_PAD_IS_SRC(pad.get());
        EXPECT_EQ(gst_pad_link(source ? pad.get() : ghost.get(), source ? ghost.get() : pad.get()),
                  GST_PAD_LINK_OK);
        leg.mixer_pads.push_back(pad);
    }
    gst_element_sync_state_with_parent(leg.bin);
    return leg;
}

void leave(const RoomPipeline& room, Leg& leg, bool pads_first) {
    const auto release = [&] {
        for (const PadPtr& pad : leg.mixer_pads) {
            gst_element_release_request_pad(room.mixer(), pad.get());
        }
    };
    if (pads_first) {
        release();
    }
    gst_element_set_state(leg.bin, GST_STATE_NULL);
    gst_bin_remove(GST_BIN(room.pipeline()), leg.bin);
    if (!pads_first) {
        release();
    }
    leg.bin = nullptr;
}

unsigned threads() {
    unsigned count = 0;
    GDir* tasks = g_dir_open("/proc/self/task", 0, nullptr);
    while (g_dir_read_name(tasks) != nullptr) {
        ++count;
    }
    g_dir_close(tasks);
    return count;
}

TEST(MixerPads, AHundredJoinAndLeaveWithoutLeaksOrGaps) {
    RoomPipeline room(talker(0, 400) + listener("audio_src_1", kAudioCaps, "a1"));
    room.play();
    ASSERT_TRUE(room.pull("a1"));
    std::vector<GWeakRef> watched(400);
    std::size_t next = 0;
    unsigned steady = 0;
    for (unsigned cycle = 0; cycle < 100; ++cycle) {
        Leg leg = join(room, 2 + cycle % 5);
        for (const PadPtr& pad : leg.mixer_pads) {
            g_weak_ref_init(&watched[next++], pad.get());
        }
        if (cycle % 10 == 0) {  // let some of them really run
            const std::uint64_t encodes = room.stat("video-encodes");
            EXPECT_TRUE(wait_for([&] { return room.stat("video-encodes") > encodes; }));
        }
        leave(room, leg, cycle % 2 == 0);
        if (cycle == 20) {
            steady = threads();
        }
    }
    EXPECT_TRUE(wait_for([&] { return threads() <= steady + 2; }));
    const auto all_gone = [&] {
        for (GWeakRef& reference : watched) {
            if (gpointer alive = g_weak_ref_get(&reference)) {
                g_object_unref(alive);
                return false;
            }
        }
        return true;
    };
    EXPECT_TRUE(wait_for(all_gone));
    // Whoever stayed heard every tick.
    GstClockTime last = GST_CLOCK_TIME_NONE;
    for (int i = 0; i < 100; ++i) {
        const auto sample = room.pull("a1");
        ASSERT_TRUE(sample);
        const GstClockTime pts = GST_BUFFER_PTS(gst_sample_get_buffer(sample.get()));
        EXPECT_TRUE(last == GST_CLOCK_TIME_NONE || pts - last == 20 * GST_MSECOND);
        last = pts;
    }
    for (GWeakRef& reference : watched) {
        g_weak_ref_clear(&reference);
    }
    room.stop();
    EXPECT_EQ(GST_OBJECT_REFCOUNT_VALUE(room.mixer()), 2);  // the bin's and ours
}

TEST(MixerPads, FromManyThreadsAtOnce) {
    RoomPipeline room(talker(0, 400) + listener("audio_src_1", kAudioCaps, "a1"));
    room.play();
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t) {
        threads.emplace_back([&room, t] {
            for (unsigned i = 0; i < 100; ++i) {
                for (const char* templ :
                     {"audio_sink_%u", "video_src_%u", "audio_src_%u", "content_sink_%u"}) {
                    const GCharPtr name(g_strdup_printf(templ, 10 + t));
                    const PadPtr pad =
                        PadPtr::adopt(gst_element_request_pad_simple(room.mixer(), name.get()));
                    ASSERT_TRUE(pad);
                    gst_element_release_request_pad(room.mixer(), pad.get());
                }
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_TRUE(room.pull("a1"));
}

TEST(MixerPads, ReleasingABlockedPadDoesNotDeadlock) {
    RoomPipeline room(talker(0, 400) + listener("audio_src_1", kAudioCaps, "a1"));
    room.play();
    Leg leg = join(room, 3);
    const PadPtr pad = leg.mixer_pads[2];
    std::atomic<bool> blocked = false;
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM,
        [](GstPad*, GstPadProbeInfo*, gpointer flag) {
            *static_cast<std::atomic<bool>*>(flag) = true;
            return GST_PAD_PROBE_OK;
        },
        &blocked, nullptr);
    EXPECT_TRUE(wait_for([&] { return blocked.load(); }));
    leave(room, leg, true);
    EXPECT_TRUE(room.pull("a1"));
}

TEST(MixerPads, NamesAreCheckedAndFreeIndicesFound) {
    RoomPipeline room(" fakesrc ! fakesink ");
    const PadPtr first = PadPtr::adopt(gst_element_request_pad_simple(room.mixer(), "audio_sink_%u"));
    const PadPtr second = PadPtr::adopt(gst_element_request_pad_simple(room.mixer(), "audio_sink_%u"));
    EXPECT_STREQ(GST_PAD_NAME(first.get()), "audio_sink_0");
    EXPECT_STREQ(GST_PAD_NAME(second.get()), "audio_sink_1");
    GstPadTemplate* templ = gst_element_get_pad_template(room.mixer(), "audio_sink_%u");
    EXPECT_EQ(gst_element_request_pad(room.mixer(), templ, "audio_sink_99999999", nullptr), nullptr);
}

TEST(MixerPads, LatencyIsLive) {
    RoomPipeline room(listener("audio_src_0", kAudioCaps, "a0"));
    room.play();
    ASSERT_TRUE(room.pull("a0"));
    const PadPtr pad = PadPtr::adopt(gst_element_get_static_pad(room.mixer(), "audio_src_0"));
    const GPtr<GstQuery> query = GPtr<GstQuery>::adopt(gst_query_new_latency());
    ASSERT_TRUE(gst_pad_query(pad.get(), query.get()));
    gboolean live = FALSE;
    GstClockTime least = 0;
    GstClockTime most = 0;
    gst_query_parse_latency(query.get(), &live, &least, &most);
    EXPECT_TRUE(live);
    EXPECT_EQ(least, 20 * GST_MSECOND);
    EXPECT_EQ(most, GST_CLOCK_TIME_NONE);
}

TEST(MixerPads, EveryStateAndBack) {
    RoomPipeline room(talker(0, 400) + camera(0, "0xffff0000") + listener("audio_src_1", kAudioCaps, "a1"));
    for (int i = 0; i < 3; ++i) {
        room.play();
        ASSERT_TRUE(room.pull("a1"));
        gst_element_set_state(room.pipeline(), i == 1 ? GST_STATE_PAUSED : GST_STATE_NULL);
    }
    for (const GstState state : {GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_PAUSED,
                                 GST_STATE_PLAYING, GST_STATE_READY, GST_STATE_NULL, GST_STATE_PLAYING}) {
        EXPECT_NE(gst_element_set_state(room.pipeline(), state), GST_STATE_CHANGE_FAILURE);
    }
}

}  // namespace
}  // namespace vmr::test
