#include "daemon/store/call_costs.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "schemas/time_text.hpp"

namespace vmr::store {
namespace {

using nlohmann::json;

constexpr std::int64_t kLatestBytes = 256 * 1024 * 1024;  // more than refusals can write in a day
constexpr double kMaxCost = 1e9;                          // of one call

void read_cost(const std::string& line, Time since, std::vector<CallCost>& costs) {
    if (line.find("\"cost\":") == std::string::npos) {
        return;  // most have none, and are many
    }
    const json record = json::parse(line, nullptr, false);
    const json cost = record.is_object() ? record.value("cost", json()) : json();
    const json room = record.is_object() ? record.value("room", json()) : json();
    const json ended = record.is_object() ? record.value("ended_at", json()) : json();
    if (!cost.is_number() || !room.is_string() || !ended.is_string()) {
        return;
    }
    const auto at = schema::parse_rfc3339(ended.get<std::string>());
    const double amount = cost.get<double>();
    if (at && *at >= since && amount > 0 && amount <= kMaxCost) {
        costs.push_back({room.get<std::string>(), std::llround(amount * 1e6), *at});
    }
}

}  // namespace

std::vector<CallCost> call_costs(const std::string& path, Time since) {
    std::vector<CallCost> costs;
    for (const std::string& name : {path + ".1", path}) {
        std::ifstream stream(name, std::ios::binary | std::ios::ate);
        const std::int64_t size = stream ? static_cast<std::int64_t>(stream.tellg()) : 0;
        stream.seekg(std::max<std::int64_t>(0, size - kLatestBytes));
        for (std::string line; std::getline(stream, line);) {
            read_cost(line, since, costs);
        }
    }
    return costs;
}

}  // namespace vmr::store
