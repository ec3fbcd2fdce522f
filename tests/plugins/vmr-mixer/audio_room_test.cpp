#include "audio_room.hpp"

#include <gtest/gtest.h>
#include <opus/opus.h>

#include <cstring>
#include <memory>
#include <set>

#include "signals.hpp"

namespace vmr::mixer {
namespace {

constexpr AudioFormat kRaw{AudioCodec::raw, 48000};
constexpr AudioFormat kOpus{AudioCodec::opus, 48000, 48000};

TEST(OpusBitrate, GoesInSteps) {
    EXPECT_EQ(opus_bitrate_for(48000, 0), 48000);
    EXPECT_EQ(opus_bitrate_for(48000, 4'000'000'000U), 48000);
    EXPECT_EQ(opus_bitrate_for(48000, 47'999), 40000);
    EXPECT_EQ(opus_bitrate_for(48000, 16'000), 16000);
    EXPECT_EQ(opus_bitrate_for(48000, 15'999), 12000);
    EXPECT_EQ(opus_bitrate_for(48000, 1), 6000);
    EXPECT_EQ(opus_bitrate_for(10000, 9'000), 8000);
}

// Drives a room tick by tick with a tone for each talker (0: silence).
class RoomTest : public testing::Test {
protected:
    void tick(const std::vector<double>& tones, std::vector<AudioRoom::Output>& outputs) {
        blocks_.resize(tones.size());
        inputs_.clear();
        for (std::size_t i = 0; i < tones.size(); ++i) {
            const auto wave = test::sine(tones[i], tones[i] > 0 ? 5000 : 0, ticks_ * kBlock, kBlock);
            std::copy(wave.begin(), wave.end(), blocks_[i].begin());
            inputs_.push_back({.participant = static_cast<unsigned>(i), .samples = &blocks_[i]});
        }
        room_.tick(inputs_, outputs);
        ++ticks_;
    }
    const PayloadPtr& packet(std::size_t listener) const { return room_.heard_by(listener).payload; }
    std::vector<std::int16_t> samples(std::size_t listener) const {
        const PayloadPtr& bytes = packet(listener);
        std::vector<std::int16_t> out(bytes->size() / 2);
        std::memcpy(out.data(), bytes->data(), bytes->size());
        return out;
    }

    AudioRoom room_;
    std::vector<SampleBlock> blocks_;
    std::vector<AudioRoom::Input> inputs_;
    std::size_t ticks_ = 0;
};

TEST_F(RoomTest, EveryoneHearsTheOthersExactly) {
    std::vector<AudioRoom::Output> outputs{{0, kRaw}, {1, kRaw}, {2, kRaw}, {9, kRaw}};
    for (int i = 0; i < 3; ++i) {
        tick({400, 1000, 2000}, outputs);
    }
    for (std::size_t listener = 0; listener < 4; ++listener) {
        const auto heard = samples(listener);
        for (std::size_t n = 0; n < kBlock; ++n) {
            int expected = 0;
            for (std::size_t talker = 0; talker < 3; ++talker) {
                expected += talker == listener ? 0 : blocks_[talker][n];
            }
            ASSERT_EQ(heard[n], expected) << "listener " << listener;
        }
    }
}

TEST_F(RoomTest, TwoHundredListenersAndThreeTalkersCostFourEncodes) {
    std::vector<AudioRoom::Output> outputs;
    for (unsigned i = 0; i < 203; ++i) {
        outputs.push_back({i, kOpus});
    }
    for (int i = 0; i < 10; ++i) {
        const auto before = room_.counters();
        tick({400, 1000, 2000}, outputs);
        EXPECT_EQ(room_.counters().encodes - before.encodes, 4U);
        EXPECT_EQ(room_.counters().mixes - before.mixes, 4U);
    }
    std::set<const void*> distinct;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        distinct.insert(packet(i)->data());
    }
    EXPECT_EQ(distinct.size(), 4U);
}

// Listeners who lose packets share an encode with FEC; one that comes to it, or leaves it, hears no click.
TEST_F(RoomTest, LossyListenersShareAnEncodeOfTheirOwn) {
    constexpr AudioFormat kFec{AudioCodec::opus, 48000, 48000, true};
    int error = 0;
    const std::unique_ptr<OpusDecoder, decltype(&opus_decoder_destroy)> decoder(
        opus_decoder_create(48000, 1, &error), opus_decoder_destroy);
    std::vector<AudioRoom::Output> outputs{{7, kOpus}, {8, kOpus}, {9, kFec}, {10, kFec}};
    std::vector<std::int16_t> heard;
    for (int i = 0; i < 150; ++i) {
        outputs[0].format = i >= 50 && i < 100 ? kFec : kOpus;
        const auto before = room_.counters();
        tick({300.0}, outputs);
        EXPECT_EQ(room_.counters().encodes - before.encodes, 2U);
        EXPECT_EQ(packet(2)->data(), packet(3)->data());
        EXPECT_EQ(packet(0)->data(), packet(outputs[0].format == kFec ? 2 : 1)->data());
        std::array<std::int16_t, kBlock> pcm{};
        ASSERT_EQ(opus_decode(decoder.get(), packet(0)->data(), static_cast<opus_int32>(packet(0)->size()),
                              pcm.data(), kBlock, 0),
                  static_cast<int>(kBlock));
        heard.insert(heard.end(), pcm.begin(), pcm.end());
    }
    int sharpest = 0;
    for (std::size_t i = 10 * kBlock; i + 2 < heard.size(); ++i) {
        sharpest = std::max(sharpest, std::abs(heard[i] - 2 * heard[i + 1] + heard[i + 2]));
    }
    EXPECT_LT(sharpest, 100);
}

TEST_F(RoomTest, OnlyTheLoudestAreSummed) {
    room_.set_settings({.max_talkers = 2});
    std::vector<SampleBlock> blocks(3);
    const double amplitudes[] = {8000, 500, 4000};
    std::vector<AudioRoom::Input> inputs;
    for (unsigned i = 0; i < 3; ++i) {
        const auto wave = test::sine(500.0 * (i + 1), amplitudes[i], 0, kBlock);
        std::copy(wave.begin(), wave.end(), blocks[i].begin());
        inputs.push_back({.participant = i, .samples = &blocks[i]});
    }
    std::vector<AudioRoom::Output> outputs{{9, kRaw}};
    for (int i = 0; i < 3; ++i) {
        room_.tick(inputs, outputs);
    }
    EXPECT_NEAR(test::tone(samples(0), 500), 8000, 50);
    EXPECT_LT(test::tone(samples(0), 1000), 5);
    EXPECT_NEAR(test::tone(samples(0), 1500), 4000, 50);
}

TEST_F(RoomTest, MuteSilencesWithinOneTickAndWithoutAClick) {
    std::vector<AudioRoom::Output> outputs{{9, kRaw}};
    for (int i = 0; i < 3; ++i) {
        tick({300}, outputs);
    }
    const std::int16_t last = samples(0).back();
    inputs_[0].mute = true;
    const auto wave = test::sine(300, 5000, ticks_ * kBlock, kBlock);
    std::copy(wave.begin(), wave.end(), blocks_[0].begin());
    room_.tick(inputs_, outputs);
    const auto faded = samples(0);
    EXPECT_EQ(faded.back(), 0);
    EXPECT_LT(std::abs(faded[0] - last), 300);
    room_.tick(inputs_, outputs);
    EXPECT_EQ(level_db(samples(0)), kSilenceDb);
}

// One decoder, as a participant has: listening, then talking, then listening again. Its own voice
// is never in it, and there is no step where the encoder changes.
TEST_F(RoomTest, BecomingATalkerMakesNeitherEchoNorClick) {
    int error = 0;
    const std::unique_ptr<OpusDecoder, decltype(&opus_decoder_destroy)> decoder(
        opus_decoder_create(48000, 1, &error), opus_decoder_destroy);
    std::vector<AudioRoom::Output> outputs{{0, kOpus}, {1, kOpus}};
    std::vector<std::int16_t> heard;
    for (int i = 0; i < 150; ++i) {
        const bool talks = i >= 50 && i < 80;
        tick({talks ? 2500.0 : 0.0, 300.0}, outputs);
        std::array<std::int16_t, kBlock> pcm{};
        ASSERT_EQ(opus_decode(decoder.get(), packet(0)->data(), static_cast<opus_int32>(packet(0)->size()),
                              pcm.data(), kBlock, 0),
                  static_cast<int>(kBlock));
        heard.insert(heard.end(), pcm.begin(), pcm.end());
    }
    const std::span<const std::int16_t> talking(heard.data() + 50 * kBlock, 30 * kBlock);
    EXPECT_LT(test::tone(talking, 2500), 10);
    EXPECT_NEAR(test::tone(talking, 300), 5000, 500);
    // A 300 Hz sine of 5000 bends at most 8 a sample squared; a click bends hundreds.
    int sharpest = 0;
    for (std::size_t i = 10 * kBlock; i + 2 < heard.size(); ++i) {
        sharpest = std::max(sharpest, std::abs(heard[i] - 2 * heard[i + 1] + heard[i + 2]));
    }
    EXPECT_LT(sharpest, 300);
}

TEST_F(RoomTest, SpeaksEveryCodec) {
    std::vector<AudioRoom::Output> outputs{
        {9, {AudioCodec::mulaw, 8000}}, {9, {AudioCodec::alaw, 8000}},
        {9, {AudioCodec::g722, 16000}}, {9, {AudioCodec::raw, 8000}},
        {9, {AudioCodec::raw, 16000}},  {9, {AudioCodec::opus, 48000, 24000, true}}};
    tick({440}, outputs);
    EXPECT_EQ(packet(0)->size(), 160U);
    EXPECT_EQ(packet(1)->size(), 160U);
    EXPECT_EQ(packet(2)->size(), 160U);  // 64 kbit/s
    EXPECT_EQ(packet(3)->size(), 320U);
    EXPECT_EQ(packet(4)->size(), 640U);
    EXPECT_LT(packet(5)->size(), 200U);
}

}  // namespace
}  // namespace vmr::mixer
