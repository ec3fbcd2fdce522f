// Devices that register with us: what others see of them. Control thread only.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace vmr {

enum class DeviceDigest { sha256, md5, both };  // what its credentials may be made with

struct DeviceAccount {
    std::string name;                  // user part of its address, and of its credentials; lower case
    std::vector<std::string> aliases;  // other user parts that are its own; lower case
    std::string display_name;
    std::string model;
    DeviceDigest digest = DeviceDigest::sha256;
    // H(name:realm:secret) in hex; empty: not by this algorithm. The secret itself is not kept.
    std::string ha1_sha256, ha1_md5;
    bool from_file = false;  // of the configuration; others were made by the API
};

struct DeviceContact {
    std::string uri;
    std::string remote_address;  // that it registered from
    std::string user_agent;
    std::string signalling;      // how the way there is protected
    unsigned preference = 1000;  // q, in thousandths
    bool outbound = false;       // RFC 5626
    std::chrono::seconds expires_in{0};
};

struct DeviceStatus {
    DeviceAccount account;
    std::vector<DeviceContact> contacts;  // best first; none: it is not registered
    // Of its last good registration, or one that its firmware was too old for; empty: none yet.
    std::optional<std::chrono::seconds> seen_ago;
    std::string user_agent;
};

struct DeviceEvent {
    enum class Kind {
        registered,    // a contact that was not there before
        unregistered,  // by the device, or by who removed it
        expired,       // not refreshed in time, or its connection is gone
        refused        // by policy, with right credentials
    } kind = Kind::registered;
    std::string device;
    std::string contact;  // URI; empty: refused before one was looked at
    std::string remote_address;
    std::string user_agent;
    std::string reason;  // "removed", "replaced", "connection", "time", "firmware 1.2 is older than 1.3", …
};
const char* to_string(DeviceEvent::Kind kind) noexcept;
const char* to_string(DeviceDigest digest) noexcept;

class Devices {
public:
    virtual ~Devices() = default;
    virtual const std::string& realm() const = 0;
    virtual std::vector<DeviceStatus> list() const = 0;
    virtual std::optional<DeviceStatus> find(const std::string& name) const = 0;
    // New or changed; `secret` empty: the hashes in `account` are taken, or those that are known where it has
    // none. An error: nothing changed (a name or alias is another's, no secret, too many devices).
    virtual Status set(DeviceAccount account, const std::string& secret) = 0;
    // Its registrations end with it.
    virtual bool remove(const std::string& name) = 0;
    // Name and secret of a device; in the same time whether it exists or not.
    virtual bool authenticate(const std::string& name, const std::string& secret) const = 0;
    virtual void set_on_event(std::function<void(const DeviceEvent&)> on_event) = 0;
};

}  // namespace vmr
