#include "daemon/legs/sip/registered_devices.hpp"

#include <algorithm>
#include <set>

#include "daemon/legs/sip/call.hpp"
#include "daemon/legs/sip/message/uri.hpp"

namespace vmr::sip {

RegisteredDevices::RegisteredDevices(RegistrarConfig config, Digest& digest,
                                     std::function<std::int64_t()> now)
    : digest_(digest),
      now_(std::move(now)),
      accounts_(digest.realm(), random_token(16), config.max_devices),
      registrar_(std::move(config), accounts_, digest) {}

Status RegisteredDevices::configure(std::vector<ConfiguredDevice> devices) {
    std::set<std::string> named;
    for (const ConfiguredDevice& device : devices) {
        named.insert(lower(device.account.name));
    }
    std::vector<std::string> gone;
    for (const auto& [name, account] : accounts_.all()) {
        if (account.from_file && !named.contains(name)) {
            gone.push_back(name);
        }
    }
    std::ranges::for_each(gone, [this](const std::string& name) { remove(name); });
    Status result = Ok{};
    for (ConfiguredDevice& device : devices) {
        device.account.from_file = true;
        if (Status done = set(std::move(device.account), device.secret); !done && result) {
            result = std::move(done);
        }
    }
    return result;
}

Status RegisteredDevices::set(DeviceAccount account, const std::string& secret) {
    const std::string name = lower(account.name);
    const DeviceAccount* known = accounts_.find(name);
    const std::string before = known != nullptr ? known->ha1_sha256 + known->ha1_md5 : std::string();
    if (Status done = accounts_.set(std::move(account), secret); !done) {
        return done;
    }
    const DeviceAccount* now = accounts_.find(name);
    if (!before.empty() && before != now->ha1_sha256 + now->ha1_md5) {
        registrar_.forget(name);  // who registered by the old secret has to show the new one
    }
    return Ok{};
}

bool RegisteredDevices::remove(const std::string& name) {
    registrar_.forget(name);
    return accounts_.remove(name);
}

RegisteredDevices::Called RegisteredDevices::called(const std::string& address) const {
    const std::string text = lower(trim(address));
    const auto all_of = [this](const DeviceAccount* device) {
        const std::string shown = device != nullptr ? address_of(*device) : std::string();
        return Called{device, {}, shown, "sip:" + shown};
    };
    if (const DeviceAccount* device = accounts_.owner_of(text)) {
        return all_of(device);
    }
    const bool scheme = text.starts_with("sip:") || text.starts_with("sips:");
    const std::optional<Uri> uri = parse_uri(scheme ? text : "sip:" + text);
    const auto& domains = registrar_.config().domains;
    if (!uri || uri->port != 0 || std::ranges::find(domains, uri->host) == domains.end()) {
        return {};
    }
    bool gruu = false;
    const std::string instance = parameter(uri->params, "gr", &gruu);
    if (gruu && instance.empty()) {
        const std::optional<Locations::Owned> owned = registrar_.owner_of(uri->user);
        const DeviceAccount* device = owned ? accounts_.find(owned->aor) : nullptr;
        const std::string shown = uri->user + "@" + uri->host;
        return device != nullptr
                   ? Called{device, lower(gruu_value(owned->contact.instance)), shown, "sip:" + shown + ";gr"}
                   : Called{};
    }
    Called called = all_of(accounts_.owner_of(uri->user));
    if (gruu && called.device != nullptr) {
        called.instance = instance;
        called.uri += ";gr=" + instance;
    }
    return called;
}

std::vector<Contact> RegisteredDevices::contacts_of(const Called& called) const {
    std::vector<Contact> contacts = registrar_.lookup(called.device->name);
    if (!called.instance.empty()) {
        std::erase_if(contacts, [&called](const Contact& contact) {
            return lower(gruu_value(contact.instance)) != called.instance;
        });
    }
    return contacts;
}

std::string RegisteredDevices::address_of(const DeviceAccount& device) const {
    return device.name + "@" + digest_.realm();
}

DeviceStatus RegisteredDevices::status_of(const DeviceAccount& account) const {
    DeviceStatus status;
    status.account = account;
    for (const Contact& contact : registrar_.lookup(account.name)) {
        status.contacts.push_back({contact.uri, contact.flow.remote.text(), contact.user_agent,
                                   contact.flow.protection, contact.q, contact.outbound(),
                                   std::chrono::seconds((contact.expires_at - now_()) / 1000)});
    }
    if (const Registrar::Seen* seen = registrar_.seen(account.name)) {
        status.seen_ago = std::chrono::seconds((now_() - seen->at) / 1000);
        status.user_agent = seen->user_agent;
    }
    return status;
}

std::vector<DeviceStatus> RegisteredDevices::list() const {
    std::vector<DeviceStatus> all;
    all.reserve(accounts_.all().size());
    for (const auto& [name, account] : accounts_.all()) {
        all.push_back(status_of(account));
    }
    return all;
}

std::optional<DeviceStatus> RegisteredDevices::find(const std::string& name) const {
    const DeviceAccount* account = accounts_.find(name);
    return account != nullptr ? std::optional(status_of(*account)) : std::nullopt;
}

}  // namespace vmr::sip
