// The API's operations on devices that register, their events, and the file that keeps those that the API
// made. Control thread only.
#pragma once
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.hpp"
#include "daemon/api/control.hpp"
#include "daemon/api/event_hub.hpp"
#include "daemon/legs/devices.hpp"
#include "daemon/store/device_file.hpp"

namespace vmr::bridge {

// What devices are told in their settings.
struct DeviceProfile {
    std::string domain;
    std::string proxy;       // SIP URI
    std::string phone_book;  // URL; empty: none
    std::chrono::seconds keep_alive{120};
    std::chrono::seconds expires{3600};
};

class DeviceOperations {
public:
    // References outlive this. `file` empty: devices made by the API end with the process.
    DeviceOperations(Devices& devices, api::EventHub& events, const std::string& file);
    ~DeviceOperations();
    DeviceOperations(const DeviceOperations&) = delete;
    DeviceOperations& operator=(const DeviceOperations&) = delete;

    // Devices of the file; those that cannot be set any more are left out, and logged.
    Status load();
    void set_profile(DeviceProfile profile) { profile_ = std::move(profile); }
    // False: no operation on devices.
    bool perform(const api::Caller& caller, std::string_view operation, const nlohmann::json& params,
                 const api::Reply& reply);
    // {devices: […]}
    nlohmann::json snapshot() const;
    // Prometheus text.
    std::string metrics() const;

private:
    void put(const nlohmann::json& params, const api::Reply& reply);
    void remove(const std::string& name, const api::Reply& reply);
    void save(const api::Reply& reply, api::Response response);
    nlohmann::json settings(const DeviceAccount& account) const;
    void on_event(const DeviceEvent& event);

    Devices& devices_;
    api::EventHub& events_;
    store::DeviceFile file_;
    DeviceProfile profile_;
    std::uint64_t refused_ = 0;
};

}  // namespace vmr::bridge
