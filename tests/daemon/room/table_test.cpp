// docs/room-states.md is what the code does today.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tools/room-table/scenarios.hpp"

TEST(RoomTable, TheDocumentIsCurrent) {
    const char* root = std::getenv("VMR_SOURCE_ROOT");
    ASSERT_NE(root, nullptr);
    std::ifstream file(std::string(root) + "/docs/room-states.md");
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_TRUE(text.str() == vmr::room::print_room_states())
        << "run: build/tools/room-table/room-table > docs/room-states.md";
}
