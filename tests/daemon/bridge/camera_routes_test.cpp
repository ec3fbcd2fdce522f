// Whose camera moves when somebody in a room steers one.
#include "daemon/bridge/camera_routes.hpp"

#include <gtest/gtest.h>

namespace vmr::bridge {
namespace {

using Side = CameraRoutes::Side;

class CameraRoutesTest : public testing::Test {
protected:
    std::string route(const std::string& from, const std::vector<Side>& sides, int seconds) {
        return routes_.route(from, sides, start_ + std::chrono::seconds(seconds));
    }
    CameraRoutes routes_;
    const CameraRoutes::Time start_{};
};

TEST_F(CameraRoutesTest, OfTwoTheOther) {
    EXPECT_EQ(route("a", {{"a"}, {"b"}}, 0), "b");
    EXPECT_EQ(route("b", {{"a"}, {"b"}}, 1), "a");
    EXPECT_EQ(route("a", {{"a"}}, 20), "");
    EXPECT_EQ(route("stranger", {{"a"}, {"b"}}, 20), "") << "not in the room";
}

TEST_F(CameraRoutesTest, OfManyWhoIsSpotlightedAndNobodyElse) {
    EXPECT_EQ(route("a", {{"a"}, {"b"}, {"c"}}, 0), "");
    EXPECT_EQ(route("a", {{"a"}, {"b"}, {"c", true}}, 0), "c");
    EXPECT_EQ(route("c", {{"a"}, {"b"}, {"c", true}}, 1), "a") << "its answer";
    EXPECT_EQ(route("c", {{"a"}, {"b"}, {"c", true}}, 20), "") << "nobody steers it";
}

TEST_F(CameraRoutesTest, OneSteersAtATime) {
    const std::vector<Side> sides{{"a"}, {"b"}, {"c", true}};
    EXPECT_EQ(route("a", sides, 0), "c");
    EXPECT_EQ(route("b", sides, 1), "");
    EXPECT_EQ(route("a", sides, 4), "c");
    EXPECT_EQ(route("b", sides, 8), "");
    EXPECT_EQ(route("b", sides, 9), "c") << "5 s after the last of the other";
    EXPECT_EQ(route("a", sides, 10), "");
    routes_.forget("b");
    EXPECT_EQ(route("a", sides, 10), "c");
    EXPECT_EQ(route("b", {{"b"}, {"c", true}}, 11), "c") << "who has left holds nothing";
}

}  // namespace
}  // namespace vmr::bridge
