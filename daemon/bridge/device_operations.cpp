#include "daemon/bridge/device_operations.hpp"

#include <glib.h>

#include "base/text.hpp"
#include "schemas/time_text.hpp"

namespace vmr::bridge {
namespace {

using nlohmann::json;

constexpr const char* kOfTheFile = "a device of the configuration is changed there";

DeviceDigest digest_of(const std::string& name) {
    return name == "md5" ? DeviceDigest::md5 : name == "both" ? DeviceDigest::both : DeviceDigest::sha256;
}

json to_json(const DeviceStatus& device) {
    json contacts = json::array();
    for (const DeviceContact& contact : device.contacts) {
        contacts.push_back({{"uri", contact.uri},
                            {"remote_address", contact.remote_address},
                            {"user_agent", contact.user_agent},
                            {"signalling", contact.signalling},
                            {"q", contact.preference / 1000.0},
                            {"outbound", contact.outbound},
                            {"expires_in", contact.expires_in.count()}});
    }
    const DeviceAccount& account = device.account;
    return {{"name", account.name},
            {"aliases", account.aliases},
            {"display_name", account.display_name},
            {"model", account.model},
            {"digest", to_string(account.digest)},
            {"source", account.from_file ? "configuration" : "api"},
            {"state", !device.contacts.empty() ? "registered"
                      : device.seen_ago        ? "expired"
                                               : "new"},
            {"contacts", std::move(contacts)},
            {"user_agent", device.user_agent},
            {"last_seen", device.seen_ago
                              ? json(schema::rfc3339(std::chrono::system_clock::now() - *device.seen_ago))
                              : json()}};
}

json to_kept(const DeviceAccount& account) {
    return {{"name", account.name},
            {"aliases", account.aliases},
            {"display_name", account.display_name},
            {"model", account.model},
            {"digest", to_string(account.digest)},
            {"ha1_sha256", account.ha1_sha256},
            {"ha1_md5", account.ha1_md5}};
}

DeviceAccount from_kept(const json& kept) {
    DeviceAccount account;
    account.name = kept.value("name", "");
    account.aliases = kept.value("aliases", account.aliases);
    account.display_name = kept.value("display_name", "");
    account.model = kept.value("model", "");
    account.digest = digest_of(kept.value("digest", ""));
    account.ha1_sha256 = kept.value("ha1_sha256", "");
    account.ha1_md5 = kept.value("ha1_md5", "");
    return account;
}

}  // namespace

DeviceOperations::DeviceOperations(Devices& devices, api::EventHub& events, const std::string& file)
    : devices_(devices), events_(events), file_(file) {
    devices_.set_on_event([this](const DeviceEvent& event) { on_event(event); });
}

DeviceOperations::~DeviceOperations() {
    devices_.set_on_event(nullptr);
}

Status DeviceOperations::load() {
    const Result<json> content = file_.load();
    if (!content) {
        return Error{content.error()};
    }
    // What secrets are verified by depends on the realm.
    if (content->value("realm", devices_.realm()) != devices_.realm()) {
        return Error{"the file of devices was made for the domain " + content->value("realm", "") +
                     ": their secrets would not be right any more"};
    }
    for (const json& kept : content->value("devices", json::array())) {
        try {
            if (const Status set = devices_.set(from_kept(kept), ""); !set) {
                g_warning("a device of the file is left out: %s", set.error().c_str());
            }
        } catch (const json::exception& problem) {
            g_warning("a device of the file is left out: %s", problem.what());
        }
    }
    return Ok{};
}

bool DeviceOperations::perform(const api::Caller& /*caller*/, std::string_view operation, const json& params,
                               const api::Reply& reply) {
    if (operation == "listDevices") {
        reply({200, snapshot()});
        return true;
    }
    const std::string name = lower_case(params.value("device", ""));
    const std::optional<DeviceStatus> known = devices_.find(name);
    if (operation == "putDevice") {
        known && known->account.from_file ? reply(api::problem(409, kOfTheFile)) : put(params, reply);
        return true;
    }
    if (operation != "getDevice" && operation != "deleteDevice" && operation != "getDeviceSettings") {
        return false;
    }
    if (!known) {
        reply(api::problem(404, "there is no such device"));
    } else if (operation == "getDevice") {
        reply({200, to_json(*known)});
    } else if (operation == "getDeviceSettings") {
        reply({200, settings(known->account)});
    } else if (known->account.from_file) {
        reply(api::problem(409, kOfTheFile));
    } else {
        remove(name, reply);
    }
    return true;
}

void DeviceOperations::put(const json& params, const api::Reply& reply) {
    DeviceAccount account;
    account.name = lower_case(params.at("device"));
    account.aliases = params.value("aliases", account.aliases);
    account.display_name = params.value("display_name", "");
    account.model = params.value("model", "");
    account.digest = digest_of(params.value("digest", ""));
    const std::string name = account.name;
    const bool is_new = !devices_.find(name);
    if (is_new && !params.contains("secret")) {
        reply(api::problem(422, "a new device needs a secret"));
        return;
    }
    if (const Status set = devices_.set(std::move(account), params.value("secret", "")); !set) {
        reply(api::problem(409, set.error()));
        return;
    }
    g_log_structured("vmr-audit", G_LOG_LEVEL_MESSAGE, "MESSAGE", "device %s %s", name.c_str(),
                     is_new ? "made" : "changed");
    save(reply, {is_new ? 201 : 200, to_json(*devices_.find(name))});
}

void DeviceOperations::remove(const std::string& name, const api::Reply& reply) {
    (void)devices_.remove(name);
    g_log_structured("vmr-audit", G_LOG_LEVEL_MESSAGE, "MESSAGE", "device %s deleted", name.c_str());
    save(reply, {204, nullptr});
}

void DeviceOperations::save(const api::Reply& reply, api::Response response) {
    json kept = json::array();
    for (const DeviceStatus& device : devices_.list()) {
        if (!device.account.from_file) {
            kept.push_back(to_kept(device.account));
        }
    }
    file_.save(
        {{"realm", devices_.realm()}, {"devices", std::move(kept)}},
        [reply, response = std::move(response)](const Status& done) {
            if (!done) {
                g_critical("the file of devices: %s", done.error().c_str());
            }
            reply(done ? response
                       : api::problem(500, "done, but not kept: the file of devices cannot be written"));
        });
}

json DeviceOperations::settings(const DeviceAccount& account) const {
    return {{"name", account.name},
            {"display_name", account.display_name.empty() ? account.name : account.display_name},
            {"sip_uri", "sip:" + account.name + "@" + profile_.domain},
            {"proxy", profile_.proxy},
            {"phone_book", profile_.phone_book.empty() ? json() : json(profile_.phone_book)},
            {"keep_alive", profile_.keep_alive.count()},
            {"expires", profile_.expires.count()}};
}

json DeviceOperations::snapshot() const {
    json devices = json::array();
    for (const DeviceStatus& device : devices_.list()) {
        devices.push_back(to_json(device));
    }
    return {{"devices", std::move(devices)}};
}

std::string DeviceOperations::metrics() const {
    std::size_t registered = 0;
    std::size_t contacts = 0;
    for (const DeviceStatus& device : devices_.list()) {
        registered += device.contacts.empty() ? 0 : 1;
        contacts += device.contacts.size();
    }
    return "# TYPE vmr_devices_registered gauge\nvmr_devices_registered " + std::to_string(registered) +
           "\n# TYPE vmr_device_contacts gauge\nvmr_device_contacts " + std::to_string(contacts) +
           "\n# TYPE vmr_devices_refused_total counter\nvmr_devices_refused_total " +
           std::to_string(refused_) + "\n";
}

void DeviceOperations::on_event(const DeviceEvent& event) {
    const std::string kind = to_string(event.kind);
    if (event.kind == DeviceEvent::Kind::refused) {
        ++refused_;
        g_log_structured("vmr-audit", G_LOG_LEVEL_MESSAGE, "MESSAGE", "device %s refused: %s",
                         event.device.c_str(), event.reason.c_str());
    }
    (void)events_.publish("", "vmr.device." + kind,
                          {{"device", event.device},
                           {"contact", event.contact},
                           {"remote_address", event.remote_address},
                           {"user_agent", event.user_agent},
                           {"reason", event.reason}});
}

}  // namespace vmr::bridge
