// The room core's values as the API's objects (schemas/api/openapi.json).
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "daemon/room/commands.hpp"
#include "daemon/room/types.hpp"

namespace vmr::bridge {

nlohmann::json to_json(const room::Participant& participant, bool with_address);
nlohmann::json to_json(const room::RoomView& room);
// {kind, text}: what the page shows and a screen reader says.
nlohmann::json to_json(const room::Announce& announcement);
std::string rfc3339(room::TimePoint time);

}  // namespace vmr::bridge
