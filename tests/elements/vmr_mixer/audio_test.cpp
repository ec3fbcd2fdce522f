// What participants hear.
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <optional>
#include <thread>

#include "room_pipeline.hpp"
#include "signals.hpp"

namespace vmr::test {
namespace {

constexpr std::size_t kHalfSecond = 24000;  // samples at 48 kHz
constexpr double kTalker = 6553;            // amplitude of each talker's tone

// Half a second in which `tones` sound without a gap. On a busy machine a source may come late and tear a
// hole: then the next half second is taken, at most ten of them.
std::vector<std::int16_t> whole(const RoomPipeline& room, const char* sink, int skip,
                                const std::vector<double>& tones) {
    std::vector<std::int16_t> heard;
    for (int attempt = 0; attempt < 10; ++attempt) {
        heard = room.audio(sink, kHalfSecond, attempt == 0 ? skip : 0);
        const auto sounds = [&](double hertz) { return tone(heard, hertz) > kTalker - 400; };
        if (std::ranges::all_of(tones, sounds)) {
            break;
        }
    }
    return heard;
}

TEST(MixerAudio, ThreeParticipantsHearTheOthersOnly) {
    RoomPipeline room(talker(0, 400) + talker(1, 1000) + talker(2, 2000) +
                      listener("audio_src_0", kAudioCaps, "a0") + listener("audio_src_1", kAudioCaps, "a1") +
                      listener("audio_src_2", kAudioCaps, "a2"));
    room.play();
    constexpr double kTones[] = {400, 1000, 2000};
    const char* sinks[] = {"a0", "a1", "a2"};
    for (int self = 0; self < 3; ++self) {
        std::vector<double> others;
        std::ranges::copy_if(kTones, std::back_inserter(others),
                             [&](double hertz) { return hertz != kTones[self]; });
        const auto heard = whole(room, sinks[self], 15, others);
        for (int other = 0; other < 3; ++other) {
            const double amplitude = tone(heard, kTones[other]);
            if (other == self) {
                EXPECT_LT(amplitude, 30) << self << " hears itself";
            } else {
                EXPECT_NEAR(amplitude, kTalker, 400) << self << " does not hear " << other;
            }
        }
    }
}

struct AudioCodec {
    const char* name;
    const char* tail;
};

class MixerAudioCodec : public testing::TestWithParam<AudioCodec> {};

// Through each payloader and back through a decoder that is not ours.
TEST_P(MixerAudioCodec, DecodesToTheOthers) {
    RoomPipeline room(
        talker(0, 400) + talker(1, 1000) +
        listener("audio_src_0",
                 std::string(GetParam().tail) + " ! audioconvert ! audioresample ! " + kAudioCaps, "a0"));
    room.play();
    const auto heard = whole(room, "a0", 20, {1000});
    EXPECT_NEAR(tone(heard, 1000), kTalker, 700);
    EXPECT_LT(tone(heard, 400), 40);
}

INSTANTIATE_TEST_SUITE_P(
    Codecs, MixerAudioCodec,
    testing::Values(AudioCodec{"opus", "audio/x-opus ! rtpopuspay ! rtpopusdepay ! opusdec"},
                    AudioCodec{"opus_stereo",
                               "audio/x-opus,channels=2 ! rtpopuspay ! rtpopusdepay ! opusdec"},
                    AudioCodec{"mulaw", "audio/x-mulaw ! rtppcmupay ! rtppcmudepay ! mulawdec"},
                    AudioCodec{"alaw", "audio/x-alaw ! rtppcmapay ! rtppcmadepay ! alawdec"},
                    AudioCodec{"g722", "audio/G722 ! rtpg722pay ! rtpg722depay ! avdec_g722"},
                    AudioCodec{"raw16", "audio/x-raw,rate=16000"},
                    AudioCodec{"raw8", "audio/x-raw,rate=8000"}),
    [](const auto& info) { return std::string(info.param.name); });

// RTP in and out: packed by payloaders and unpacked by depayloaders that are not ours.
class MixerRtp : public testing::TestWithParam<AudioCodec> {};

TEST_P(MixerRtp, TalksAndListens) {
    const std::string caps = std::string("application/x-rtp,media=audio,encoding-name=") + GetParam().name;
    const std::string tail = GetParam().tail;  // encode ! pay | depay ! decode
    const std::size_t bar = tail.find('|');
    const auto sender = [&](int index, int hertz) {
        return " audiotestsrc is-live=true samplesperbuffer=960 volume=0.2 freq=" + std::to_string(hertz) +
               " ! " + kAudioCaps + " ! audioconvert ! audioresample ! " + tail.substr(0, bar) +
               " ! m.audio_sink_" + std::to_string(index) + " ";
    };
    RoomPipeline room(
        sender(0, 400) + sender(1, 1000) +
        listener("audio_src_0",
                 caps + " ! " + tail.substr(bar + 1) + " ! audioconvert ! audioresample ! " + kAudioCaps,
                 "a0"));
    room.play();
    // On a busy machine senders come late and are concealed, or played a little faster, which breaks the
    // phase of a tone: a piece of 40 ms is whole.
    constexpr std::size_t kPiece = 1920;
    double loudest = 0;
    double own = 0;
    for (int i = 0; i < 200 && loudest < kTalker - 700; ++i) {
        const auto heard = room.audio("a0", kPiece, i == 0 ? 20 : 0);
        loudest = std::max(loudest, tone(heard, 1000));
        own = std::max(own, tone(heard, 400));
    }
    EXPECT_NEAR(loudest, kTalker, 1500);
    EXPECT_LT(own, 500);
    EXPECT_GT(room.stat("audio-decodes"), 20U);
    const PadPtr pad = PadPtr::adopt(gst_element_get_static_pad(room.mixer(), "audio_sink_1"));
    GstStructure* stats = nullptr;
    g_object_get(pad.get(), "rtp-stats", &stats, nullptr);
    const StructurePtr owned(stats);
    guint64 played = 0;
    EXPECT_TRUE(stats != nullptr && gst_structure_get_uint64(stats, "played", &played));
    EXPECT_GT(played, 10U);
}

INSTANTIATE_TEST_SUITE_P(Codecs, MixerRtp,
                         testing::Values(AudioCodec{"OPUS", "opusenc ! rtpopuspay|rtpopusdepay ! opusdec"},
                                         AudioCodec{"PCMU", "mulawenc ! rtppcmupay|rtppcmudepay ! mulawdec"},
                                         AudioCodec{"PCMA", "alawenc ! rtppcmapay|rtppcmadepay ! alawdec"},
                                         AudioCodec{"G722",
                                                    "avenc_g722 ! rtpg722pay|rtpg722depay ! avdec_g722"}),
                         [](const auto& info) { return std::string(info.param.name); });

struct RtpBytes {
    std::vector<std::uint8_t> header, payload;
    GstClockTime pts;
};

RtpBytes rtp_bytes(GstSample* sample, std::size_t header_size) {
    GstBuffer* buffer = gst_sample_get_buffer(sample);
    std::vector<std::uint8_t> bytes(gst_buffer_get_size(buffer));
    gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
    const auto end = bytes.begin() + static_cast<std::ptrdiff_t>(std::min(header_size, bytes.size()));
    return {{bytes.begin(), end}, {end, bytes.end()}, GST_BUFFER_PTS(buffer)};
}

// What the caps say is what the header says; the payload is the same for everybody, bit by bit.
TEST(MixerAudio, RtpPacketsHaveTheSamePayload) {
    const std::string level = "extmap-5=(string)urn:ietf:params:rtp-hdrext:ssrc-audio-level";
    RoomPipeline room(
        talker(0, 400) +
        listener("audio_src_1",
                 "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,ssrc=(uint)4711,"
                 "seqnum-offset=(uint)65530," +
                     level,
                 "a1") +
        listener("audio_src_2", "application/x-rtp,media=audio,encoding-name=OPUS,payload=100", "a2"));
    room.play();
    GPtr<GstSample> one;
    std::optional<std::uint16_t> sequence;
    std::optional<std::uint32_t> timestamp;
    bool marked = false;
    bool levelled = false;
    for (int i = 0; i < 50; ++i) {
        one = room.pull("a1");
        ASSERT_TRUE(one);
        const auto [header, payload, pts] = rtp_bytes(one.get(), 20);
        ASSERT_EQ(header.size(), 20U);
        EXPECT_EQ(header[0], 0x90);
        EXPECT_EQ(header[1] & 0x7F, 111);
        EXPECT_EQ(header[16], 0x50);
        const auto now = static_cast<std::uint16_t>(header[2] << 8 | header[3]);
        // A pad that is served late loses its oldest packets.
        const std::uint16_t expected = sequence ? static_cast<std::uint16_t>(*sequence + 1) : 65530;
        EXPECT_LT(static_cast<std::uint16_t>(now - expected), 50);
        sequence = now;
        const std::uint32_t time =
            static_cast<std::uint32_t>(header[4]) << 24 | header[5] << 16 | header[6] << 8 | header[7];
        if (timestamp) {
            EXPECT_EQ((time - *timestamp) % 960, 0U);
        }
        timestamp = time;
        EXPECT_EQ(header[10] << 8 | header[11], 4711);
        marked = marked || (header[1] & 0x80) != 0;
        levelled = levelled || std::abs((header[17] & 0x7F) - 17) <= 2;  // 0.2 of full scale, a sine
    }
    EXPECT_TRUE(marked);
    EXPECT_TRUE(levelled);
    auto two = room.pull("a2");
    for (int i = 0; i < 100 && one && two; ++i) {
        const RtpBytes first = rtp_bytes(one.get(), 20);
        const RtpBytes second = rtp_bytes(two.get(), 12);
        if (first.pts == second.pts) {
            EXPECT_EQ(first.payload, second.payload);
            EXPECT_FALSE(first.payload.empty());
            return;
        }
        (first.pts < second.pts ? one : two) = room.pull(first.pts < second.pts ? "a1" : "a2");
    }
    FAIL() << "the two never met";
}

// Other mixers send RTP with levels: three talkers, and ten who are silent.
TEST(MixerAudio, TwoHundredListenersAndThreeTalkersCostFourEncodesAndThreeDecodes) {
    const std::string rtp =
        " ! application/x-rtp,media=audio,encoding-name=OPUS,"
        "extmap-3=(string)urn:ietf:params:rtp-hdrext:ssrc-audio-level ! m.audio_sink_";
    std::string description;
    for (unsigned i = 0; i < 3; ++i) {
        const std::string name = "t" + std::to_string(i);
        description += " vmr-mixer name=" + name + " audiotestsrc is-live=true samplesperbuffer=960 freq=" +
                       std::to_string(400 + 300 * i) + " ! " + kAudioCaps + " ! " + name + ".audio_sink_0 " +
                       name + ".audio_src_1" + rtp + std::to_string(i) + " ";
        description += " m.audio_src_" + std::to_string(i) + " ! audio/x-opus ! fakesink async=false";
    }
    description += " vmr-mixer name=quiet dtx=false comfort-noise=-100";
    for (unsigned i = 3; i < 13; ++i) {
        description += " quiet.audio_src_" + std::to_string(i) + rtp + std::to_string(i) + " ";
    }
    for (unsigned i = 3; i < 203; ++i) {
        description += " m.audio_src_" + std::to_string(i) +
                       " ! application/x-rtp,encoding-name=OPUS ! fakesink async=false";
    }
    RoomPipeline room(description);
    room.play();
    ASSERT_TRUE(wait_for([&] {
        const std::uint64_t ticks = room.stat("audio-ticks");
        const std::uint64_t encodes = room.stat("audio-encodes");
        const std::uint64_t decodes = room.stat("audio-decodes");
        wait_for([&] { return room.stat("audio-ticks") >= ticks + 10; });
        const double passed = static_cast<double>(room.stat("audio-ticks") - ticks);
        // Read one after the other: up to a tick apart.
        return std::fabs(static_cast<double>(room.stat("audio-encodes") - encodes) - 4 * passed) <= 4 &&
               std::fabs(static_cast<double>(room.stat("audio-decodes") - decodes) - 3 * passed) <= 3;
    }));
}

TEST(MixerAudio, ListenersShareOneBuffer) {
    RoomPipeline room(talker(0, 400) + listener("audio_src_1", "audio/x-opus", "a1") +
                      listener("audio_src_2", "audio/x-opus", "a2"));
    room.play();
    for (int i = 0; i < 20; ++i) {
        room.pull("a1");
        room.pull("a2");
    }
    // Align the two by timestamp, then compare the memory that they carry.
    auto one = room.pull("a1");
    auto two = room.pull("a2");
    for (int i = 0; i < 20 && one && two; ++i) {
        const GstClockTime first = GST_BUFFER_PTS(gst_sample_get_buffer(one.get()));
        const GstClockTime second = GST_BUFFER_PTS(gst_sample_get_buffer(two.get()));
        if (first == second) {
            break;
        }
        (first < second ? one : two) = room.pull(first < second ? "a1" : "a2");
    }
    ASSERT_TRUE(one && two);
    EXPECT_EQ(gst_buffer_peek_memory(gst_sample_get_buffer(one.get()), 0),
              gst_buffer_peek_memory(gst_sample_get_buffer(two.get()), 0));
    EXPECT_LE(room.stat("audio-encodes"), room.stat("audio-ticks"));
}

TEST(MixerAudio, AStalledInputAndABlockedOutputDelayNobody) {
    // Participant 5 links a pad and never sends; participant 6 never takes what it is sent.
    RoomPipeline room(" appsrc is-live=true ! " + std::string(kAudioCaps) + " ! m.audio_sink_5 " +
                      talker(0, 400) + listener("audio_src_1", kAudioCaps, "a1") +
                      " m.audio_src_6 ! identity name=jam ! fakesink async=false ");
    const ElementPtr jam = room.element("jam");
    const PadPtr jammed = PadPtr::adopt(gst_element_get_static_pad(jam.get(), "sink"));
    const gulong probe = gst_pad_add_probe(
        jammed.get(), GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM,
        [](GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_OK; }, nullptr, nullptr);
    room.play();
    const auto heard = whole(room, "a1", 15, {400});
    EXPECT_NEAR(tone(heard, 400), kTalker, 400);
    GstClockTime last = GST_CLOCK_TIME_NONE;
    for (int i = 0; i < 20; ++i) {
        const auto sample = room.pull("a1");
        ASSERT_TRUE(sample);
        const GstClockTime pts = GST_BUFFER_PTS(gst_sample_get_buffer(sample.get()));
        if (last != GST_CLOCK_TIME_NONE) {
            EXPECT_GT(pts, last);
            // A pad that is served late loses its oldest buffers.
            EXPECT_EQ((pts - last) % (20 * GST_MSECOND), 0U);
        }
        last = pts;
    }
    gst_pad_remove_probe(jammed.get(), probe);
}

struct DirectPushes {
    std::atomic<int> packets = 0;
    std::atomic<int> by_mixer = 0;  // on the thread that mixes
};

GstPadProbeReturn on_direct_data(GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto& pushes = *static_cast<DirectPushes*>(data);
    if ((info->type & GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM) != 0) {
        const GstStructure* structure = gst_query_get_structure(GST_PAD_PROBE_INFO_QUERY(info));
        const bool asked = structure != nullptr && gst_structure_has_name(structure, "vmr-non-blocking");
        return asked ? GST_PAD_PROBE_HANDLED : GST_PAD_PROBE_OK;
    }
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    pushes.by_mixer += std::strcmp(name, "vmr-mix") == 0 ? 1 : 0;
    ++pushes.packets;
    return GST_PAD_PROBE_DROP;  // a paused fakesink would break the promise
}

TEST(MixerAudio, WhoNeverBlocksIsPushedToInTheTick) {
    RoomPipeline room(talker(0, 400) +
                      " m.audio_src_1 ! application/x-rtp,encoding-name=PCMU ! fakesink name=f async=false ");
    DirectPushes pushes;
    const ElementPtr sink = room.element("f");
    const PadPtr pad = PadPtr::adopt(gst_element_get_static_pad(sink.get(), "sink"));
    gst_pad_add_probe(pad.get(),
                      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM |
                                                   GST_PAD_PROBE_TYPE_PUSH | GST_PAD_PROBE_TYPE_BUFFER),
                      on_direct_data, &pushes, nullptr);
    room.play();
    EXPECT_TRUE(wait_for([&] { return pushes.packets >= 10; }));
    room.stop();
    EXPECT_GE(pushes.packets, 10);
    EXPECT_EQ(pushes.packets, pushes.by_mixer);
}

struct SlowListener {
    std::atomic<int> packets = 0;
    std::atomic<int> by_helpers = 0;
    std::atomic<int> out_of_order = 0;
    GstClockTime last = 0;
};

// Takes 100 µs of CPU for a packet and promises never to block.
GstPadProbeReturn on_slow_data(GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto& listener = *static_cast<SlowListener*>(data);
    if ((info->type & GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM) != 0) {
        const GstStructure* structure = gst_query_get_structure(GST_PAD_PROBE_INFO_QUERY(info));
        const bool asked = structure != nullptr && gst_structure_has_name(structure, "vmr-non-blocking");
        return asked ? GST_PAD_PROBE_HANDLED : GST_PAD_PROBE_OK;
    }
    const GstClockTime now = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
    listener.out_of_order += listener.packets > 0 && now <= listener.last ? 1 : 0;
    listener.last = now;
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    listener.by_helpers += std::strcmp(name, "vmr-fan-out") == 0 ? 1 : 0;
    ++listener.packets;
    const gint64 until = g_get_monotonic_time() + 100;
    while (g_get_monotonic_time() < until) {
    }
    return GST_PAD_PROBE_DROP;  // a paused fakesink would break the promise
}

TEST(MixerAudio, WhatIsTooLongForOneThreadIsSharedWithHelpers) {
    if (std::thread::hardware_concurrency() < 2) {
        GTEST_SKIP() << "one core";
    }
    constexpr unsigned kListeners = 140;  // 14 ms of a tick of 20
    std::string description = talker(0, 400);
    for (unsigned i = 1; i <= kListeners; ++i) {
        const std::string number = std::to_string(i);
        description += " m.audio_src_" + number + " ! " +
                       (i % 2 == 0 ? "application/x-rtp,encoding-name=PCMU" : "audio/x-mulaw") +
                       " ! fakesink async=false name=f" + number;
    }
    RoomPipeline room(description);
    std::vector<SlowListener> listeners(kListeners);
    for (unsigned i = 1; i <= kListeners; ++i) {
        const ElementPtr sink = room.element(("f" + std::to_string(i)).c_str());
        const PadPtr pad = PadPtr::adopt(gst_element_get_static_pad(sink.get(), "sink"));
        gst_pad_add_probe(pad.get(),
                          static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM |
                                                       GST_PAD_PROBE_TYPE_PUSH | GST_PAD_PROBE_TYPE_BUFFER),
                          on_slow_data, &listeners[i - 1], nullptr);
    }
    const auto helped = [&listeners] {
        return std::any_of(listeners.begin(), listeners.end(),
                           [](const SlowListener& each) { return each.by_helpers > 5; });
    };
    room.play();
    EXPECT_TRUE(wait_for(helped));
    EXPECT_TRUE(wait_for([&listeners] {
        return std::all_of(listeners.begin(), listeners.end(),
                           [](const SlowListener& each) { return each.packets > 20; });
    }));
    room.stop();
    for (const SlowListener& listener : listeners) {
        EXPECT_EQ(listener.out_of_order, 0);
    }
}

TEST(MixerAudio, ATickOfTenMilliseconds) {
    RoomPipeline room(
        talker(0, 400) + listener("audio_src_1", kAudioCaps, "a1") +
            listener("audio_src_2", "application/x-rtp,encoding-name=OPUS ! rtpopusdepay ! opusdec", "a2"),
        "tick=10");
    room.play();
    for (int i = 0; i < 20; ++i) {
        const auto sample = room.pull("a1");
        ASSERT_TRUE(sample);
        EXPECT_EQ(GST_BUFFER_DURATION(gst_sample_get_buffer(sample.get())), 10 * GST_MSECOND);
        EXPECT_EQ(gst_buffer_get_size(gst_sample_get_buffer(sample.get())), 960U);
    }
    const auto heard = whole(room, "a1", 0, {400});
    EXPECT_NEAR(tone(heard, 400), kTalker, 400);
    EXPECT_TRUE(room.pull("a2"));
}

TEST(MixerAudio, TalkingAndLevelsArePosted) {
    RoomPipeline room(talker(3, 400) + listener("audio_src_1", kAudioCaps, "a1"), "interval=100");
    room.play();
    const GPtr<GstBus> bus = GPtr<GstBus>::adopt(gst_element_get_bus(room.pipeline()));
    bool talking = false;
    bool levels = false;
    const auto look = [&] {
        while (auto message = GPtr<GstMessage>::adopt(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ELEMENT))) {
            const GstStructure* structure = gst_message_get_structure(message.get());
            const GValue* who = gst_structure_get_value(structure, "participants");
            if (gst_structure_has_name(structure, "vmr-talking") && gst_value_array_get_size(who) == 1) {
                talking = g_value_get_uint(gst_value_array_get_value(who, 0)) == 3;
            }
            if (gst_structure_has_name(structure, "vmr-levels")) {
                const GValue* list = gst_structure_get_value(structure, "levels");
                levels = levels || (gst_value_array_get_size(list) == 1 &&
                                    g_value_get_double(gst_value_array_get_value(list, 0)) > -20);
            }
        }
        return talking && levels;
    };
    EXPECT_TRUE(wait_for(look));
    const PadPtr pad = PadPtr::adopt(gst_element_get_static_pad(room.mixer(), "audio_sink_3"));
    gboolean property = FALSE;
    double level = 0;
    g_object_get(pad.get(), "talking", &property, "level", &level, nullptr);
    EXPECT_TRUE(property);
    EXPECT_NEAR(level, -17, 1.5);
}

}  // namespace
}  // namespace vmr::test
