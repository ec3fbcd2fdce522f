// Legs are served in place, by whoever pushes and by whoever asks.
#include "rtp_bench.hpp"

using namespace vmr;
using namespace vmr::test;

namespace {

bool promises_to_drain(RtpBench& io, const char* src_pad) {
    const auto query =
        GPtr<GstQuery>::adopt(gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty("vmr-drain")));
    return gst_pad_query(io.pad(src_pad).get(), query.get()) != FALSE;
}

bool drain(RtpBench& io, const char* src_pad) {
    GstEvent* event = gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty("vmr-drain"));
    return gst_pad_push_event(io.outlet(src_pad).pad.get(), event) != FALSE;
}

std::uint64_t count_of(GstElement* element, const char* field) {
    GstStructure* stats = nullptr;
    g_object_get(element, "stats", &stats, nullptr);
    const StructurePtr owned(stats);
    guint64 count = 0;
    gst_structure_get_uint64(stats, field, &count);
    return count;
}

}  // namespace

TEST(RtpIoInPlace, WhatIsPushedHasBeenSentWhenThePushReturns) {
    const Stranger peer;
    RtpBench io;
    io.aim("sink_0", peer.port());
    io.play();
    io.say("sink_0", rtp_octets(1));
    EXPECT_EQ(io.stat("sink_0", "packets-sent"), 1);
    EXPECT_EQ(peer.receive(), rtp_octets(1));
}

TEST(RtpIoInPlace, WhoAsksGetsWhatHasComeAtOnceWithTheTimeItCame) {
    const Stranger peer;
    RtpBench io;
    Outlet& heard = io.hear("src_0");
    io.aim("src_0", peer.port());
    io.play();
    ASSERT_TRUE(promises_to_drain(io, "src_0"));
    EXPECT_TRUE(drain(io, "src_0"));  // from here on the workers stand aside
    EXPECT_EQ(heard.count(), 0u);
    for (unsigned i = 0; i < 20; ++i) {  // more than a batch
        peer.send(io.port("src_0"), rtp_octets(i));
    }
    EXPECT_TRUE(drain(io, "src_0"));
    const auto buffers = heard.take();
    ASSERT_EQ(buffers.size(), 20u);
    for (unsigned i = 0; i < 20; ++i) {
        EXPECT_EQ(octets_of(buffers[i].get()), rtp_octets(i));
        EXPECT_TRUE(GST_BUFFER_PTS_IS_VALID(buffers[i].get()));
    }
}

// The bench's clock stands still at 10 s, the kernel's does not: what waited has come before.
TEST(RtpIoInPlace, APacketThatWaitedSaysHowLong) {
    const Stranger peer;
    RtpBench io;
    Outlet& heard = io.hear("src_0");
    io.aim("src_0", peer.port());
    io.play();
    io.set_time(10 * GST_SECOND);
    EXPECT_TRUE(drain(io, "src_0"));
    unsigned sequence = 0;
    // The kernel begins to note times a moment after it was asked to.
    EXPECT_TRUE(eventually([&] {
        peer.send(io.port("src_0"), rtp_octets(++sequence));
        const gint64 sent = g_get_monotonic_time();
        EXPECT_TRUE(eventually([&] { return g_get_monotonic_time() - sent > 20'000; }));
        EXPECT_TRUE(drain(io, "src_0"));
        const auto waited = (g_get_monotonic_time() - sent + 1000) * 1000;
        const auto buffers = heard.take();
        EXPECT_EQ(buffers.size(), 1u);
        const auto age = static_cast<gint64>(10 * GST_SECOND - GST_BUFFER_PTS(buffers.front().get()));
        EXPECT_LE(age, waited);
        return age >= 19 * 1'000'000;
    }));
}

TEST(RtpIoInPlace, WhenNobodyAsksAnyMoreTheWorkersReceiveAgain) {
    const Stranger peer;
    RtpBench io;
    Outlet& heard = io.hear("src_0");
    io.aim("src_0", peer.port());
    io.play();
    EXPECT_TRUE(drain(io, "src_0"));
    peer.send(io.port("src_0"), rtp_octets(1));
    EXPECT_TRUE(heard.wait_for(1));
    peer.send(io.port("src_0"), rtp_octets(2));
    EXPECT_TRUE(heard.wait_for(2));
    peer.send(io.port("src_0"), rtp_octets(3));  // and somebody does again
    EXPECT_TRUE(eventually([&] { return drain(io, "src_0") && heard.count() == 3; }));
}

TEST(RtpIoInPlace, ASocketThatChangesWhileOthersReceiveIsWatched) {
    const Stranger peer;
    RtpBench io;
    Outlet& heard = io.hear("src_0");
    io.aim("src_0", peer.port());
    io.play();
    EXPECT_TRUE(drain(io, "src_0"));
    g_object_set(io.pad("src_0").get(), "local-port", 0u, nullptr);
    peer.send(io.port("src_0"), rtp_octets(1));
    EXPECT_TRUE(heard.wait_for(1));
}

TEST(RtpIoInPlace, ReleasedWhileAnotherThreadAsks) {
    const Stranger peer;
    RtpBench io;
    io.play();
    std::atomic<bool> stop = false;
    for (unsigned round = 0; round < 50; ++round) {
        const PadPtr src = io.pad("src_0");
        io.aim("src_0", peer.port());
        std::atomic<unsigned> asked = 0;
        std::thread asker([&] {
            while (!stop) {
                gst_pad_send_event(src.get(), gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                                                                   gst_structure_new_empty("vmr-drain")));
                ++asked;
            }
        });
        EXPECT_TRUE(eventually([&] { return asked > 3; }));
        io.release("src_0");
        stop = true;
        asker.join();
        stop = false;
    }
}

// vmr-rtp-io around vmr-mixer: two in a room, each with a socket of their own.
TEST(RtpIoInPlace, ASmallRoomWakesNoWorker) {
    gst_init(nullptr, nullptr);
    const ElementPtr pipeline = ElementPtr::adopt(gst_pipeline_new(nullptr));
    GstElement* io = gst_element_factory_make("vmr-rtp-io", nullptr);
    GstElement* mixer = gst_element_factory_make("vmr-mixer", nullptr);
    gst_bin_add_many(GST_BIN(pipeline.get()), io, mixer, nullptr);
    g_object_set(io, "local-address", "127.0.0.1", nullptr);
    const CapsPtr caps = CapsPtr::adopt(gst_caps_from_string(kPcmuCaps));
    const Stranger peers[2];
    std::vector<PadPtr> requested;
    const auto request = [&](GstElement* element, const std::string& name) {
        requested.push_back(PadPtr::adopt(gst_element_request_pad_simple(element, name.c_str())));
        return requested.back().get();
    };
    guint ports[2] = {};
    for (unsigned leg = 0; leg < 2; ++leg) {
        const std::string number = std::to_string(leg);
        GstPad* heard = request(io, "src_" + number);
        GstPad* to_peer = request(io, "sink_" + number);
        g_object_set(heard, "rtp-caps", caps.get(), "remote-address", "127.0.0.1", "remote-port",
                     peers[leg].port(), nullptr);
        GstElement* filter = gst_element_factory_make("capsfilter", nullptr);
        g_object_set(filter, "caps", caps.get(), nullptr);
        gst_bin_add(GST_BIN(pipeline.get()), filter);
        const PadPtr into = PadPtr::adopt(gst_element_get_static_pad(filter, "sink"));
        const PadPtr out = PadPtr::adopt(gst_element_get_static_pad(filter, "src"));
        gst_pad_link(request(mixer, "audio_src_" + number), into.get());
        gst_pad_link(out.get(), to_peer);
        gst_pad_link(heard, request(mixer, "audio_sink_" + number));
    }
    ASSERT_NE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    for (unsigned leg = 0; leg < 2; ++leg) {
        g_object_get(requested[leg * 4].get(), "local-port", &ports[leg], nullptr);
        EXPECT_FALSE(peers[leg].receive().empty());  // the mixer has agreed with the leg
    }
    unsigned sequence = 0;
    const auto exchange = [&](unsigned packets) {
        for (unsigned i = 0; i < packets; ++i, ++sequence) {
            for (unsigned leg = 0; leg < 2; ++leg) {
                peers[leg].send(ports[leg], rtp_octets(sequence));
                EXPECT_FALSE(peers[leg].receive().empty());
            }
        }
    };
    exchange(10);
    // Where this thread or the mixer's came late, packets wait or the workers help: then once more.
    std::uint64_t passed = 0, woken = 0;
    for (int round = 0; round < 20 && (passed < 45 || woken > passed / 10 + 2); ++round) {
        for (const Stranger& peer : peers) {
            peer.forget();
        }
        const auto ticks = count_of(mixer, "audio-ticks");
        const auto wake_ups = count_of(io, "wake-ups");
        exchange(50);
        passed = count_of(mixer, "audio-ticks") - ticks;
        woken = count_of(io, "wake-ups") - wake_ups;
    }
    EXPECT_GE(passed, 45u);
    EXPECT_LE(woken, passed / 10 + 2);  // the patrol's
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}
