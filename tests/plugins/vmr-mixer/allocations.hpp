// Counts what the test program allocates with operator new.
#pragma once
#include <cstdint>

namespace vmr::test {
std::uint64_t allocations();
}
