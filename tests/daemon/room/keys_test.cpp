#include "tests/daemon/room/room_fixture.hpp"
