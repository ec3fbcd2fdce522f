#include "banners.hpp"

#include <gtest/gtest.h>

#include "clean_text.hpp"
#include "decals.hpp"

namespace vmr::mixer {
namespace {

TEST(CleanText, OneLineWithoutControlCharacters) {
    EXPECT_EQ(clean_text("  Ada\n\t Lovelace\x01 ", 64), "Ada Lovelace");
    EXPECT_EQ(clean_text(nullptr, 64), "");
    EXPECT_EQ(clean_text("\xff\xfe", 64), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(CleanText, DirectionIsNotTheStrangersToChange) {
    EXPECT_EQ(clean_text("a\u202Eb\u2066c\u200Bd", 64), "abcd");
    EXPECT_EQ(clean_text("👩\u200D💻", 64), "👩\u200D💻");
}

TEST(CleanText, IsBounded) {
    EXPECT_EQ(clean_text(std::string(5000, 'x').c_str(), 64), std::string(64, 'x'));
    std::string tower = "e";
    for (int i = 0; i < 40; ++i) {
        tower += "\u0301";
    }
    EXPECT_EQ(clean_text((tower + "f").c_str(), 64), "e\u0301\u0301\u0301\u0301f");
}

TEST(Banners, FadeInStayAndFadeOut) {
    Banners banners;
    EXPECT_EQ(banners.at(1.0).id, 0U);
    banners.add("Ada joined", 3.0);
    EXPECT_EQ(banners.at(10.0).opacity, 0.0);
    EXPECT_EQ(banners.at(10.0).text, "Ada joined");
    EXPECT_NEAR(banners.at(10.125).opacity, 0.5, 1e-9);
    EXPECT_EQ(banners.at(11.5).opacity, 1.0);
    EXPECT_NEAR(banners.at(12.875).opacity, 0.5, 1e-9);
    EXPECT_EQ(banners.at(13.0).id, 0U);
}

TEST(Banners, OneAfterAnotherAndOnlySoMany) {
    Banners banners;
    for (int i = 0; i < 20; ++i) {
        banners.add(std::to_string(i).c_str(), 1.0);
    }
    std::string shown;
    for (double now = 0.0; now < 30.0; now += 0.5) {
        const auto banner = banners.at(now);
        shown += banner.id == 0 || shown.ends_with(banner.text + " ") ? "" : banner.text + " ";
    }
    EXPECT_EQ(shown, "0 16 17 18 19 ");
}

TEST(Banners, EmptyTextShowsNothing) {
    Banners banners;
    banners.add("\n\t", 1.0);
    banners.add(nullptr, 1.0);
    EXPECT_EQ(banners.at(0.0).id, 0U);
}

TEST(Decals, StayOnEveryViewHoweverSmall) {
    for (const auto& [width, height] : {std::pair{16, 16}, {64, 36}, {320, 180}, {1280, 720}, {720, 1280}}) {
        Decals decals;
        Image image(width, height);
        const auto marks = decals.update({7, std::string(200, 'W'), 1.0}, Padlock::struck, width, height);
        ASSERT_EQ(marks.size(), 2U);
        for (const auto& mark : marks) {
            EXPECT_GE(mark.area.x, 0);
            EXPECT_GE(mark.area.y, 0);
            EXPECT_LE(mark.area.x + mark.area.width, width);
            EXPECT_LE(mark.area.y + mark.area.height, height);
            EXPECT_EQ((mark.area.x | mark.area.y | mark.area.width | mark.area.height) & 1, 0);
        }
        decals.draw(image.planes());
    }
}

}  // namespace
}  // namespace vmr::mixer
