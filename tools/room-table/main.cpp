// Prints docs/room-states.md: build/tools/room-table/room-table > docs/room-states.md
#include <iostream>

#include "tools/room-table/scenarios.hpp"

int main() {
    std::cout << vmr::room::print_room_states();
    return std::cout ? 0 : 1;
}
