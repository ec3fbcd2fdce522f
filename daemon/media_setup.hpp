// What the configuration says of media, as its users take it.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "daemon/media/session.hpp"
#include "daemon/ops/config.hpp"

namespace vmr {

media::AdvertisedAddresses advertised_addresses(const ops::MediaConfig& config);
media::IceParams ice_params(const ops::MediaConfig& config);
// As RTCPeerConnection takes them.
nlohmann::json browser_ice_servers(const ops::MediaConfig& config, const std::string& participant);

}  // namespace vmr
