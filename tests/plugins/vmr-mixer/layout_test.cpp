#include "layout.hpp"

#include <gtest/gtest.h>

namespace vmr::mixer {
namespace {

bool overlap(const Rect& a, const Rect& b) {
    return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

class EveryLayout : public testing::TestWithParam<LayoutKind> {};

TEST_P(EveryLayout, TilesAreEvenInsideAndApart) {
    for (const auto& [width, height] : {std::pair{1280, 720}, {640, 360}, {642, 362}, {352, 288}, {16, 16}}) {
        for (std::size_t count = 0; count <= 30; ++count) {
            const auto tiles = layout_tiles(GetParam(), count, width, height);
            ASSERT_EQ(tiles.size(), std::min(count, layout_capacity(GetParam())));
            for (std::size_t i = 0; i < tiles.size(); ++i) {
                const Rect& tile = tiles[i];
                ASSERT_EQ((tile.x | tile.y | tile.width | tile.height) & 1, 0);
                ASSERT_GT(tile.width, 0);
                ASSERT_GT(tile.height, 0);
                ASSERT_GE(tile.x, 0);
                ASSERT_GE(tile.y, 0);
                ASSERT_LE(tile.x + tile.width, width);
                ASSERT_LE(tile.y + tile.height, height);
                for (std::size_t j = 0; j < i; ++j) {
                    ASSERT_FALSE(overlap(tile, tiles[j])) << count << ": " << i << " on " << j;
                }
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Layouts, EveryLayout,
                         testing::Values(LayoutKind::speaker, LayoutKind::equal, LayoutKind::single,
                                         LayoutKind::content));

TEST(Layout, SpeakerIsNineTimesTheSizeOfTheOthers) {
    const auto tiles = layout_tiles(LayoutKind::speaker, 8, 1280, 720);
    EXPECT_EQ(tiles[0], (Rect{0, 0, 960, 540}));
    EXPECT_EQ(tiles[1], (Rect{0, 540, 320, 180}));
    EXPECT_EQ(tiles[7], (Rect{960, 360, 320, 180}));
}

TEST(Layout, FourEqualTilesFillTheCanvas) {
    const auto tiles = layout_tiles(LayoutKind::equal, 4, 1280, 720);
    EXPECT_EQ(tiles[3], (Rect{640, 360, 640, 360}));
}

}  // namespace
}  // namespace vmr::mixer
