// vmr-rtp-io over loopback: two elements, each suite, and strangers.
#include <filesystem>
#include <fstream>

#include "rtp_bench.hpp"

using namespace vmr;
using namespace vmr::test;

namespace {

// Leg 0 of `a` and leg 0 of `b` know each other.
struct Pair {
    explicit Pair(const Suite* suite = nullptr) {
        for (RtpBench* bench : {&a, &b}) {
            bench->pad("sink_0");
            bench->pad("src_0");
        }
        if (suite != nullptr) {
            const std::string there = base64(key_for(*suite, 1));
            const std::string back = base64(key_for(*suite, 2));
            a.secure("sink_0", suite->name, there, back);
            b.secure("sink_0", suite->name, back, there);
        }
        a.play();
        b.play();
        a.aim("src_0", b.port("src_0"));
        b.aim("src_0", a.port("src_0"));
    }
    RtpBench a, b;
};

void open_stream(GstPad* sink_pad) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_send_event(sink_pad, gst_event_new_stream_start("test"));
    gst_pad_send_event(sink_pad, gst_event_new_segment(&segment));
}

// Without those that end: who was joined may still be listed.
std::size_t threads() {
    constexpr unsigned kExiting = 4;  // PF_EXITING
    std::size_t count = 0;
    for (const auto& each : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream file(each.path() / "stat");
        std::string state;
        long number = 0;
        unsigned flags = kExiting;
        file.ignore(1000, ')') >> state >> number >> number >> number >> number >> number >> flags;
        count += (flags & kExiting) == 0 ? 1 : 0;
    }
    return count;
}

std::size_t descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
        ++count;
    }
    return count;
}

}  // namespace

class RtpIoSuites : public testing::TestWithParam<Suite> {};

TEST_P(RtpIoSuites, TwoElementsUnderstandEachOther) {
    Pair pair(&GetParam());
    Outlet& heard = pair.b.hear("src_0");
    for (unsigned i = 0; i < 50; ++i) {
        pair.a.say("sink_0", rtp_octets(65500 + i));  // over the roll-over
    }
    ASSERT_TRUE(heard.wait_for(50));
    const auto buffers = heard.take();
    for (unsigned i = 0; i < 50; ++i) {
        EXPECT_EQ(octets_of(buffers[i].get()), rtp_octets(65500 + i));
    }
    EXPECT_EQ(pair.b.stat("src_0", "packets-received"), 50);
    EXPECT_EQ(pair.b.stat("src_0", "lost"), 0);
    EXPECT_EQ(pair.b.stat("src_0", "auth-failures"), 0);

    Outlet& rtcp = pair.a.hear("rtcp_src_0");
    pair.b.say("rtcp_sink_0", rtcp_octets(), "application/x-rtcp");
    ASSERT_TRUE(rtcp.wait_for(1));
    EXPECT_EQ(octets_of(rtcp.take().front().get()), rtcp_octets());
}

TEST_P(RtpIoSuites, ForgedDamagedAndPlainPacketsAreRefused) {
    RtpBench bench;
    const Suite& suite = GetParam();
    const Stranger peer;
    Outlet& heard = bench.hear("src_0");
    bench.secure("src_0", suite.name, base64(key_for(suite, 1)), base64(key_for(suite, 2)));
    bench.aim("src_0", peer.port());
    bench.play();
    for (unsigned i = 0; i < 20; ++i) {
        peer.send(bench.port("src_0"), rtp_octets(i));
    }
    EXPECT_TRUE(eventually([&] { return bench.stat("src_0", "auth-failures") == 20; }));
    EXPECT_EQ(heard.count(), 0u);
    EXPECT_EQ(bench.stat("src_0", "packets-received"), 0);
    EXPECT_EQ(bench.stat("src_0", "source-port"), 0);  // did not latch
}

TEST_P(RtpIoSuites, AReplayIsRefused) {
    const Suite& suite = GetParam();
    const std::string key = base64(key_for(suite, 1));
    const Stranger middle;
    RtpBench sender, receiver;
    sender.secure("sink_0", suite.name, key, key);
    sender.aim("sink_0", middle.port());
    Outlet& heard = receiver.hear("src_0");
    receiver.secure("src_0", suite.name, key, key);
    receiver.aim("src_0", middle.port());
    sender.play();
    receiver.play();
    sender.say("sink_0", rtp_octets(7));
    const Octets captured = middle.receive();
    EXPECT_NE(captured, rtp_octets(7));
    middle.send(receiver.port("src_0"), captured);
    middle.send(receiver.port("src_0"), captured);
    EXPECT_TRUE(eventually([&] { return receiver.stat("src_0", "replays") == 1; }));
    EXPECT_TRUE(heard.wait_for(1));
    middle.send(receiver.port("src_0"), captured);
    EXPECT_TRUE(eventually([&] { return receiver.stat("src_0", "replays") == 2; }));
    EXPECT_EQ(heard.count(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Rfc, RtpIoSuites, testing::ValuesIn(kSuites), [](const auto& info) {
    std::string name = info.param.name;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

TEST(RtpIo, PlainPacketsPassBothWays) {
    Pair pair;
    Outlet& at_a = pair.a.hear("src_0");
    Outlet& at_b = pair.b.hear("src_0");
    pair.a.say("sink_0", rtp_octets(1));  // leaves without a tick's end
    ASSERT_TRUE(at_b.wait_for(1));
    pair.b.say("sink_0", rtp_octets(2));
    ASSERT_TRUE(at_a.wait_for(1));
    EXPECT_EQ(octets_of(at_a.take().front().get()), rtp_octets(2));
    EXPECT_EQ(pair.a.stat("sink_0", "packets-sent"), 1);
    EXPECT_EQ(pair.a.stat("sink_0", "bytes-sent"), 172);
}

TEST(RtpIo, ASharedPayloadIsGatheredWithItsOwnHeader) {
    const Stranger peer;
    RtpBench bench;
    bench.aim("sink_0", peer.port());
    bench.pad("sink_0");
    bench.inlet("sink_0", "application/x-rtp");
    bench.play();
    const Octets whole = rtp_octets(3);
    GstBuffer* buffer = gst_buffer_new_memdup(whole.data(), 12);
    for (std::size_t at = 12; at < whole.size(); at += 16) {  // ten more memories than are gathered
        const gsize size = std::min<gsize>(16, whole.size() - at);
        GstMemory* part = gst_allocator_alloc(nullptr, size, nullptr);
        GstMapInfo map;
        ASSERT_TRUE(gst_memory_map(part, &map, GST_MAP_WRITE));
        std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(at), size, map.data);
        gst_memory_unmap(part, &map);
        gst_buffer_append_memory(buffer, part);
    }
    GstBuffer* two = gst_buffer_new_memdup(whole.data(), 12);
    gst_buffer_append_memory(two, gst_allocator_alloc(nullptr, 160, nullptr));
    gst_buffer_fill(two, 12, whole.data() + 12, 160);
    EXPECT_EQ(bench.push("sink_0", BufferPtr::adopt(buffer)), GST_FLOW_OK);
    EXPECT_EQ(peer.receive(), whole);
    EXPECT_EQ(bench.push("sink_0", BufferPtr::adopt(two)), GST_FLOW_OK);
    EXPECT_EQ(peer.receive(), whole);
}

TEST(RtpIo, ASinkSaysThatItNeverBlocks) {
    RtpBench io;
    const auto ask = [&](const char* what) {
        const auto query =
            GPtr<GstQuery>::adopt(gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty(what)));
        return gst_pad_query(io.pad("sink_0").get(), query.get()) != FALSE;
    };
    EXPECT_TRUE(ask("vmr-non-blocking"));
    EXPECT_FALSE(ask("something-else"));
}

TEST(RtpIo, AListIsSentInOrder) {
    const Stranger peer;
    RtpBench bench;
    bench.aim("sink_0", peer.port());
    GstPad* inlet = bench.inlet("sink_0", "application/x-rtp");
    bench.play();
    GstBufferList* list = gst_buffer_list_new();
    for (unsigned i = 0; i < 60; ++i) {
        gst_buffer_list_add(list, buffer_with(rtp_octets(i, 1000)).release());
    }
    EXPECT_EQ(gst_pad_push_list(inlet, list), GST_FLOW_OK);
    for (unsigned i = 0; i < 60; ++i) {
        ASSERT_EQ(peer.receive(), rtp_octets(i, 1000));
    }
}

TEST(RtpIo, WithoutAUsableKeyNothingPasses) {
    const Stranger peer;
    RtpBench bench;
    Outlet& heard = bench.hear("src_0");
    bench.secure("src_0", "aes-128-cm-80", "bm90IGEga2V5", "!!!!");
    bench.aim("src_0", peer.port());
    bench.play();
    bench.say("sink_0", rtp_octets(1));
    EXPECT_TRUE(eventually([&] { return bench.stat("src_0", "not-keyed") == 1; }));
    peer.send(bench.port("src_0"), rtp_octets(1));
    EXPECT_TRUE(eventually([&] { return bench.stat("src_0", "not-keyed") == 2; }));
    EXPECT_EQ(heard.count(), 0u);
    EXPECT_EQ(bench.stat("src_0", "packets-sent"), 0);
}

TEST(RtpIo, GarbageIsCountedAndNothingElse) {
    const Stranger peer;
    RtpBench bench;
    Outlet& heard = bench.hear("src_0");
    const CapsPtr caps = CapsPtr::adopt(gst_caps_from_string(kPcmuCaps));
    g_object_set(bench.pad("src_0").get(), "rtp-caps", caps.get(), nullptr);
    bench.aim("src_0", peer.port());
    bench.play();
    const unsigned port = bench.port("src_0");
    Octets cut = rtp_octets(1);
    cut[0] = 0x8f;  // 15 CSRCs that are not there
    cut.resize(20);
    for (const Octets& each : {Octets{}, Octets{1}, Octets(200, 0), Octets(13, 0xff), cut}) {
        peer.send(port, each);
    }
    peer.send(port, rtp_octets(1, 3000));
    peer.send(port, rtp_octets(1, 160, 96));
    peer.send(port, rtp_octets(1));
    ASSERT_TRUE(heard.wait_for(1));
    EXPECT_EQ(octets_of(heard.take().front().get()), rtp_octets(1));
    EXPECT_EQ(bench.stat("src_0", "garbage"), 5);
    EXPECT_EQ(bench.stat("src_0", "oversized"), 1);
    EXPECT_EQ(bench.stat("src_0", "unknown-payload"), 1);
}

TEST(RtpIo, SendingFollowsTheFirstGenuineSourceOnly) {
    const Stranger peer, other;
    RtpBench bench;
    Outlet& heard = bench.hear("src_0");
    bench.aim("src_0", other.port());  // signalled: another port of the same host
    bench.play();
    peer.send(bench.port("src_0"), rtp_octets(1));
    ASSERT_TRUE(heard.wait_for(1));
    EXPECT_EQ(bench.stat("src_0", "source-port"), peer.port());
    bench.say("sink_0", rtp_octets(9));
    EXPECT_EQ(peer.receive(), rtp_octets(9));
    other.send(bench.port("src_0"), rtp_octets(2));
    peer.send(bench.port("src_0"), rtp_octets(3));
    ASSERT_TRUE(heard.wait_for(2));
    EXPECT_EQ(octets_of(heard.take().back().get()), rtp_octets(3));

    bench.aim("src_0", peer.port());  // a re-negotiation: everything anew
    EXPECT_EQ(bench.stat("src_0", "source-port"), 0);
    other.send(bench.port("src_0"), rtp_octets(4));
    ASSERT_TRUE(heard.wait_for(1));
    EXPECT_EQ(bench.stat("src_0", "source-port"), other.port());
}

TEST(RtpIo, WithoutARemoteAddressNobodyIsHeardUnlessAnySource) {
    const Stranger peer;
    RtpBench bench;
    Outlet& heard = bench.hear("src_0");
    bench.play();
    peer.send(bench.port("src_0"), rtp_octets(1));
    EXPECT_TRUE(eventually([&] { return bench.stat("src_0", "wrong-source") == 1; }));
    bench.aim("src_0", 9, "192.0.2.1");
    peer.send(bench.port("src_0"), rtp_octets(2));
    EXPECT_TRUE(eventually([&] { return bench.stat("src_0", "wrong-source") == 2; }));
    g_object_set(bench.pad("src_0").get(), "any-source", TRUE, nullptr);
    peer.send(bench.port("src_0"), rtp_octets(3));
    ASSERT_TRUE(heard.wait_for(1));
    EXPECT_EQ(bench.stat("src_0", "source-port"), peer.port());
}

TEST(RtpIo, WhatCannotBeSentIsCountedAndNotAnError) {
    RtpBench bench;
    bench.pad("sink_0");
    bench.play();
    bench.say("sink_0", rtp_octets(1));  // no peer
    EXPECT_TRUE(eventually([&] { return bench.stat("sink_0", "send-errors") == 1; }));
    const Stranger peer;
    bench.aim("sink_0", peer.port());
    bench.say("sink_0", Octets(5, 0x80));
    bench.say("sink_0", rtp_octets(1, 1600));
    bench.say("sink_0", rtp_octets(2));
    EXPECT_EQ(peer.receive(), rtp_octets(2));
    EXPECT_EQ(bench.stat("sink_0", "send-errors"), 3);
}

TEST(RtpIo, AListIsSentInOrderInBatches) {
    const Stranger peer;
    RtpBench bench;
    bench.aim("sink_0", peer.port());
    GstPad* inlet = bench.inlet("sink_0", "application/x-rtp");
    bench.play();
    constexpr unsigned kPackets = 150;  // more than two batches
    GstBufferList* list = gst_buffer_list_new();
    for (unsigned i = 0; i < kPackets; ++i) {
        // The sixth is no packet: the others go all the same.
        gst_buffer_list_add(list, buffer_with(i == 5 ? Octets(5, 0x80) : rtp_octets(i)).release());
    }
    EXPECT_EQ(gst_pad_push_list(inlet, list), GST_FLOW_OK);
    EXPECT_EQ(bench.stat("sink_0", "packets-sent"), kPackets - 1);
    EXPECT_EQ(bench.stat("sink_0", "send-errors"), 1);
    for (unsigned i = 0; i < kPackets; ++i) {
        if (i != 5) {
            EXPECT_EQ(peer.receive(), rtp_octets(i));
        }
    }
}

TEST(RtpIo, LocalPortIsRealFromReadyOnAndMayChange) {
    const Stranger peer;
    RtpBench bench;
    Outlet& heard = bench.hear("src_0");
    EXPECT_EQ(bench.port("src_0"), 0u);
    bench.aim("src_0", peer.port());
    bench.play();
    const unsigned first = bench.port("src_0");
    EXPECT_NE(first, 0u);
    guint other = 0;
    for (int attempt = 0; attempt < 10 && bench.port("src_0") != other; ++attempt) {
        other = Stranger().port();  // free now; somebody else may be faster
        g_object_set(bench.pad("src_0").get(), "local-port", other, nullptr);
    }
    EXPECT_EQ(bench.port("src_0"), other);
    peer.send(other, rtp_octets(1));
    EXPECT_TRUE(heard.wait_for(1));
}

TEST(RtpIo, APortInUseIsAWarningAndThePadStays) {
    const Stranger peer;
    RtpBench bench;
    bench.pad("src_0");
    bench.play();
    g_object_set(bench.pad("src_0").get(), "local-port", peer.port(), nullptr);
    guint port = 0;
    g_object_set(bench.pad("src_0").get(), "local-port", 0u, nullptr);
    g_object_get(bench.pad("src_0").get(), "local-port", &port, nullptr);
    EXPECT_NE(port, 0u);
}

TEST(RtpIo, LegsComeAndGoInPlayingWithoutAThreadOrASocketMore) {
    Pair pair;
    Outlet& heard = pair.b.hear("src_0");
    pair.a.say("sink_0", rtp_octets(1));
    ASSERT_TRUE(heard.wait_for(1));
    const std::size_t threads_before = threads();
    const std::size_t sockets_before = descriptors();
    for (unsigned round = 0; round < 4; ++round) {
        for (unsigned leg = 1; leg <= 200; ++leg) {
            const std::string number = std::to_string(leg);
            pair.a.aim("sink_" + number, pair.b.port("src_0"));
            pair.a.pad("src_" + number);
        }
        EXPECT_EQ(threads(), threads_before);
        EXPECT_EQ(descriptors(), sockets_before + 200);
        for (unsigned leg = 1; leg <= 200; ++leg) {
            const std::string number = std::to_string(leg);
            open_stream(pair.a.pad("sink_" + number).get());
            EXPECT_EQ(
                gst_pad_chain(pair.a.pad("sink_" + number).get(), buffer_with(rtp_octets(leg)).release()),
                GST_FLOW_OK);
            pair.a.release("sink_" + number);
            pair.a.release("src_" + number);
        }
        EXPECT_EQ(descriptors(), sockets_before);
    }
    pair.a.say("sink_0", rtp_octets(2));
    EXPECT_TRUE(heard.wait_for(2));
}

TEST(RtpIo, ThreadsAreSharedAndEndWithTheLastElement) {
    const std::size_t before = threads();
    {
        RtpBench a, b, c;
        for (RtpBench* bench : {&a, &b, &c}) {
            g_object_set(bench->element(), "workers", 3u, nullptr);
            bench->play();
        }
        EXPECT_EQ(threads(), before + 3);
    }
    EXPECT_EQ(threads(), before);
}

TEST(RtpIo, EndsWhenAllThatIsSentHasEnded) {
    RtpBench bench;
    bench.pad("sink_0");
    bench.pad("sink_1");
    GstPad* first = bench.inlet("sink_0", "application/x-rtp");
    GstPad* second = bench.inlet("sink_1", "application/x-rtp");
    bench.play();
    const GPtr<GstBus> bus = GPtr<GstBus>::adopt(gst_element_get_bus(bench.element()));
    gst_pad_push_event(first, gst_event_new_eos());
    EXPECT_FALSE(GPtr<GstMessage>::adopt(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_EOS)));
    gst_pad_push_event(second, gst_event_new_eos());
    EXPECT_TRUE(GPtr<GstMessage>::adopt(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_EOS)));
}

TEST(RtpIo, ABadAddressIsAnErrorAndNotACrash) {
    RtpBench bench;
    g_object_set(bench.element(), "local-address", "localhost", nullptr);
    bench.pad("src_0");
    EXPECT_EQ(gst_element_set_state(bench.element(), GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
    g_object_set(bench.element(), "local-address", "::1", nullptr);
    EXPECT_EQ(gst_element_set_state(bench.element(), GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
}
