// What only those who use the configuration find wrong with it: before anything starts, and by --check.
#pragma once
#include "daemon/ops/config.hpp"
#include "daemon/ops/config_document.hpp"

namespace vmr {

void check_config(const ops::Config& config, ops::ConfigDocument& document);

}  // namespace vmr
