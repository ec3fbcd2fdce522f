// What always holds of a room, whoever talks: compared with a slow mix in double precision.
#include <gtest/gtest.h>
#include <opus/opus.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "allocations.hpp"
#include "audio_room.hpp"
#include "intake.hpp"
#include "signals.hpp"

namespace vmr::mixer {
namespace {

constexpr AudioFormat kRaw{AudioCodec::raw, 48000};
constexpr AudioFormat kOpus{AudioCodec::opus, 48000, 48000};

std::vector<std::int16_t> pcm(const PayloadPtr& payload) {
    std::vector<std::int16_t> samples(payload->size() / 2);
    std::memcpy(samples.data(), payload->data(), payload->size());
    return samples;
}

class RandomRoom {
public:
    explicit RandomRoom(unsigned seed, int tick_ms) : room(tick_ms), random_(seed) {
        for (unsigned i = 0; i < kPeople; ++i) {
            outputs.push_back({i, kRaw});
        }
        blocks_.resize(kPeople);
        talking_.resize(kPeople);
    }
    void tick() {
        std::uniform_int_distribution<int> dice(0, 99);
        inputs.clear();
        for (unsigned i = 0; i < kPeople; ++i) {
            if (dice(random_) < 5) {
                talking_[i] = !talking_[i];
            }
            std::uniform_int_distribution<int> sample(-3000, 3000);
            for (auto& value : blocks_[i]) {
                value = static_cast<std::int16_t>(talking_[i] ? sample(random_) : 0);
            }
            inputs.push_back({.participant = i,
                              .samples = dice(random_) < 3 ? nullptr : &blocks_[i],
                              .mute = dice(random_) < 2});
        }
        room.tick(inputs, outputs);
    }

    static constexpr unsigned kPeople = 12;
    AudioRoom room;
    std::vector<AudioRoom::Input> inputs;
    std::vector<AudioRoom::Output> outputs;

private:
    std::mt19937 random_;
    std::vector<SampleBlock> blocks_;
    std::vector<bool> talking_;
};

// The reference: gains ramp as documented, everything in doubles, everybody summed anew for each listener.
class Reference {
public:
    std::vector<double> mix(const RandomRoom& room, unsigned listener) const {
        std::vector<double> sum(room.room.block(), 0.0);
        for (const auto& [participant, part] : parts_) {
            for (std::size_t n = 0; participant != listener && n < sum.size(); ++n) {
                sum[n] += part[n];
            }
        }
        return sum;
    }
    void follow(const RandomRoom& room) {
        parts_.clear();
        for (std::size_t i = 0; i < room.inputs.size(); ++i) {
            const auto& input = room.inputs[i];
            const bool heard = !input.mute && room.room.detector().heard_at(i);
            double& gain = gains_[input.participant];
            const double target = heard ? input.volume : 0.0;
            if (input.samples == nullptr) {
                gain = 0.0;
                continue;
            }
            std::vector<double>& part = parts_[input.participant];
            for (std::size_t n = 0; n < room.room.block(); ++n) {
                const double at =
                    n < kRamp ? gain + (target - gain) * static_cast<double>(n) / kRamp : target;
                part.push_back(at * (*input.samples)[n]);
            }
            gain = target;
        }
    }

private:
    std::map<unsigned, double> gains_;
    std::map<unsigned, std::vector<double>> parts_;
};

class RoomProperties : public testing::TestWithParam<int> {};

TEST_P(RoomProperties, EverybodyHearsTheReferenceMixAndNeverThemselves) {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        RandomRoom room(seed, GetParam());
        Reference reference;
        for (int i = 0; i < 200; ++i) {
            room.tick();
            reference.follow(room);
            for (unsigned listener = 0; listener < RandomRoom::kPeople; ++listener) {
                const auto heard = pcm(room.room.heard_by(listener).payload);
                const auto expected = reference.mix(room, listener);
                ASSERT_EQ(heard.size(), expected.size());
                for (std::size_t n = 0; n < heard.size(); ++n) {
                    // At most eight are summed: each is rounded once.
                    ASSERT_NEAR(heard[n], expected[n], 4.5) << "seed " << seed << " tick " << i;
                }
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Ticks, RoomProperties, testing::Values(10, 20));

TEST(RoomSharing, EqualListenersHaveOnePayload) {
    RandomRoom room(9, 20);
    for (unsigned i = 100; i < 300; ++i) {
        room.outputs.push_back({i, i % 2 == 0 ? kOpus : kRaw});
    }
    for (int i = 0; i < 50; ++i) {
        room.tick();
        std::set<const Payload*> distinct;
        for (std::size_t k = RandomRoom::kPeople; k < room.outputs.size(); ++k) {
            distinct.insert(room.room.heard_by(k).payload.get());
        }
        ASSERT_EQ(distinct.size(), 2U);
    }
}

TEST(RoomSharing, ASteadyRoomAllocatesNothing) {
    AudioRoom room;
    std::vector<SampleBlock> blocks(50);
    std::vector<LevelControl> controls(50);
    std::vector<AudioRoom::Input> inputs;
    std::vector<AudioRoom::Output> outputs;
    for (unsigned i = 0; i < 50; ++i) {
        const auto wave = test::sine(300.0 + i, i < 3 ? 4000 : 0, 0, kBlock);
        std::copy(wave.begin(), wave.end(), blocks[i].begin());
        inputs.push_back({.participant = i, .samples = &blocks[i], .control = &controls[i]});
        outputs.push_back({i, i % 3 == 0 ? kOpus : AudioFormat{AudioCodec::mulaw, 8000}});
        outputs.push_back({1000 + i, i % 3 == 0 ? AudioFormat{AudioCodec::g722, 16000} : kRaw});
    }
    for (int i = 0; i < 100; ++i) {
        room.tick(inputs, outputs);
    }
    const std::uint64_t before = test::allocations();
    for (int i = 0; i < 100; ++i) {
        room.tick(inputs, outputs);
    }
    EXPECT_EQ(test::allocations() - before, 0U);
}

// Listeners, talkers and a queue each, for the rest of the tests.
class SmallRoom {
public:
    explicit SmallRoom(std::size_t people, int tick_ms = 20)
        : room(tick_ms), blocks_(people), controls(people) {}

    // `amplitude(participant)` of a tone of 300 + 200 Hz * participant.
    void tick(const std::function<double(std::size_t)>& amplitude) {
        inputs_.clear();
        for (std::size_t i = 0; i < blocks_.size(); ++i) {
            const auto wave = test::sine(300.0 + 200.0 * static_cast<double>(i), amplitude(i),
                                         ticks * room.block(), room.block());
            std::copy(wave.begin(), wave.end(), blocks_[i].begin());
            inputs_.push_back({.participant = static_cast<unsigned>(i),
                               .samples = &blocks_[i],
                               .control = level_control ? &controls[i] : nullptr});
        }
        room.tick(inputs_, outputs);
        ++ticks;
    }

    AudioRoom room;
    std::vector<AudioRoom::Output> outputs;
    std::size_t ticks = 0;
    bool level_control = false;

private:
    std::vector<SampleBlock> blocks_;
    std::vector<AudioRoom::Input> inputs_;

public:
    std::vector<LevelControl> controls;
};

TEST(RoomPause, ASilentOpusStreamSendsTwoPacketsEach400Ms) {
    for (const int tick_ms : {10, 20}) {
        SmallRoom room(2, tick_ms);
        room.room.set_settings({.dtx = true});
        room.outputs = {{9, kOpus}, {8, {AudioCodec::mulaw, 8000}}};
        const int second = 1000 / tick_ms;
        int sent = 0;
        const auto encodes = [&] { return room.room.counters().encodes; };
        for (int i = 0; i < second; ++i) {
            room.tick([](std::size_t) { return 0.0; });
        }
        const std::uint64_t before = encodes();
        for (int i = 0; i < 4 * second; ++i) {
            room.tick([](std::size_t) { return 0.0; });
            sent += room.room.heard_by(0).pause ? 0 : 1;
            EXPECT_FALSE(room.room.heard_by(1).pause);
        }
        EXPECT_EQ(sent, 20) << tick_ms;  // 4 s, ten cycles
        EXPECT_EQ(encodes() - before,
                  static_cast<std::uint64_t>(4 * second + 10));  // mu-law, and ten updates
        room.tick([](std::size_t i) { return i == 0 ? 5000.0 : 0.0; });
        EXPECT_FALSE(room.room.heard_by(0).pause);
        EXPECT_GT(room.room.heard_by(0).payload->size(), 10U);
    }
}

TEST(RoomComfort, ASilentLineIsNotDead) {
    SmallRoom room(2);
    room.room.set_settings({.comfort_db = -65.0});
    room.outputs = {{9, kRaw}, {9, {AudioCodec::raw, 8000}}, {9, {AudioCodec::mulaw, 8000}}};
    for (int i = 0; i < 10; ++i) {
        room.tick([](std::size_t) { return 0.0; });
        EXPECT_NEAR(level_db(pcm(room.room.heard_by(0).payload)), -65, 1.5);
        EXPECT_NEAR(level_db(pcm(room.room.heard_by(1).payload)), -65, 2.5);
        const auto& bytes = *room.room.heard_by(2).payload;
        EXPECT_GT(std::set<std::uint8_t>(bytes.begin(), bytes.end()).size(), 3U);
        EXPECT_EQ(room.room.heard_by(0).level_db, kSilenceDb);  // it is nobody's voice
    }
}

// A quiet phone and a loud browser, 23 dB apart, are within 3 dB of each other after five seconds.
TEST(RoomLevels, QuietAndLoudMeet) {
    SmallRoom room(2);
    room.level_control = true;
    room.outputs = {{9, kRaw}};
    const double amplitudes[] = {400.0, 6000.0};
    std::vector<std::int16_t> heard;
    for (int i = 0; i < 300; ++i) {
        room.tick([&](std::size_t who) { return amplitudes[who]; });
        if (i >= 250) {
            const auto block = pcm(room.room.heard_by(0).payload);
            heard.insert(heard.end(), block.begin(), block.end());
        }
    }
    const double quiet = 20 * std::log10(test::tone(heard, 300));
    const double loud = 20 * std::log10(test::tone(heard, 500));
    EXPECT_NEAR(quiet, loud, 3.0);
    EXPECT_LE(room.controls[0].gain_db(), LevelControl::kMostUpDb);
    EXPECT_GE(room.controls[1].gain_db(), -LevelControl::kMostDownDb);
}

TEST(RoomLevels, PausesAndNoiseAreNotPumped) {
    LevelControl control;
    for (int i = 0; i < 200; ++i) {
        control.update(-38.0, true, 20);
    }
    const double gain = control.gain();
    EXPECT_NEAR(control.gain_db(), 12.0, 1.0);
    for (int i = 0; i < 5000; ++i) {
        control.update(-58.0, false, 20);
    }
    EXPECT_EQ(control.gain(), gain);
}

// Frames of one participant's decoder as it moves between the common mix, which others keep alive, and its
// own: the sharpest bend of what it plays, where a steady tone bends 8 a sample squared.
int sharpest_bend(SmallRoom& room, std::size_t talker) {
    int error = 0;
    const std::unique_ptr<OpusDecoder, decltype(&opus_decoder_destroy)> decoder(
        opus_decoder_create(48000, 1, &error), opus_decoder_destroy);
    std::vector<std::int16_t> heard;
    for (int i = 0; i < 400; ++i) {
        const bool talks = i % 100 >= 50 && i % 100 < 60;
        room.tick([&](std::size_t who) { return who == talker ? (talks ? 5000.0 : 0.0) : 5000.0; });
        std::array<std::int16_t, kBlock> block{};
        const auto& payload = *room.room.heard_by(0).payload;
        EXPECT_EQ(opus_decode(decoder.get(), payload.data(), static_cast<opus_int32>(payload.size()),
                              block.data(), kBlock, 0),
                  static_cast<int>(kBlock));
        heard.insert(heard.end(), block.begin(), block.end());
    }
    EXPECT_LT(test::tone(std::span<const std::int16_t>(heard).subspan(10 * kBlock), 300.0 + 200.0 * talker),
              40);
    int sharpest = 0;
    for (std::size_t i = 10 * kBlock; i + 2 < heard.size(); ++i) {
        sharpest = std::max(sharpest, std::abs(heard[i] - 2 * heard[i + 1] + heard[i + 2]));
    }
    return sharpest;
}

TEST(RoomMoves, BetweenMixesThatOthersKeepAliveWithoutAClick) {
    SmallRoom room(2);
    room.outputs = {{1, kOpus}, {7, kOpus}, {8, kOpus}};
    const int sharpest = sharpest_bend(room, 1);
    RecordProperty("sharpest", sharpest);
    EXPECT_LT(sharpest, 300);
}

}  // namespace
}  // namespace vmr::mixer
