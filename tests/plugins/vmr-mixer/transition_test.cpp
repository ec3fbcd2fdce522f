#include "transition.hpp"

#include <gtest/gtest.h>

namespace vmr::mixer {
namespace {

using Ids = std::vector<TileId>;
using Rects = std::vector<Rect>;

TEST(Transition, FirstTilesAreInPlaceAtOnce) {
    Transition transition;
    const Rects places = layout_tiles(LayoutKind::equal, 2, 640, 360);
    EXPECT_EQ(transition.step(0.0, Ids{{1, false}, {2, false}}, places), places);
    EXPECT_TRUE(transition.settled());
}

TEST(Transition, TilesGlideInsideTheViewAndArrive) {
    Transition transition;
    const Ids ids{{1, false}, {2, false}, {3, false}};
    transition.step(0.0, ids, layout_tiles(LayoutKind::equal, 3, 640, 360));
    const Rects targets = layout_tiles(LayoutKind::speaker, 3, 640, 360);
    bool glided = false;
    for (double now = 1.0; now < 1.29; now += 0.01) {
        for (const Rect& at : transition.step(now, ids, targets)) {
            ASSERT_EQ((at.x | at.y | at.width | at.height) & 1, 0);
            ASSERT_GE(at.x, 0);
            ASSERT_GE(at.y, 0);
            ASSERT_LE(at.x + at.width, 640);
            ASSERT_LE(at.y + at.height, 360);
        }
        glided = glided || !transition.settled();
    }
    EXPECT_TRUE(glided);
    EXPECT_EQ(transition.step(1.31, ids, targets), targets);
    EXPECT_TRUE(transition.settled());
}

TEST(Transition, ChangedOnTheWayItGoesOnFromThere) {
    Transition transition;
    const Ids one{{1, false}};
    transition.step(0.0, one, Rects{{0, 0, 100, 100}});
    transition.step(1.0, one, Rects{{200, 0, 100, 100}});
    const Rects halfway = transition.step(1.15, one, Rects{{200, 0, 100, 100}});
    EXPECT_EQ(halfway[0].x, 100);
    EXPECT_EQ(transition.step(1.15, one, Rects{{0, 0, 100, 100}})[0].x, 100);
    EXPECT_EQ(transition.step(1.5, one, Rects{{0, 0, 100, 100}})[0].x, 0);
}

TEST(Transition, WhoIsNewGrows) {
    Transition transition;
    transition.step(0.0, Ids{{1, false}}, Rects{{0, 0, 640, 360}});
    const Rects targets = layout_tiles(LayoutKind::equal, 2, 640, 360);
    const Rects start = transition.step(1.0, Ids{{1, false}, {2, false}}, targets);
    EXPECT_EQ(start[0], (Rect{0, 0, 640, 360}));
    EXPECT_LT(start[1].width, targets[1].width);
}

}  // namespace
}  // namespace vmr::mixer
