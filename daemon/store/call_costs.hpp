// What the calls of late cost, from the file of call records.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/store/call_records.hpp"

namespace vmr::store {

struct CallCost {
    std::string room;
    std::int64_t cost = 0;  // millionths of the currency
    Time ended_at{};
};

// Of calls that ended since then, of rotated records too. Blocking: for the start, when the records are open.
std::vector<CallCost> call_costs(const std::string& path, Time since);

}  // namespace vmr::store
