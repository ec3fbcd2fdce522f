#include "stage.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace vmr::mixer {
namespace {

using Candidates = std::vector<ActiveSpeaker::Candidate>;

TEST(ActiveSpeaker, FirstTalkerTakesOverAtOnceAlmost) {
    ActiveSpeaker speaker;
    EXPECT_EQ(speaker.update(0.0, Candidates{}), std::nullopt);
    EXPECT_EQ(speaker.update(0.1, Candidates{{1, false, -80}, {2, false, -80}}), 1U);
    speaker.update(0.2, Candidates{{1, false, -80}, {2, true, -20}});
    EXPECT_EQ(speaker.update(0.6, Candidates{{1, false, -80}, {2, true, -20}}), 2U);
}

TEST(ActiveSpeaker, AShortInterruptionDoesNotSwitch) {
    ActiveSpeaker speaker;
    speaker.update(0.0, Candidates{{1, true, -20}, {2, false, -80}});
    speaker.update(5.0, Candidates{{1, true, -20}, {2, true, -10}});
    EXPECT_EQ(speaker.update(5.34, Candidates{{1, true, -20}, {2, true, -10}}), 1U);
    speaker.update(5.36, Candidates{{1, true, -20}, {2, false, -80}});
    speaker.update(6.0, Candidates{{1, true, -20}, {2, true, -10}});
    EXPECT_EQ(speaker.update(6.34, Candidates{{1, true, -20}, {2, true, -10}}), 1U);
    EXPECT_EQ(speaker.update(6.37, Candidates{{1, true, -20}, {2, true, -10}}), 2U);
}

TEST(ActiveSpeaker, TwoWhoTalkAlikeDoNotTakeTurns) {
    ActiveSpeaker speaker;
    speaker.update(0.0, Candidates{{1, true, -20}, {2, false, -80}});
    for (double now = 2.0; now < 20.0; now += 0.04) {
        EXPECT_EQ(speaker.update(now, Candidates{{1, true, -20}, {2, true, -18}}), 1U);
    }
}

TEST(ActiveSpeaker, StaysAtLeastOneAndAHalfSeconds) {
    ActiveSpeaker speaker;
    speaker.update(0.0, Candidates{{1, true, -20}, {2, false, -80}});
    speaker.update(0.5, Candidates{{1, false, -80}, {2, true, -10}});
    EXPECT_EQ(speaker.update(1.46, Candidates{{1, false, -80}, {2, true, -10}}), 1U);
    EXPECT_EQ(speaker.update(1.5, Candidates{{1, false, -80}, {2, true, -10}}), 2U);
}

TEST(ActiveSpeaker, WhoTalksAloneIsOnStageWithinHalfASecond) {
    ActiveSpeaker speaker;
    speaker.update(0.0, Candidates{{1, true, -20}, {2, false, -80}});
    std::optional<unsigned> on_stage;
    for (double now = 5.0; now <= 5.5; now += 0.04) {
        on_stage = speaker.update(now, Candidates{{1, false, -80}, {2, true, -30}});
    }
    EXPECT_EQ(on_stage, 2U);
}

TEST(ActiveSpeaker, WhoLeavesIsReplaced) {
    ActiveSpeaker speaker;
    speaker.update(0.0, Candidates{{1, true, -20}, {2, false, -80}});
    EXPECT_EQ(speaker.update(0.1, Candidates{{2, false, -80}}), 2U);
}

TEST(Stage, SpeakerFirstThenWhoSpokeLast) {
    Stage stage;
    const std::vector<unsigned> all{0, 1, 2, 3};
    stage.update(all, 2U);
    stage.update(all, 3U);
    EXPECT_EQ(stage.order(), (std::vector<unsigned>{3, 2, 0, 1}));
    EXPECT_EQ(stage.tiles(LayoutKind::speaker, 3, 8), (std::vector<unsigned>{2, 0, 1}));
    EXPECT_EQ(stage.tiles(LayoutKind::equal, kCommonView, 25), all);
    EXPECT_EQ(stage.tiles(LayoutKind::single, kCommonView, 1), std::vector<unsigned>{3});
    EXPECT_EQ(stage.tiles(LayoutKind::single, 3, 1), std::vector<unsigned>{2});
    stage.update(std::vector<unsigned>{0, 2}, 3U);
    EXPECT_EQ(stage.order(), (std::vector<unsigned>{2, 0}));
}

TEST(Stage, OwnViewsForThoseOnStageWhileTheyLast) {
    Stage stage;
    std::vector<unsigned> all(30);
    std::iota(all.begin(), all.end(), 0U);
    stage.update(all, 29U);
    std::vector<unsigned> viewers = all;
    viewers.push_back(100);
    const auto views = plan_views(stage, 8, 3, viewers);
    EXPECT_EQ(views.at(29), 29);
    EXPECT_EQ(views.at(0), 0);
    EXPECT_EQ(views.at(1), 1);
    EXPECT_EQ(views.at(2), kCommonView);   // on stage, but the own views are used up
    EXPECT_EQ(views.at(20), kCommonView);  // not on stage
    EXPECT_EQ(views.at(100), kCommonView);
}

}  // namespace
}  // namespace vmr::mixer
