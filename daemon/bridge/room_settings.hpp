// What the API says of a room's settings (RoomCreate and RoomUpdate of schemas/api/openapi.json). Pure.
#pragma once
#include <nlohmann/json.hpp>

#include "daemon/ops/config.hpp"

namespace vmr::bridge {

// The settings that a request names, over those that the room has.
void merge(ops::RoomConfig& config, const nlohmann::json& params);

}  // namespace vmr::bridge
