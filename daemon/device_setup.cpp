#include "daemon/device_setup.hpp"

#include "base/text.hpp"

namespace vmr {
namespace {

DeviceDigest device_digest(ops::DeviceDigest digest) {
    return digest == ops::DeviceDigest::md5    ? DeviceDigest::md5
           : digest == ops::DeviceDigest::both ? DeviceDigest::both
                                               : DeviceDigest::sha256;
}

}  // namespace

sip::RegistrarConfig registrar_config(const ops::Config& config) {
    const ops::RegistrarConfig& given = config.registrar;
    sip::RegistrarConfig registrar;
    registrar.enabled = given.enabled;
    for (const std::string& host : {config.sip.domain, config.sip.advertised_host}) {
        if (!host.empty()) {
            // Names in messages are compared without the dot of the root.
            registrar.domains.push_back(
                lower_case(host.ends_with('.') ? host.substr(0, host.size() - 1) : host));
        }
    }
    registrar.allow_clear = given.allow_clear;
    registrar.min_expires = given.min_expires;
    registrar.max_expires = given.max_expires;
    registrar.keep_alive = given.keep_alive;
    registrar.max_devices = given.max_devices;
    registrar.max_contacts = given.max_contacts;
    registrar.max_registrations = given.max_registrations;
    registrar.max_registrations_per_source = given.max_registrations_per_source;
    registrar.requests_per_second = given.requests_per_second;
    for (const ops::FirmwareConfig& rule : given.firmware) {
        registrar.firmware.push_back({rule.model, rule.minimum});
    }
    return registrar;
}

std::vector<sip::ConfiguredDevice> configured_devices(const ops::Config& config) {
    std::vector<sip::ConfiguredDevice> devices;
    for (const ops::DeviceConfig& given : config.devices) {
        sip::ConfiguredDevice device;
        device.account.name = given.name;
        device.account.aliases = given.aliases;
        device.account.display_name = given.display_name;
        device.account.model = given.model;
        device.account.digest = device_digest(given.digest);
        device.secret = given.secret;
        devices.push_back(std::move(device));
    }
    return devices;
}

bridge::DeviceProfile device_profile(const ops::Config& config) {
    bridge::DeviceProfile profile;
    profile.domain = config.sip.domain;
    profile.proxy = config.registrar.proxy;
    if (profile.proxy.empty()) {
        const bool tls = !config.sip.tls.empty();
        const auto& listeners = tls                       ? config.sip.tls
                                : !config.sip.tcp.empty() ? config.sip.tcp
                                                          : config.sip.udp;
        const std::uint16_t usual = tls ? 5061 : 5060;
        const bool other = !listeners.empty() && listeners.front().port != usual;
        profile.proxy = "sip:" + config.sip.domain +
                        (other ? ":" + std::to_string(listeners.front().port) : std::string()) +
                        (tls                       ? ";transport=tls"
                         : !config.sip.tcp.empty() ? ";transport=tcp"
                                                   : "");
    }
    profile.phone_book = config.registrar.phone_book;
    profile.keep_alive = config.registrar.keep_alive;
    profile.expires = config.registrar.max_expires;
    return profile;
}

void make_room_for_devices(const ops::Config& config, sip::StackConfig& stack) {
    if (config.registrar.enabled) {
        stack.max_connections += static_cast<int>(config.registrar.max_registrations);
        stack.max_connections_per_source += static_cast<int>(config.registrar.max_registrations_per_source);
        stack.answer_stun = config.registrar.allow_clear;
    }
}

}  // namespace vmr
