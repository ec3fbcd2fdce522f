// Recorded speech through legs and rooms: what loss does to it, and how loud it comes out.
#include "speech.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "audio_encoder.hpp"
#include "audio_room.hpp"
#include "decimator.hpp"
#include "mix_kernel.hpp"
#include "rtp_leg.hpp"

namespace vmr::mixer {
namespace {

constexpr std::int64_t kTickUs = 20'000;

AudioFormat format_of(AudioCodec codec, bool fec) {
    return {codec, codec == AudioCodec::opus ? 48000 : 8000, 32000, fec};
}

// Packets of 20 ms that arrive half a tick before the next one, and of which `loss` percent do not.
std::vector<std::int16_t> through_leg(std::span<const std::int16_t> speech, const AudioFormat& format,
                                      int loss, unsigned seed = 1) {
    const auto encoder = make_audio_encoder(format);
    Decimator narrow(format.rate);
    RtpLeg leg({.codec = format.codec}, {});
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> percent(0, 99);
    RtpHeader header{.payload_type = 96};
    std::vector<std::int16_t> heard;
    std::vector<std::int16_t> samples;
    for (std::int64_t i = 0; (static_cast<std::size_t>(i) + 1) * kBlock <= speech.size(); ++i) {
        const auto block = speech.subspan(static_cast<std::size_t>(i) * kBlock, kBlock);
        samples.assign(block.begin(), block.end());
        if (format.rate != kRoomRate) {
            narrow.process(block, samples);
        }
        std::vector<std::uint8_t> payload;
        encoder->encode(samples, false, payload);
        std::array<std::uint8_t, kRtpHeaderWithLevel> bytes;
        const std::size_t size = write_rtp_header(header, 0, 0, bytes);
        std::vector<std::uint8_t> packet(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        packet.insert(packet.end(), payload.begin(), payload.end());
        ++header.sequence;
        header.timestamp += format.codec == AudioCodec::opus ? 960 : 160;
        if (percent(random) >= loss) {
            leg.push(packet, i * kTickUs - kTickUs / 2);
        }
        SampleBlock out{};
        leg.prepare(i * kTickUs, kBlock);
        leg.play(true, out);
        heard.insert(heard.end(), out.begin(), out.end());
    }
    return heard;
}

// Of 5 ms pieces in which somebody speaks: the share, and the longest row, of those 12 dB quieter than in
// `original`, in which they lie `shift` earlier. A row that begins with an onset is none: nobody can tell
// what began within lost packets.
struct Gaps {
    double percent = 0;
    std::size_t longest_ms = 0;
    double snr_db = 0;
};

// Whether the piece is 12 dB louder than all of the 40 ms before.
bool begins_at(std::span<const std::int16_t> sound, std::size_t at, std::size_t piece) {
    double before = kSilenceDb;
    for (std::size_t i = 1; i <= 8 && i * piece <= at; ++i) {
        before = std::max(before, level_db(sound.subspan(at - i * piece, piece)));
    }
    return level_db(sound.subspan(at, piece)) > before + 12;
}

Gaps gaps_in(std::span<const std::int16_t> original, std::span<const std::int16_t> heard, std::size_t shift) {
    constexpr std::size_t kPiece = 240;
    std::size_t spoken = 0, missing = 0, row = 0, longest = 0;
    bool onset = false;
    double signal = 0, noise = 0;
    for (std::size_t at = 0; at + shift + kPiece <= heard.size(); at += kPiece) {
        const auto before = original.subspan(at, kPiece), after = heard.subspan(at + shift, kPiece);
        if (level_db(before) < -45) {
            row = 0;
            continue;
        }
        ++spoken;
        row = level_db(after) < level_db(before) - 12 ? row + 1 : 0;
        missing += row > 0 ? 1 : 0;
        onset = row == 1 ? begins_at(original, at, kPiece) : onset;
        longest = onset ? longest : std::max(longest, row);
        for (std::size_t i = 0; i < kPiece; ++i) {
            signal += std::pow(before[i], 2);
            noise += std::pow(before[i] - after[i], 2);
        }
    }
    return {100.0 * static_cast<double>(missing) / static_cast<double>(spoken), longest * 5,
            10 * std::log10(signal / noise)};
}

// Where `heard` fits `original` best, samples.
std::size_t best_shift(std::span<const std::int16_t> original, std::span<const std::int16_t> heard) {
    constexpr std::size_t kMost = 7200;
    double best = -1;
    std::size_t found = 0;
    for (std::size_t shift = 0; shift < kMost; ++shift) {
        double sum = 0;
        for (std::size_t i = 0; i + shift < std::min<std::size_t>(heard.size(), 4 * 48000); i += 5) {
            sum += static_cast<double>(original[i]) * heard[i + shift];
        }
        if (sum > best) {
            best = sum;
            found = shift;
        }
    }
    return found;
}

class SpeechLoss : public testing::Test {
protected:
    static constexpr std::size_t kSettled = 10 * 48000;  // samples

    void SetUp() override {
        speech_ = test::speech("demo-instruct", 0, 30);
        if (speech_.empty()) {
            GTEST_SKIP() << "no recordings";
        }
    }
    // Beside what comes out without loss.
    Gaps with_loss(AudioCodec codec, bool fec, int percent, unsigned seed = 1) const {
        const auto clean = through_leg(speech_, format_of(codec, fec), 0);
        const auto lossy = through_leg(speech_, format_of(codec, fec), percent, seed);
        const auto original = std::span<const std::int16_t>(clean).subspan(kSettled);
        const auto heard = std::span<const std::int16_t>(lossy).subspan(kSettled);
        const Gaps gaps = gaps_in(original, heard, best_shift(original, heard));
        RecordProperty("gaps_percent", std::to_string(gaps.percent));
        RecordProperty("longest_ms", std::to_string(gaps.longest_ms));
        RecordProperty("snr_db", std::to_string(gaps.snr_db));
        return gaps;
    }

private:
    std::vector<std::int16_t> speech_;
};

TEST_F(SpeechLoss, FecClosesNearlyAllGapsOfATenth) {
    const Gaps gaps = with_loss(AudioCodec::opus, true, 10);
    EXPECT_LT(gaps.percent, 0.3);
    EXPECT_LE(gaps.longest_ms, 20U);
    EXPECT_GT(gaps.snr_db, 16);
}

TEST_F(SpeechLoss, WithoutFecItIsConcealed) {
    const Gaps gaps = with_loss(AudioCodec::opus, false, 10);
    EXPECT_LT(gaps.percent, 3);
    EXPECT_GT(gaps.snr_db, 7);
}

TEST_F(SpeechLoss, G711IsConcealed) {
    const Gaps gaps = with_loss(AudioCodec::mulaw, false, 10);
    EXPECT_LT(gaps.percent, 1.5);
    EXPECT_LE(gaps.longest_ms, 60U);
    EXPECT_GT(gaps.snr_db, 8);
}

TEST_F(SpeechLoss, G711ThatIsLostInARowStaysAudible) {
    for (unsigned seed = 2; seed <= 6; ++seed) {
        const Gaps gaps = with_loss(AudioCodec::mulaw, false, 10, seed);
        EXPECT_LT(gaps.percent, 1.4);
        EXPECT_LE(gaps.longest_ms, 60U);
    }
}

// A room in which one speaks after the other, at so many dB from how they were recorded.
class SpeechLevel : public testing::Test {
protected:
    static constexpr double kSeconds = 15.0, kAfter = 5.0;

    double heard_lufs(std::vector<std::int16_t> speech, double gain_db, bool telephone) {
        if (telephone) {
            speech = over_the_telephone(speech, gain_db);
        } else {
            scale(speech, gain_db);
        }
        const unsigned participant = next_participant_++;
        LevelControl control;
        std::vector<AudioRoom::Output> outputs{{99, {AudioCodec::raw, kRoomRate}}};
        std::vector<std::int16_t> heard;
        SampleBlock block{};
        for (std::size_t at = 0; at + kBlock <= speech.size(); at += kBlock) {
            std::copy_n(speech.begin() + static_cast<std::ptrdiff_t>(at), kBlock, block.begin());
            std::vector<AudioRoom::Input> inputs{
                {.participant = participant, .samples = &block, .control = &control}};
            room_.tick(inputs, outputs);
            std::vector<std::int16_t> tick(kBlock);
            std::memcpy(tick.data(), room_.heard_by(0).payload->data(), kBlock * sizeof(std::int16_t));
            heard.insert(heard.end(), tick.begin(), tick.end());
        }
        return test::loudness(
            std::span<const std::int16_t>(heard).subspan(static_cast<std::size_t>(kAfter * kRoomRate)));
    }

private:
    static void scale(std::vector<std::int16_t>& samples, double gain_db) {
        const double gain = std::pow(10.0, gain_db / 20.0);
        for (std::int16_t& sample : samples) {
            sample = static_cast<std::int16_t>(std::clamp(std::lrint(sample * gain), -32768L, 32767L));
        }
    }
    static std::vector<std::int16_t> over_the_telephone(std::vector<std::int16_t> speech, double gain_db) {
        scale(speech, gain_db);
        Decimator decimator(8000);
        std::vector<std::int16_t> narrow;
        decimator.process(speech, narrow);
        std::vector<std::uint8_t> bytes;
        make_audio_encoder({AudioCodec::mulaw, 8000})->encode(narrow, false, bytes);
        std::vector<std::int16_t> out;
        make_audio_decoder(AudioCodec::mulaw)->decode(bytes, bytes.size() * 6, out);
        return out;
    }

    AudioRoom room_;
    unsigned next_participant_ = 0;
};

TEST_F(SpeechLevel, AQuietTelephoneAndALoudBrowserComeOutAlike) {
    const auto quiet = test::speech("demo-instruct", 0, kSeconds);
    const auto loud = test::speech("priv-callee-options", 1, kSeconds);
    if (quiet.empty() || loud.empty()) {
        GTEST_SKIP() << "no recordings";
    }
    std::vector<double> levels;  // recorded at -18 LUFS
    for (const double gain_db : {-18.0, -9.0, 0.0}) {
        levels.push_back(heard_lufs(quiet, gain_db, true));
    }
    for (const double gain_db : {-9.0, 0.0, 6.0}) {
        levels.push_back(heard_lufs(loud, gain_db, false));
    }
    const auto [softest, loudest] = std::minmax_element(levels.begin(), levels.end());
    RecordProperty("apart_lu", std::to_string(*loudest - *softest));
    EXPECT_LT(*loudest - *softest, 3.0);
}

}  // namespace
}  // namespace vmr::mixer
