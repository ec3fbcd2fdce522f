#include <gtest/gtest.h>

#include <algorithm>

#include "tests/elements/bench.hpp"
#include "tests/elements/signals.hpp"

using namespace vmr;
using namespace vmr::test;

namespace {

class LobbyGateTest : public testing::Test {
protected:
    Bench bench_{"lobby-gate"};
    Outlet& room_ = bench_.outlet("audio_src");
    Outlet& caller_ = bench_.outlet("audio_return_src");

    void set_open(bool open) { g_object_set(bench_.element(), "open", open ? TRUE : FALSE, nullptr); }
    void start(const char* hold) {
        g_object_set(bench_.element(), "hold", hold, nullptr);
        bench_.play();
        bench_.wait_for_worker();  // by then it has loaded its music
    }
};

std::uint64_t energy_of_difference(GstBuffer* buffer, std::uint8_t value) {
    GstMapInfo map;
    EXPECT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_READ));
    std::uint64_t same = 0;
    for (gsize i = 0; i < 160 * 96; ++i) {
        same += map.data[i] == value ? 1U : 0U;
    }
    gst_buffer_unmap(buffer, &map);
    return same;
}

}  // namespace

TEST_F(LobbyGateTest, ClosedNoSampleReachesTheRoom) {
    start("");
    bench_.push_all("audio_sink", noise(48000, 8000), 0);
    EXPECT_EQ(room_.count(), 0U);
    EXPECT_TRUE(room_.saw(GST_EVENT_GAP));
}

TEST_F(LobbyGateTest, ClosedTheCallerHearsMusicAndNotTheRoom) {
    bench_.inlet("audio_return_sink", kAudioCaps);
    start("");
    const auto spoken = noise(48000, 8000);
    bench_.push_all("audio_return_sink", spoken, 0);
    const auto heard = caller_.take_samples();
    ASSERT_EQ(heard.size(), spoken.size());
    EXPECT_GT(rms(heard), 300);
    EXPECT_LT(correlation(spoken, heard, 50), 0.03);
}

TEST_F(LobbyGateTest, ClosedAndSilentIsSilence) {
    start("silent");
    bench_.push_all("audio_return_sink", noise(9600, 8000), 0);
    EXPECT_EQ(rms(caller_.take_samples()), 0);
}

TEST_F(LobbyGateTest, AMissingHoldFileIsMusicAllTheSame) {
    start("/nonexistent.wav");
    bench_.push_all("audio_return_sink", noise(9600, 8000), 0);
    EXPECT_GT(rms(caller_.take_samples()), 100);
}

TEST_F(LobbyGateTest, OpensWithinOneBufferWithAFadeThenTouchesNothing) {
    bench_.inlet("audio_return_sink", kAudioCaps);
    start("silent");
    set_open(true);
    const std::vector<std::int16_t> loud(kTickSamples, 10000);
    for (const char* sink : {"audio_sink", "audio_return_sink"}) {
        bench_.push_audio(sink, loud, 0);
    }
    for (Outlet* outlet : {&room_, &caller_}) {
        const auto samples = outlet->take_samples();
        ASSERT_EQ(samples.size(), kTickSamples);
        EXPECT_LT(samples.front(), 100);
        EXPECT_EQ(samples[480], 10000);
        EXPECT_EQ(samples.back(), 10000);
    }
    BufferPtr buffer = BufferPtr::adopt(gst_buffer_new_memdup(loud.data(), loud.size() * 2));
    GST_BUFFER_PTS(buffer.get()) = kTick;
    GstBuffer* same = buffer.get();
    bench_.push("audio_sink", std::move(buffer));
    EXPECT_EQ(room_.take().at(0).get(), same);
}

TEST_F(LobbyGateTest, ClosesWithinOneBufferWithAFade) {
    start("silent");
    set_open(true);
    const std::vector<std::int16_t> loud(kTickSamples * 5, 10000);
    GstClockTime pts = bench_.push_all("audio_sink", loud, 0);
    room_.take();
    set_open(false);
    bench_.push_all("audio_sink", loud, pts);
    const auto samples = room_.take_samples();
    ASSERT_EQ(samples.size(), kTickSamples);  // one more buffer, faded out
    EXPECT_GT(samples.front(), 9900);
    EXPECT_TRUE(std::all_of(samples.begin() + 480, samples.end(), [](int sample) { return sample == 0; }));
}

TEST_F(LobbyGateTest, WhatComesLongAfterClosingIsNotFadedOutButDropped) {
    start("silent");
    set_open(true);
    const std::vector<std::int16_t> loud(kTickSamples, 10000);
    bench_.push_audio("audio_sink", loud, 0);
    bench_.push_audio("audio_return_sink", loud, 0);
    room_.take();
    caller_.take();
    set_open(false);
    bench_.push_audio("audio_sink", loud, 10 * GST_SECOND);
    bench_.push_audio("audio_return_sink", loud, 10 * GST_SECOND);
    EXPECT_EQ(room_.count(), 0U);
    EXPECT_EQ(rms(caller_.take_samples()), 0);
}

TEST_F(LobbyGateTest, VideoIsTheSlateUntilOpenAndThenUntouched) {
    Outlet& screen = bench_.outlet("video_return_src");
    Outlet& camera = bench_.outlet("video_src");
    bench_.inlet("video_return_sink", kVideoCaps);
    bench_.inlet("video_sink", kVideoCaps);
    start("silent");
    constexpr std::uint8_t kRoom = 235;
    bench_.push("video_return_sink", bench_.video_frame(kRoom, 0));
    bench_.push("video_sink", bench_.video_frame(kRoom, 0));
    EXPECT_EQ(camera.count(), 0U);
    const auto slate = screen.take();
    ASSERT_EQ(slate.size(), 1U);
    EXPECT_LT(energy_of_difference(slate[0].get(), kRoom), 160U * 96 / 10);
    EXPECT_EQ(GST_BUFFER_PTS(slate[0].get()), 0U);

    set_open(true);
    for (const char* sink : {"video_return_sink", "video_sink"}) {
        bench_.push(sink, bench_.video_frame(kRoom, GST_SECOND));
    }
    EXPECT_EQ(energy_of_difference(screen.take().at(0).get(), kRoom), 160U * 96);
    EXPECT_EQ(energy_of_difference(camera.take().at(0).get(), kRoom), 160U * 96);
    set_open(false);
    bench_.push("video_return_sink", bench_.video_frame(kRoom, 2 * GST_SECOND));
    bench_.push("video_sink", bench_.video_frame(kRoom, 2 * GST_SECOND));
    EXPECT_EQ(camera.count(), 0U);
    EXPECT_LT(energy_of_difference(screen.take().at(0).get(), kRoom), 160U * 96 / 10);
}

TEST_F(LobbyGateTest, ACameraMayComeEncoded) {
    for (const char* caps : {"video/x-vp8", "video/x-h264,stream-format=byte-stream,alignment=au"}) {
        Bench bench("lobby-gate");
        Outlet& camera = bench.outlet("video_src");
        bench.inlet("video_sink", caps);
        bench.play();
        const auto frame = [] { return BufferPtr::adopt(gst_buffer_new_allocate(nullptr, 100, nullptr)); };
        EXPECT_EQ(bench.push("video_sink", frame()), GST_FLOW_OK);
        EXPECT_EQ(camera.count(), 0U) << caps;
        g_object_set(bench.element(), "open", TRUE, nullptr);
        for (int i = 0; i < 2; ++i) {
            EXPECT_EQ(bench.push("video_sink", frame()), GST_FLOW_OK);
        }
        const auto passed = camera.take();
        ASSERT_EQ(passed.size(), 2U) << caps;
        EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(passed[0].get(), GST_BUFFER_FLAG_DISCONT));
        EXPECT_FALSE(GST_BUFFER_FLAG_IS_SET(passed[1].get(), GST_BUFFER_FLAG_DISCONT));
    }
}

TEST_F(LobbyGateTest, WithoutARoomTheCallerStillHearsAndSeesAtTheClocksPace) {
    Outlet& screen = bench_.outlet("video_return_src");
    start("");
    for (int i = 0; i < 60; ++i) {
        bench_.crank(0);
    }
    bench_.wait_for_worker();
    const auto buffers = caller_.take();
    ASSERT_GT(buffers.size(), 20U);
    for (std::size_t i = 1; i < buffers.size(); ++i) {
        EXPECT_EQ(GST_BUFFER_PTS(buffers[i].get()), GST_BUFFER_PTS(buffers[i - 1].get()) + kTick);
    }
    EXPECT_GT(screen.count(), 5U);
    EXPECT_TRUE(caller_.saw(GST_EVENT_SEGMENT));
}

TEST_F(LobbyGateTest, ARoomThatFallsSilentIsReplacedToo) {
    start("");
    bench_.push_audio("audio_return_sink", std::vector<std::int16_t>(kTickSamples, 100), 0);
    caller_.take();
    for (int i = 0; i < 20; ++i) {
        bench_.crank(0);
    }
    bench_.wait_for_worker();
    EXPECT_GT(caller_.count(), 5U);
}

TEST_F(LobbyGateTest, TellsOfEachChangeOnce) {
    start("silent");
    g_object_set(bench_.element(), "reason", "held", nullptr);
    auto message = bench_.message("vmr-gate");
    ASSERT_TRUE(message);
    EXPECT_STREQ(gst_structure_get_string(gst_message_get_structure(message.get()), "reason"), "held");
    set_open(true);
    set_open(true);
    message = bench_.message("vmr-gate");
    ASSERT_TRUE(message);
    gboolean open = FALSE;
    EXPECT_TRUE(gst_structure_get_boolean(gst_message_get_structure(message.get()), "open", &open));
    EXPECT_TRUE(open);
    EXPECT_FALSE(bench_.has_message("vmr-gate"));
}

TEST_F(LobbyGateTest, TheCallersEndEndsAnUnfedReturn) {
    start("silent");
    bench_.inlet("audio_sink", kAudioCaps);
    gst_pad_push_event(bench_.inlet("audio_sink", kAudioCaps), gst_event_new_eos());
    EXPECT_TRUE(room_.saw(GST_EVENT_EOS));
    EXPECT_TRUE(caller_.saw(GST_EVENT_EOS));
}
