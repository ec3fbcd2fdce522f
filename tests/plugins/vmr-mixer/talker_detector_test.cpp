#include "talker_detector.hpp"

#include <gtest/gtest.h>

namespace vmr::mixer {
namespace {

TEST(TalkerDetector, HeardAtOnceTalkingAfterSixtyMilliseconds) {
    TalkerDetector detector;
    const TalkerDetector::Input loud[] = {{1, -20.0}};
    detector.update(loud, {});
    EXPECT_TRUE(detector.heard(1));
    EXPECT_FALSE(detector.talking(1));
    detector.update(loud, {});
    detector.update(loud, {});
    EXPECT_TRUE(detector.talking(1));
    EXPECT_EQ(detector.talkers(), std::vector<unsigned>{1});
}

TEST(TalkerDetector, PausesBetweenWordsDoNotClose) {
    TalkerDetector detector;
    const TalkerDetector::Input loud[] = {{1, -20.0}};
    const TalkerDetector::Input quiet[] = {{1, -90.0}};
    for (int i = 0; i < 5; ++i) {
        detector.update(loud, {});
    }
    for (int i = 0; i < 20; ++i) {  // 400 ms
        detector.update(quiet, {});
        EXPECT_TRUE(detector.heard(1));
    }
    for (int i = 0; i < 20; ++i) {
        detector.update(quiet, {});
    }
    EXPECT_FALSE(detector.heard(1));
    EXPECT_FALSE(detector.talking(1));
}

TEST(TalkerDetector, NoiseIsNotHeard) {
    TalkerDetector detector;
    const TalkerDetector::Input noise[] = {{1, -70.0}};
    detector.update(noise, {});
    EXPECT_FALSE(detector.heard(1));
}

TEST(TalkerDetector, WhoIsHeardIsNotReplacedByAlmostEqual) {
    TalkerDetector detector;
    const TalkerDetector::Input first[] = {{1, -20.0}, {2, -25.0}};
    const TalkerDetector::Input closer[] = {{1, -20.0}, {2, -18.0}};
    const TalkerDetector::Input louder[] = {{1, -20.0}, {2, -10.0}};
    detector.update(first, {.max_talkers = 1});
    detector.update(closer, {.max_talkers = 1});
    EXPECT_TRUE(detector.heard(1));
    EXPECT_FALSE(detector.heard(2));
    detector.update(louder, {.max_talkers = 1});
    EXPECT_FALSE(detector.heard(1));
    EXPECT_TRUE(detector.heard(2));
}

TEST(TalkerDetector, WhoLeavesIsForgotten) {
    TalkerDetector detector;
    const TalkerDetector::Input loud[] = {{1, -20.0}};
    detector.update(loud, {});
    detector.update({}, {});
    EXPECT_FALSE(detector.heard(1));
}

}  // namespace
}  // namespace vmr::mixer
