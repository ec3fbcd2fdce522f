#include "daemon/ops/config_trunks.hpp"

#include <algorithm>
#include <set>

namespace vmr::ops {

using nlohmann::json;

namespace {

TrunkDigest digest_of(const std::string& name) {
    return name == "md5" ? TrunkDigest::md5 : name == "sha256" ? TrunkDigest::sha256 : TrunkDigest::both;
}

// The schema has checked what it is.
SettingValue value_of(const json& value) {
    if (value.is_boolean()) {
        return value.get<bool>();
    }
    if (value.is_number_integer()) {
        return value.get<std::int64_t>();
    }
    if (value.is_array() && !value.empty() && value.front().is_number_integer()) {
        return value.get<std::vector<std::int64_t>>();
    }
    if (value.is_array()) {
        return value.get<std::vector<std::string>>();
    }
    return value.get<std::string>();
}

std::map<std::string, SettingValue> settings_of(const json& object) {
    static const std::set<std::string> others{"name",    "addresses", "username", "secret", "digest",
                                              "numbers", "account",   "password", "profile"};
    std::map<std::string, SettingValue> settings;
    for (const auto& [key, value] : object.items()) {
        if (!others.contains(key)) {
            settings.emplace(key, value_of(value));
        }
    }
    return settings;
}

void check(ConfigDocument& document, const TrunkConfig& trunk, const json& given, const std::string& at) {
    for (std::size_t n = 0; n < trunk.addresses.size(); ++n) {
        if (!is_network(trunk.addresses[n])) {
            document.fault(at + "/addresses/" + std::to_string(n), "must be an IP address or CIDR network");
        }
    }
    if (trunk.addresses.empty() && trunk.username.empty() && !given.contains("profile") &&
        !given.contains("proxies")) {
        document.fault(at, "needs addresses, username and secret, or proxies: who may call?");
    }
    if (trunk.username.empty() != trunk.secret.empty()) {
        document.fault(at, "username and secret go together");
    }
    if (trunk.account.empty() != trunk.password.empty()) {
        document.fault(at, "account and password go together");
    }
}

}  // namespace

std::vector<TrunkConfig> read_trunks(ConfigDocument& document, const std::vector<RoomConfig>& rooms) {
    std::vector<TrunkConfig> trunks;
    const json list = document.array("trunks");
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string at = "/trunks/" + std::to_string(i);
        const json& given = list[i];
        TrunkConfig trunk;
        trunk.name = given.value("name", "");
        trunk.addresses = given.value("addresses", trunk.addresses);
        trunk.username = given.value("username", "");
        trunk.secret = document.secret(at + "/secret");
        trunk.numbers = given.value("numbers", trunk.numbers);
        trunk.digest = digest_of(given.value("digest", ""));
        trunk.account = given.value("account", "");
        trunk.password = document.secret(at + "/password");
        trunk.profile = given.value("profile", trunk.profile);
        trunk.settings = settings_of(given);
        check(document, trunk, given, at);
        for (const auto& [number, target] : trunk.numbers) {
            if (target != "reception" && std::ranges::find(rooms, target, &RoomConfig::id) == rooms.end()) {
                document.fault(at + "/numbers/" + number, "no room \"" + target + "\"");
            }
        }
        if (std::ranges::find(trunks, trunk.name, &TrunkConfig::name) != trunks.end()) {
            document.fault(at + "/name", "another trunk has this name");
        }
        trunks.push_back(std::move(trunk));
    }
    return trunks;
}

}  // namespace vmr::ops
