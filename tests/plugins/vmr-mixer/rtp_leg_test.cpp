#include "rtp_leg.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>

#include "audio_encoder.hpp"
#include "decode_chooser.hpp"
#include "intake.hpp"
#include "signals.hpp"

namespace vmr::mixer {
namespace {

constexpr std::int64_t kTickUs = 20'000;
constexpr unsigned kLevelId = 3;

// One sender: a tone, encoded and packed each 20 ms.
class Sender {
public:
    Sender(AudioCodec codec, double hertz, std::uint32_t ssrc)
        : codec_(codec), hertz_(hertz), encoder_(make_audio_encoder(format())) {
        header_.ssrc = ssrc;
        header_.payload_type = 96;
    }
    AudioFormat format() const {
        const int rate = codec_ == AudioCodec::opus ? 48000 : codec_ == AudioCodec::g722 ? 16000 : 8000;
        return {codec_, rate, 48000};
    }
    std::vector<std::uint8_t> packet(std::optional<std::uint8_t> level, double amplitude = 8000) {
        const int rate = format().rate;
        const auto count = static_cast<std::size_t>(rate / 50);
        const auto wave = test::sine(hertz_, amplitude, count * sent_++, count, rate);
        std::vector<std::uint8_t> payload;
        encoder_->encode(wave, false, payload);
        std::array<std::uint8_t, kRtpHeaderWithLevel> bytes;
        const std::size_t size = write_rtp_header(header_, level ? kLevelId : 0, level.value_or(0), bytes);
        ++header_.sequence;
        header_.timestamp += codec_ == AudioCodec::opus ? 960 : 160;
        std::vector<std::uint8_t> packet(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        packet.insert(packet.end(), payload.begin(), payload.end());
        return packet;
    }

private:
    AudioCodec codec_;
    double hertz_;
    std::unique_ptr<AudioEncoder> encoder_;
    RtpHeader header_;
    std::size_t sent_ = 0;
};

class RtpLegCodec : public testing::TestWithParam<AudioCodec> {};

TEST_P(RtpLegCodec, IsHeard) {
    Sender sender(GetParam(), 1000, 1);
    RtpLeg leg({.codec = GetParam(), .payload_type = 96, .level_id = kLevelId}, {});
    std::vector<std::int16_t> heard;
    for (int i = 0; i < 100; ++i) {
        leg.push(sender.packet(10), i * kTickUs);
        SampleBlock block{};
        const auto seen = leg.prepare(i * kTickUs, kBlock);
        EXPECT_EQ(leg.play(seen.sounding, block), seen.sounding);
        heard.insert(heard.end(), block.begin(), block.end());
    }
    const auto tail = std::span<const std::int16_t>(heard).last(48000);
    EXPECT_NEAR(test::tone(tail, 1000), 8000, 500);
}

// Every tenth packet missing: no gap, nearly no loss of level, and nothing added.
TEST_P(RtpLegCodec, LossIsConcealed) {
    Sender sender(GetParam(), 1000, 1);
    RtpLeg leg({.codec = GetParam(), .level_id = kLevelId}, {});
    std::vector<std::int16_t> heard;
    int silent_blocks = 0;
    for (int i = 0; i < 200; ++i) {
        const auto packet = sender.packet(10);
        if (i % 10 != 5) {
            leg.push(packet, i * kTickUs);
        }
        SampleBlock block{};
        const auto seen = leg.prepare(i * kTickUs, kBlock);
        leg.play(seen.sounding, block);
        silent_blocks += i > 10 && level_db(block) < -40 ? 1 : 0;
        heard.insert(heard.end(), block.begin(), block.end());
    }
    EXPECT_EQ(silent_blocks, 0);
    EXPECT_NEAR(leg.stats().packets.lost, 20, 2);
}

INSTANTIATE_TEST_SUITE_P(Codecs, RtpLegCodec,
                         testing::Values(AudioCodec::opus, AudioCodec::mulaw, AudioCodec::alaw,
                                         AudioCodec::g722));

// A tone over a path whose delay is anything up to so many ms, packets overtake each other: 5 ms pieces that
// are 12 dB down.
TEST_P(RtpLegCodec, JitterMakesNoGaps) {
    for (const int jitter_ms : {0, 20, 100}) {
        Sender sender(GetParam(), 1000, 1);
        RtpLeg leg({.codec = GetParam(), .payload_type = 96, .level_id = kLevelId}, {});
        std::mt19937 random(1);
        std::uniform_int_distribution<std::int64_t> jitter(0, jitter_ms * 1000);
        std::multimap<std::int64_t, std::vector<std::uint8_t>> under_way;
        std::vector<std::int16_t> heard;
        for (int i = 0; i < 1200; ++i) {
            under_way.emplace(i * kTickUs + 7'000 + jitter(random), sender.packet(10));
            for (; under_way.begin()->first <= i * kTickUs; under_way.erase(under_way.begin())) {
                leg.push(under_way.begin()->second, under_way.begin()->first);
            }
            SampleBlock block{};
            leg.prepare(i * kTickUs, kBlock);
            leg.play(true, block);
            heard.insert(heard.end(), block.begin(), block.end());
        }
        const auto late = std::span<const std::int16_t>(heard).subspan(8 * 48000);
        constexpr std::size_t kPiece = 240;
        int gaps = 0;
        for (std::size_t at = 0; at + kPiece <= late.size(); at += kPiece) {
            gaps += test::tone(late.subspan(at, kPiece), 1000) < 2000 ? 1 : 0;
        }
        EXPECT_EQ(gaps, 0) << jitter_ms << " ms";
        EXPECT_LE(leg.stats().target_ms, 25 + jitter_ms);
    }
}

// 100 ms of packets come at once, once: the talker goes on, the delay comes down, the tone has no seam.
TEST_P(RtpLegCodec, AfterAStallTheDelayComesDownInTheMiddleOfSpeech) {
    Sender sender(GetParam(), 250, 1);
    RtpLeg leg({.codec = GetParam(), .payload_type = 96, .level_id = kLevelId}, {});
    std::vector<std::vector<std::uint8_t>> held_up;
    std::vector<std::int16_t> heard;
    for (int i = 0; i < 400; ++i) {
        held_up.push_back(sender.packet(10));
        if (i < 200 || i >= 205) {
            for (const auto& packet : held_up) {
                leg.push(packet, i * kTickUs - 10'000);
            }
            held_up.clear();
        }
        SampleBlock block{};
        leg.prepare(i * kTickUs, kBlock);
        leg.play(true, block);
        heard.insert(heard.end(), block.begin(), block.end());
        if (i == 206) {
            EXPECT_GT(leg.stats().delay_ms, 80);
        }
    }
    EXPECT_LT(leg.stats().delay_ms, 40);
    EXPECT_EQ(leg.stats().packets.skipped, 0U);
    int sharpest = 0;  // a 250 Hz sine of 8000 bends 9 a sample squared
    for (std::size_t i = 210 * kBlock; i + 2 < heard.size(); ++i) {
        sharpest = std::max(sharpest, std::abs(heard[i] - 2 * heard[i + 1] + heard[i + 2]));
    }
    EXPECT_LT(sharpest, GetParam() == AudioCodec::opus ? 60 : 600);  // of G.711 there is the quantisation
}

TEST(RtpLeg, OtherPayloadTypesAreNotPlayed) {
    Sender sender(AudioCodec::mulaw, 1000, 1);
    RtpLeg leg({.codec = AudioCodec::mulaw, .payload_type = 0}, {});
    for (int i = 0; i < 10; ++i) {
        leg.push(sender.packet({}), i * kTickUs);
        EXPECT_FALSE(leg.prepare(i * kTickUs, kBlock).sounding);
    }
}

TEST(RtpLeg, GarbageIsHarmless) {
    RtpLeg leg({.codec = AudioCodec::opus, .level_id = 1}, {});
    std::uint32_t state = 1;
    for (int i = 0; i < 5000; ++i) {
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(state % 200));
        for (auto& byte : bytes) {
            state = state * 1664525 + 1013904223;
            byte = static_cast<std::uint8_t>(state >> 24);
        }
        if (!bytes.empty()) {
            bytes[0] = static_cast<std::uint8_t>(0x80 | (bytes[0] & 0x3F));
        }
        leg.push(bytes, i * kTickUs);
        SampleBlock block{};
        leg.prepare(i * kTickUs, kBlock);
        leg.play(true, block);
    }
}

// Many legs through the chooser.
class IntakeTest : public testing::Test {
protected:
    void add(bool with_level) {
        const auto index = static_cast<unsigned>(senders_.size());
        senders_.push_back(std::make_unique<Sender>(AudioCodec::opus, 300.0 + 100 * index, index));
        legs_.push_back(std::make_unique<RtpLeg>(
            RtpLeg::Format{.codec = AudioCodec::opus, .level_id = kLevelId}, JitterBuffer::Limits{}));
        candidates_.push_back(std::make_unique<DecodeChooser::Candidate>());
        with_level_.push_back(with_level);
        sources_.push_back(
            {.participant = index, .leg = legs_.back().get(), .candidate = candidates_.back().get()});
    }
    // `talks(leg)`: amplitude, 0 for silence.
    std::uint64_t tick(const std::function<double(std::size_t)>& talks) {
        for (std::size_t i = 0; i < legs_.size(); ++i) {
            const double amplitude = talks(i);
            const std::uint8_t level = amplitude > 0 ? 20 : 127;
            const auto packet =
                senders_[i]->packet(with_level_[i] ? std::optional(level) : std::nullopt, amplitude);
            legs_[i]->push(packet, ticks_ * kTickUs);
        }
        const std::uint64_t before = intake_.decodes();
        intake_.gather(sources_, {.due_us = ticks_ * kTickUs}, {}, inputs_);
        ++ticks_;
        return intake_.decodes() - before;
    }

    std::vector<std::unique_ptr<Sender>> senders_;
    std::vector<std::unique_ptr<RtpLeg>> legs_;
    std::vector<std::unique_ptr<DecodeChooser::Candidate>> candidates_;
    std::vector<bool> with_level_;
    std::vector<Intake::Source> sources_;
    std::vector<AudioRoom::Input> inputs_;
    Intake intake_;
    std::int64_t ticks_ = 0;
};

TEST_F(IntakeTest, OnlyTalkersAreDecoded) {
    for (int i = 0; i < 50; ++i) {
        add(true);
    }
    for (int i = 0; i < 20; ++i) {
        const auto decodes = tick([](std::size_t leg) { return leg < 3 ? 8000.0 : 0.0; });
        EXPECT_LE(decodes, i > 5 ? 3U : 6U);
        if (i > 5) {
            EXPECT_EQ(decodes, 3U);
        }
    }
}

TEST_F(IntakeTest, MoreTalkersThanMayBeHeardAreNotDecoded) {
    for (int i = 0; i < 12; ++i) {
        add(true);
    }
    for (int i = 0; i < 20; ++i) {
        const auto decodes = tick([](std::size_t) { return 8000.0; });
        if (i > 5) {
            EXPECT_EQ(decodes, 8U);
        }
    }
}

TEST_F(IntakeTest, WhoDoesNotTellItsLevelIsDecoded) {
    add(false);
    add(true);
    for (int i = 0; i < 20; ++i) {
        const auto decodes = tick([](std::size_t) { return 0.0; });
        if (i > 5) {
            EXPECT_EQ(decodes, 1U);
        }
    }
}

// The tick in which a talker's first loud packet is due is the tick in which it is heard.
TEST_F(IntakeTest, OnsetIsNotLost) {
    add(true);
    int onset = -1;
    int heard = -1;
    for (int i = 0; i < 100; ++i) {
        const std::uint64_t played = legs_[0]->stats().packets.played;
        tick([&](std::size_t) { return i >= 50 ? 8000.0 : 0.0; });
        if (onset < 0 && legs_[0]->stats().packets.played >= 51 && played < 51) {
            onset = i;
        }
        if (heard < 0 && inputs_[0].samples != nullptr && level_db(*inputs_[0].samples) > -25) {
            heard = i;
        }
    }
    ASSERT_GE(onset, 0);
    EXPECT_LE(heard, onset + 1);
    EXPECT_GE(heard, onset);
}

// Whenever in a tick packets come, and though the silence before had to make up for late ones.
TEST_F(IntakeTest, OnsetLosesNoMoreThanOneFrame) {
    constexpr int kOnset = 150, kTalk = 50;
    for (std::int64_t phase = 0; phase < kTickUs; phase += 3'000) {
        Sender sender(AudioCodec::opus, 1000, 1);
        RtpLeg leg({.codec = AudioCodec::opus, .level_id = kLevelId}, {});
        DecodeChooser::Candidate candidate;
        const std::vector<Intake::Source> sources{{.participant = 0, .leg = &leg, .candidate = &candidate}};
        std::vector<std::vector<std::uint8_t>> held_up;
        int pieces = 0;
        for (std::int64_t i = 0; i < 250; ++i) {
            const bool talks = i >= kOnset && i < kOnset + kTalk;
            held_up.push_back(sender.packet(talks ? 10 : 127, talks ? 8000 : 0));
            if (i < kOnset - 8 || i >= kOnset - 4) {
                for (const auto& packet : held_up) {
                    leg.push(packet, i * kTickUs - phase);
                }
                held_up.clear();
            }
            intake_.gather(sources, {.due_us = i * kTickUs}, {}, inputs_);
            for (std::size_t at = 0; inputs_[0].samples != nullptr && at < kBlock; at += 240) {
                pieces += level_db({inputs_[0].samples->data() + at, 240}) > -25 ? 1 : 0;
            }
        }
        EXPECT_GE(pieces, kTalk * 4 - 4) << phase;
        EXPECT_LE(pieces, kTalk * 4 + 4) << phase;
    }
}

}  // namespace
}  // namespace vmr::mixer
