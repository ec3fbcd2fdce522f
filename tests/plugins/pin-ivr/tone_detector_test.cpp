#include "plugins/pin-ivr/tone_detector.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/elements/signals.hpp"

using vmr::pin_ivr::ToneDetector;

namespace {

std::string hear_in_pieces(ToneDetector& detector, const std::vector<std::int16_t>& samples,
                           std::size_t piece) {
    std::string keys;
    for (std::size_t at = 0; at < samples.size(); at += piece) {
        keys += detector.hear(std::span(samples).subspan(at, std::min(piece, samples.size() - at)));
    }
    return keys;
}

}  // namespace

TEST(ToneDetector, HearsAllKeysInBuffersOfAnySize) {
    for (const std::size_t piece : {960U, 480U, 441U, 7U}) {
        ToneDetector detector;
        EXPECT_EQ(hear_in_pieces(detector, vmr::test::dtmf("1234567890*#"), piece), "1234567890*#") << piece;
    }
}

TEST(ToneDetector, HearsNothingInNoise) {
    ToneDetector detector;
    EXPECT_EQ(hear_in_pieces(detector, vmr::test::noise(48000 * 20, 8000), 960), "");
    EXPECT_FALSE(detector.sounding());
}

TEST(ToneDetector, NoticesAToneWithin20Milliseconds) {
    ToneDetector detector;
    const auto tone = vmr::test::dtmf("5");
    detector.hear(std::span(tone).first(48 * 28));
    EXPECT_TRUE(detector.sounding());
}
