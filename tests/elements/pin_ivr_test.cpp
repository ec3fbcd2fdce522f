#include <gtest/gtest.h>

#include <algorithm>

#include "tests/elements/bench.hpp"
#include "tests/elements/signals.hpp"

using namespace vmr;
using namespace vmr::test;

namespace {

class PinIvrTest : public testing::Test {
protected:
    Bench bench_{"pin-ivr"};
    Outlet& room_ = bench_.outlet("audio_src");
    Outlet& caller_ = bench_.outlet("audio_return_src");

    void start() {
        // No such folder, no speech: prompts are tones, whatever is installed.
        g_object_set(bench_.element(), "prompts", "/nonexistent", "speech", FALSE, nullptr);
        bench_.play();
        bench_.wait_for_worker();
    }
    void type(const char* keys) { g_signal_emit_by_name(bench_.element(), "digit", keys); }
    void accept() { g_signal_emit_by_name(bench_.element(), "accept"); }
    void reject(guint left) { g_signal_emit_by_name(bench_.element(), "reject", left); }
    bool asking() {
        gboolean asking = FALSE;
        g_object_get(bench_.element(), "asking", &asking, nullptr);
        return asking != FALSE;
    }
    std::string text(const char* message, const char* field) {
        const auto found = bench_.message(message);
        const char* value =
            found ? gst_structure_get_string(gst_message_get_structure(found.get()), field) : nullptr;
        return value == nullptr ? "(none)" : value;
    }
    void send_event(int number, bool start, bool upstream) {
        auto* structure = gst_structure_new("dtmf-event", "type", G_TYPE_INT, 1, "number", G_TYPE_INT, number,
                                            "start", G_TYPE_BOOLEAN, start ? TRUE : FALSE, nullptr);
        if (upstream) {
            gst_pad_push_event(caller_.pad.get(), gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, structure));
        } else {
            gst_pad_push_event(bench_.inlet("audio_sink", kAudioCaps),
                               gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, structure));
        }
    }
};

}  // namespace

TEST_F(PinIvrTest, WhileItAsksNothingPasses) {
    bench_.inlet("audio_return_sink", kAudioCaps);
    start();
    const auto spoken = noise(48000, 8000);
    bench_.push_all("audio_sink", spoken, 0);
    bench_.push_all("audio_return_sink", spoken, 0);
    EXPECT_TRUE(asking());
    EXPECT_EQ(room_.count(), 0U);
    const auto heard = caller_.take_samples();
    ASSERT_EQ(heard.size(), spoken.size());
    EXPECT_GT(rms(heard), 100);  // the prompt, here a tone
    EXPECT_LT(correlation(spoken, heard, 50), 0.03);
}

TEST_F(PinIvrTest, AcceptOpensAndAskCloses) {
    start();
    accept();
    EXPECT_FALSE(asking());
    const std::vector<std::int16_t> loud(kTickSamples * 4, 5000);
    const GstClockTime pts = bench_.push_all("audio_sink", loud, 0);
    EXPECT_EQ(room_.take_samples().back(), 5000);
    g_signal_emit_by_name(bench_.element(), "ask", "meeting-number");
    EXPECT_TRUE(asking());
    bench_.push_all("audio_sink", loud, pts);
    EXPECT_EQ(room_.count(), 1U);  // the fade
    type("77#");
    EXPECT_EQ(text("vmr-digits", "prompt"), "meeting-number");
}

TEST_F(PinIvrTest, KeysByActionGiveAnEntry) {
    start();
    type("12");
    type("34#");
    EXPECT_EQ(text("vmr-digits", "digits"), "1234");
    EXPECT_TRUE(asking());
}

TEST_F(PinIvrTest, KeysByEventsOfEitherDirectionGiveAnEntry) {
    start();
    for (const bool upstream : {false, true}) {
        for (const int number : {4, 7, 7, 11}) {
            send_event(number, true, upstream);
            send_event(number, true, upstream);
            send_event(number, false, upstream);
        }
        EXPECT_EQ(text("vmr-digits", "digits"), "477");
        reject(3);
    }
    EXPECT_EQ(room_.count(), 0U);
}

TEST_F(PinIvrTest, KeysByToneGiveAnEntryOnlyWhenAllowed) {
    start();
    const auto tones = dtmf("90210#");
    GstClockTime pts = bench_.push_all("audio_sink", tones, 0);
    EXPECT_FALSE(bench_.has_message("vmr-digit"));
    g_object_set(bench_.element(), "inband", TRUE, nullptr);
    bench_.push_all("audio_sink", tones, pts);
    EXPECT_EQ(text("vmr-digits", "digits"), "90210");
}

TEST_F(PinIvrTest, TheBusDoesNotTellAPinsKeys) {
    start();
    type("5");
    const auto message = bench_.message("vmr-digit");
    ASSERT_TRUE(message);
    const GstStructure* structure = gst_message_get_structure(message.get());
    EXPECT_FALSE(gst_structure_has_field(structure, "digit"));
    guint entered = 0;
    EXPECT_TRUE(gst_structure_get_uint(structure, "entered", &entered));
    EXPECT_EQ(entered, 1U);
}

TEST_F(PinIvrTest, InTheRoomEachKeyIsToldAndItsToneIsNotHeard) {
    g_object_set(bench_.element(), "inband", TRUE, nullptr);
    start();
    accept();
    const GstClockTime pts = bench_.push_all("audio_sink", noise(9600, 2000), 0);
    EXPECT_GT(rms(room_.take_samples()), 500);
    const auto tones = dtmf("6");
    bench_.push_all("audio_sink", tones, pts);
    EXPECT_EQ(text("vmr-digit", "digit"), "6");
    const auto heard = room_.take_samples();
    ASSERT_EQ(heard.size(), tones.size());
    EXPECT_EQ(rms(std::span(heard).subspan(kTickSamples * 2)), 0);  // all but its first moment
}

TEST_F(PinIvrTest, WithAPinOfItsOwnItAnswersItself) {
    g_object_set(bench_.element(), "host-pin", "4711", "guest-pin", "22", nullptr);
    start();
    type("4712#");
    const auto refused = bench_.message("vmr-pin-refused");
    ASSERT_TRUE(refused);
    guint left = 0;
    EXPECT_TRUE(gst_structure_get_uint(gst_message_get_structure(refused.get()), "attempts-left", &left));
    EXPECT_EQ(left, 2U);
    EXPECT_TRUE(asking());
    type("22#");
    EXPECT_EQ(text("vmr-pin-accepted", "role"), "guest");
    EXPECT_FALSE(asking());
    EXPECT_FALSE(bench_.has_message("vmr-digits"));
}

TEST_F(PinIvrTest, AfterThreeWrongEntriesEvenTheRightOneIsRefused) {
    g_object_set(bench_.element(), "host-pin", "4711", nullptr);
    start();
    type("1#2#3#");
    type("4711#");
    EXPECT_TRUE(asking());
    EXPECT_FALSE(bench_.has_message("vmr-pin-accepted"));
}

TEST_F(PinIvrTest, WithoutAnEntryItTimesOut) {
    start();
    bench_.crank(119 * GST_SECOND);
    bench_.wait_for_worker();
    EXPECT_FALSE(bench_.has_message("vmr-pin-timeout"));
    bench_.crank(120 * GST_SECOND);
    EXPECT_TRUE(bench_.message("vmr-pin-timeout"));
    EXPECT_TRUE(asking());
}

TEST_F(PinIvrTest, APauseEndsAnEntry) {
    start();
    type("12");
    bench_.wait_for_worker();
    bench_.crank(6 * GST_SECOND);
    EXPECT_EQ(text("vmr-digits", "digits"), "12");
}

TEST_F(PinIvrTest, AKeyStopsThePrompt) {
    start();
    bench_.push_audio("audio_return_sink", std::vector<std::int16_t>(kTickSamples, 0), 0);
    EXPECT_GT(rms(caller_.take_samples()), 100);
    type("1");
    bench_.push_audio("audio_return_sink", std::vector<std::int16_t>(kTickSamples, 0), kTick);
    EXPECT_EQ(rms(caller_.take_samples()), 0);
}

TEST_F(PinIvrTest, PromptsInTheRoomAreMixedOverIt) {
    start();
    accept();
    std::vector<std::int16_t> quiet(kTickSamples, 1000);
    GstClockTime pts = bench_.push_all("audio_return_sink", quiet, 0);
    caller_.take();
    g_signal_emit_by_name(bench_.element(), "play", "joined");
    // It is loaded elsewhere: within the deadline, some buffer carries it.
    const gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    double loudest = 0;
    while (loudest < 2000 && g_get_monotonic_time() < deadline) {
        pts = bench_.push_all("audio_return_sink", quiet, pts);
        loudest = std::max(loudest, rms(caller_.take_samples()));
    }
    EXPECT_GT(loudest, 2000);
}

TEST_F(PinIvrTest, TheScreenShowsAsManyDotsAsKeys) {
    Outlet& screen = bench_.outlet("video_return_src");
    bench_.inlet("video_return_sink", kVideoCaps);
    start();
    auto frame = [&](GstClockTime pts) {
        bench_.wait_for_worker();
        bench_.push("video_return_sink", bench_.video_frame(200, pts));
        const auto frames = screen.take();
        return frames.empty() ? BufferPtr() : frames.back();
    };
    const BufferPtr before = frame(0);
    type("123");
    const gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    bool changed = false;
    for (GstClockTime pts = GST_SECOND; !changed && g_get_monotonic_time() < deadline;
         pts += GST_SECOND / 15) {
        GstMapInfo a, b;
        const BufferPtr after = frame(pts);
        ASSERT_TRUE(before && after);
        ASSERT_TRUE(gst_buffer_map(before.get(), &a, GST_MAP_READ) &&
                    gst_buffer_map(after.get(), &b, GST_MAP_READ));
        changed = memcmp(a.data, b.data, a.size) != 0;
        gst_buffer_unmap(before.get(), &a);
        gst_buffer_unmap(after.get(), &b);
    }
    EXPECT_TRUE(changed);
}

TEST_F(PinIvrTest, PinsCannotBeReadBack) {
    for (const char* name : {"host-pin", "guest-pin"}) {
        GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(bench_.element()), name);
        ASSERT_NE(spec, nullptr);
        EXPECT_EQ(spec->flags & G_PARAM_READABLE, 0U);
    }
}

namespace {

std::size_t spoken_ticks(std::span<const std::int16_t> samples) {
    std::size_t ticks = 0;
    for (; samples.size() >= kTickSamples; samples = samples.subspan(kTickSamples)) {
        ticks += rms(samples.first(kTickSamples)) > 300 ? 1 : 0;
    }
    return ticks;
}

}  // namespace

// A name is heard for about as long as saying it takes, with pauses and a voice's changing level: no tone.
TEST_F(PinIvrTest, WhatHasNoRecordingIsSpoken) {
    start();
    accept();
    g_object_set(bench_.element(), "speech", TRUE, nullptr);
    bench_.inlet("audio_return_sink", kAudioCaps);
    const std::vector<std::int16_t> silence(kTickSamples, 0);
    std::vector<std::int16_t> heard;
    bench_.push_audio("audio_return_sink", silence, 0);
    caller_.take();  // the question fades
    g_signal_emit_by_name(bench_.element(), "say", "",
                          "Ada Lovelace is waiting in the lobby. Press 1 to admit.", "en", FALSE);
    const gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    std::size_t quiet = 0;
    for (GstClockTime pts = kTick; quiet < 50 && g_get_monotonic_time() < deadline; pts += kTick) {
        bench_.push_audio("audio_return_sink", silence, pts);
        const auto tick = caller_.take_samples();
        if (spoken_ticks(tick) > 0 || !heard.empty()) {
            heard.insert(heard.end(), tick.begin(), tick.end());
            quiet = spoken_ticks(tick) > 0 ? 0 : quiet + 1;
        } else {
            g_signal_emit_by_name(bench_.element(), "play", "");  // wakes the worker: its clock stands still
            g_thread_yield();
        }
    }
    const std::size_t ticks = spoken_ticks(heard);
    EXPECT_GT(ticks, 2000U / 20);
    EXPECT_LT(ticks, 6000U / 20);
    EXPECT_GT(heard.size() / kTickSamples - quiet, ticks);  // a pause between the sentences
}
