// What a running vmrd takes of a configuration that has changed.
#pragma once
#include <string>
#include <vector>

#include "daemon/ops/config.hpp"

namespace vmr::ops {

struct Reload {
    Config config;                       // the new one, but for what is fixed since the start
    std::vector<std::string> unchanged;  // keys that differ all the same ("sip.domain"): they need a restart
};
Reload reload_config(const Config& running, Config wanted);

}  // namespace vmr::ops
