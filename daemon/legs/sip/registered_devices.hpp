// Devices that register with us: accounts and registrar behind the Devices that others see.
#pragma once
#include <utility>
#include <vector>

#include "daemon/legs/sip/registrar/registrar.hpp"

namespace vmr::sip {

struct ConfiguredDevice {
    DeviceAccount account;
    std::string secret;
};

class RegisteredDevices final : public Devices {
public:
    // `digest` outlives this; `now` is the clock of all that is done here, in milliseconds.
    RegisteredDevices(RegistrarConfig config, Digest& digest, std::function<std::int64_t()> now);

    // Devices of the configuration: those that are not named any more go; others' stay. The first error; all
    // that can be set are.
    Status configure(std::vector<ConfiguredDevice> devices);

    Registrar& registrar() { return registrar_; }
    const Registrar& registrar() const { return registrar_; }
    const Accounts& accounts() const { return accounts_; }
    // Whom an address names: a device's name or alias, alone or at our domain, or one instance of it (GRUU).
    struct Called {
        const DeviceAccount* device = nullptr;  // null: nobody
        std::string instance;                   // value of "gr"; empty: all
        std::string shown;                      // as people see who is called
        std::string uri;
    };
    Called called(const std::string& address) const;
    // Where who is called can be reached; best first.
    std::vector<Contact> contacts_of(const Called& called) const;
    std::string address_of(const DeviceAccount& device) const;  // "kitchen@vmr.example"

    // Devices
    const std::string& realm() const override { return digest_.realm(); }
    std::vector<DeviceStatus> list() const override;
    std::optional<DeviceStatus> find(const std::string& name) const override;
    Status set(DeviceAccount account, const std::string& secret) override;
    bool remove(const std::string& name) override;
    bool authenticate(const std::string& name, const std::string& secret) const override {
        return accounts_.authenticate(name, secret);
    }
    void set_on_event(std::function<void(const DeviceEvent&)> on_event) override {
        registrar_.set_on_event(std::move(on_event));
    }

private:
    DeviceStatus status_of(const DeviceAccount& account) const;

    Digest& digest_;
    std::function<std::int64_t()> now_;
    Accounts accounts_;
    Registrar registrar_;
};

}  // namespace vmr::sip
