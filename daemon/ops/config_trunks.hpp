// [[trunks]] of the configuration.
#pragma once
#include <vector>

#include "daemon/ops/config.hpp"
#include "daemon/ops/config_document.hpp"

namespace vmr::ops {

std::vector<TrunkConfig> read_trunks(ConfigDocument& document, const std::vector<RoomConfig>& rooms);

}  // namespace vmr::ops
