#include "image.hpp"

#include <gtest/gtest.h>

#include "scaler.hpp"
#include "tile_art.hpp"

namespace vmr::mixer {
namespace {

TEST(TileArt, InitialsOfFirstAndLastWord) {
    EXPECT_EQ(initials("Ada Lovelace"), "AL");
    EXPECT_EQ(initials("ada byron king lovelace"), "AL");
    EXPECT_EQ(initials("émile"), "É");
    EXPECT_EQ(initials("+49 30 123"), "41");
    EXPECT_EQ(initials(""), "?");
}

TEST(TileArt, LabelFitsItsTile) {
    const Overlay label = draw_label({std::string(200, 'W'), true, Padlock::struck}, 160, 90);
    EXPECT_LE(label.width, 160);
    EXPECT_LE(label.height, 90);
}

TEST(Image, OpaqueWhiteOverlayIsWhiteAndClearOneChangesNothing) {
    Image image(16, 16);
    fill(image.planes(), {0, 0, 16, 16}, {100, 90, 160});
    Overlay overlay{16, 16, 64, std::vector<std::uint8_t>(16 * 64, 0)};
    blend(overlay, image.planes(), 0, 0);
    EXPECT_EQ(image.planes().y[5], 100);
    EXPECT_EQ(image.planes().u[2], 90);
    overlay.bgra.assign(overlay.bgra.size(), 255);
    blend(overlay, image.planes(), 0, 0);
    EXPECT_NEAR(image.planes().y[5], 235, 2);
    EXPECT_NEAR(image.planes().u[2], 128, 2);
    EXPECT_NEAR(image.planes().v[2], 128, 2);
}

TEST(Image, PortraitGetsBarsAndFourToThreeIsCropped) {
    Scaler scaler;
    Image portrait(90, 160);
    fill(portrait.planes(), {0, 0, 90, 160}, {200, 128, 128});
    Image tile(160, 90);
    scaler.scale_to_tile(portrait.planes(), tile.planes());
    EXPECT_EQ(tile.planes().y[45 * 160], kBackdrop.y);
    EXPECT_EQ(tile.planes().y[45 * 160 + 80], 200);
    Image four_three(80, 60);
    fill(four_three.planes(), {0, 0, 80, 60}, {200, 128, 128});
    scaler.scale_to_tile(four_three.planes(), tile.planes());
    EXPECT_EQ(tile.planes().y[45 * 160], 200);
}

}  // namespace
}  // namespace vmr::mixer
