// Who may register: devices by name and alias. Pure.
#pragma once
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/result.hpp"
#include "daemon/legs/devices.hpp"
#include "daemon/legs/sip/message/digest.hpp"

namespace vmr::sip {

class Accounts {
public:
    // `key`: secret bytes.
    Accounts(std::string realm, std::string key, std::size_t max_devices)
        : realm_(std::move(realm)), key_(std::move(key)), max_devices_(max_devices) {}

    Status set(DeviceAccount account, const std::string& secret);
    bool remove(const std::string& name);
    const DeviceAccount* find(const std::string& name) const;
    // Of a user part: name or alias.
    const DeviceAccount* owner_of(const std::string& user) const;
    const std::map<std::string, DeviceAccount>& all() const { return accounts_; }

    // What to challenge a user part with. One that is nobody's looks like one of those that are somebody's.
    DigestAlgorithms algorithms_for(const std::string& user) const;
    std::optional<std::string> ha1_of(const std::string& name, DigestAlgorithms algorithm) const;
    bool authenticate(const std::string& name, const std::string& secret) const;

private:
    Status check(const DeviceAccount& account) const;
    void forget(const std::string& name);

    std::string realm_, key_;
    std::size_t max_devices_;
    std::map<std::string, DeviceAccount> accounts_;        // by name
    std::unordered_map<std::string, std::string> owners_;  // alias → name
    std::array<std::size_t, 3> by_digest_{};               // how many devices
};

}  // namespace vmr::sip
