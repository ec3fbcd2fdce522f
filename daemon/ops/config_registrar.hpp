// The tables [registrar] and [[devices]] of the configuration.
#pragma once
#include <vector>

#include "daemon/ops/config.hpp"
#include "daemon/ops/config_document.hpp"

namespace vmr::ops {

void read_registrar(ConfigDocument& document, const SipConfig& sip, RegistrarConfig& registrar);
void read_devices(ConfigDocument& document, const std::vector<TrunkConfig>& trunks,
                  std::vector<DeviceConfig>& devices);

}  // namespace vmr::ops
