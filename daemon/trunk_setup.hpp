// What the configuration says of trunks, and what is told of them.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/legs/sip/sip_legs.hpp"
#include "daemon/ops/config.hpp"

namespace vmr {

// Settings that are none, Contacts that the certificate does not name although it has to.
std::vector<sip::ConfigFault> trunk_faults(const ops::Config& config);
// The first of these is an error.
Result<std::vector<sip::TrunkConfig>> sip_trunks(const ops::Config& config);
sip::DialConfig dial_config(const ops::Config& config);

nlohmann::json to_json(const sip::LineStatus& line);
std::string trunk_metrics(const std::vector<sip::LineStatus>& lines);  // Prometheus text

}  // namespace vmr
