// What participants hear.
#include <algorithm>

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
    const auto heard = room.audio("a1", 2 * kHalfSecond, 15);
    EXPECT_NEAR(tone(heard, 400), 6553, 300);
    GstClockTime last = GST_CLOCK_TIME_NONE;
    for (int i = 0; i < 20; ++i) {
        const auto sample = room.pull("a1");
        ASSERT_TRUE(sample);
        const GstClockTime pts = GST_BUFFER_PTS(gst_sample_get_buffer(sample.get()));
        if (last != GST_CLOCK_TIME_NONE) {
            EXPECT_EQ(pts - last, 20 * GST_MSECOND);
        }
        last = pts;
    }
    gst_pad_remove_probe(jammed.get(), probe);
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
