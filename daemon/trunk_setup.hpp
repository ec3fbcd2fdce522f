// What the configuration says of trunks, and what is told of them.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/legs/sip/sip_legs.hpp"
#include "daemon/ops/config.hpp"

namespace vmr {

// An error: a setting that is none, or a Contact that the certificate does not name although it has to.
Result<std::vector<sip::TrunkConfig>> sip_trunks(const ops::Config& config);
sip::DialConfig dial_config(const ops::Config& config);

nlohmann::json to_json(const sip::LineStatus& line);
std::string trunk_metrics(const std::vector<sip::LineStatus>& lines);  // Prometheus text

}  // namespace vmr
