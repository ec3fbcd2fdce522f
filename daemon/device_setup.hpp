// What the configuration says of devices that register, as its users take it.
#pragma once
#include <vector>

#include "daemon/bridge/device_operations.hpp"
#include "daemon/legs/sip/sip_legs.hpp"
#include "daemon/ops/config.hpp"

namespace vmr {

sip::RegistrarConfig registrar_config(const ops::Config& config);
std::vector<sip::ConfiguredDevice> configured_devices(const ops::Config& config);
bridge::DeviceProfile device_profile(const ops::Config& config);
// A device keeps its connection: they come on top of those that callers have.
void make_room_for_devices(const ops::Config& config, sip::StackConfig& stack);

}  // namespace vmr
