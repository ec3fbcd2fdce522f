// The table [media] of the configuration.
#pragma once
#include "daemon/ops/config.hpp"
#include "daemon/ops/config_document.hpp"

namespace vmr::ops {

void read_media(ConfigDocument& document, MediaConfig& media);

}  // namespace vmr::ops
