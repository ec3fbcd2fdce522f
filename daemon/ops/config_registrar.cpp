#include "daemon/ops/config_registrar.hpp"

#include <algorithm>
#include <map>

#include "base/text.hpp"

namespace vmr::ops {
namespace {

using nlohmann::json;

constexpr std::size_t kMinSecret = 8;  // characters

}  // namespace

void read_registrar(ConfigDocument& document, const SipConfig& sip, RegistrarConfig& registrar) {
    const json object = document.table("registrar");
    const auto read_seconds = [&object](const char* key, std::chrono::seconds& value) {
        value = std::chrono::seconds(object.value(key, value.count()));
    };
    registrar.enabled = object.value("enabled", false);
    registrar.allow_clear = object.value("allow_clear", false);
    read_seconds("min_expires", registrar.min_expires);
    read_seconds("max_expires", registrar.max_expires);
    read_seconds("keep_alive", registrar.keep_alive);
    registrar.max_devices = object.value("max_devices", registrar.max_devices);
    registrar.max_contacts = object.value("max_contacts", registrar.max_contacts);
    registrar.max_registrations = object.value("max_registrations", registrar.max_registrations);
    registrar.max_registrations_per_source =
        object.value("max_registrations_per_source", registrar.max_registrations_per_source);
    registrar.requests_per_second = object.value("requests_per_second", registrar.requests_per_second);
    registrar.proxy = object.value("proxy", "");
    registrar.phone_book = object.value("phone_book", "");
    registrar.devices_file = object.value("devices_file", "");
    for (const json& rule : object.value("firmware", json::array())) {
        registrar.firmware.push_back({rule.value("model", ""), rule.value("minimum", "")});
    }
    if (registrar.min_expires > registrar.max_expires) {
        document.fault("/registrar/min_expires", "must not be above max_expires");
    }
    if (registrar.enabled && sip.domain.empty()) {
        document.fault("/registrar/enabled", "needs sip.domain");
    }
    if (registrar.enabled && sip.tls.empty() && !registrar.allow_clear) {
        document.fault("/registrar/enabled", "needs sip.tls, or allow_clear = true");
    }
}

void read_devices(ConfigDocument& document, const std::vector<TrunkConfig>& trunks,
                  std::vector<DeviceConfig>& devices) {
    const json list = document.array("devices");
    const bool enabled = document.table("registrar").value("enabled", false);
    std::map<std::string, std::size_t> names;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string at = "/devices/" + std::to_string(i);
        DeviceConfig device;
        device.name = lower_case(list[i].value("name", ""));
        device.secret = document.secret(at + "/secret");
        device.display_name = list[i].value("display_name", "");
        device.model = list[i].value("model", "");
        const std::string digest = list[i].value("digest", "");
        device.digest = digest == "md5"    ? DeviceDigest::md5
                        : digest == "both" ? DeviceDigest::both
                                           : DeviceDigest::sha256;
        std::vector<std::string> all{device.name};
        for (const std::string& alias : list[i].value("aliases", std::vector<std::string>())) {
            device.aliases.push_back(lower_case(alias));
            all.push_back(device.aliases.back());
        }
        for (const std::string& name : all) {
            if (!names.emplace(name, i).second) {
                document.fault(at, "\"" + name + "\" is a device's name already");
            }
        }
        if (device.secret.size() < kMinSecret) {
            document.fault(at + "/secret", "must have at least 8 characters");
        }
        const bool is_trunk = std::ranges::any_of(
            trunks, [&device](const TrunkConfig& trunk) { return trunk.username == device.name; });
        if (is_trunk) {
            document.fault(at + "/name", "is a trunk's username already");
        }
        devices.push_back(std::move(device));
    }
    if (list.size() > document.table("registrar").value("max_devices", RegistrarConfig().max_devices)) {
        document.fault("/devices", "more than registrar.max_devices");
    }
    if (!list.empty() && !enabled) {
        document.fault("/devices", "needs registrar.enabled = true");
    }
}

}  // namespace vmr::ops
