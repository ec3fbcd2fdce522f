#include "daemon/ops/config_reload.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "schemas/validator.hpp"

namespace vmr::ops {
namespace {

using Keys = std::set<std::string>;

Config parsed(const std::string& text) {
    auto config = parse_config(text, "vmrd.toml");
    EXPECT_TRUE(config) << config.error();
    return config ? *config : Config();
}

Keys unchanged(const Config& running, const Config& wanted) {
    const Reload reload = reload_config(running, wanted);
    return {reload.unchanged.begin(), reload.unchanged.end()};
}

// "sip.domain" of each table; rooms, trunks and devices are lists, which a reload takes as they are.
Keys all_keys() {
    Keys keys;
    for (const auto& [table, schema] : schema::embedded("config.json")["properties"].items()) {
        if (schema.contains("properties")) {
            for (const auto& [key, value] : schema["properties"].items()) {
                keys.insert(table + "." + key);
            }
        }
    }
    return keys;
}

// A key that is new belongs into one of the two lists, and into docs/operations.md.
TEST(ConfigReloadTest, EachKeyIsTakenOrItIsSaidThatItNeedsARestart) {
    const Config wanted = parsed(R"(
[http]
listen = ["127.0.0.1:8081"]
tls_listen = ["127.0.0.1:8444"]
certificate = "c"
key = "k"
allowed_origins = ["https://other.example"]
admin_token = "0123456789012345678901234567890123456789"
[sip]
udp = ["127.0.0.1:5070"]
tcp = ["127.0.0.1:5070"]
tls = ["127.0.0.1:5071"]
certificate = "c"
key = "k"
client_ca = "ca"
certificates = [{ certificate = "c", key = "k" }]
mutual_tls = [{ listen = "127.0.0.1:5072", client_ca = "ca" }]
ice = "full"
ice_offers = true
max_video_bitrate = 1
far_end_camera = true
domain = "other.example"
advertised_host = "other.example"
software = "Other/1.0"
reception = "desk"
[media]
port_min = 20000
port_max = 30000
addresses = ["127.0.0.1"]
advertised_addresses = ["203.0.113.7"]
local_networks = []
stun = ["192.0.2.10:3478"]
turn = [{ url = "turn:192.0.2.10:3478", username = "u", secret = "s" }]
audio_dscp = 1
video_dscp = 1
io_threads = 1
video_width = 320
video_height = 180
video_framerate = 5
video_bitrate = 64000
[dial_out]
max_calls = 1
max_calls_per_room = 1
max_spend_per_day = 2.5
max_spend_per_room_per_day = 1
ring_timeout = 5
refer = "hosts"
ca = "ca"
name_servers = ["192.0.2.53:53"]
rules = [{ name = "all", domains = ["other.example"] }]
[registrar]
enabled = true
devices_file = "devices.json"
[records]
path = "calls.jsonl"
[log]
level = "debug"
format = "json"
[prompts]
path = "sounds"
language = "fr"
)");
    Keys expected = all_keys();
    for (const char* taken : {"sip.reception",
                              "sip.unknown_to_reception",
                              "certificates.alarm_days",
                              "log.level",
                              "dial_out.max_calls",
                              "dial_out.max_calls_per_room",
                              "dial_out.max_spend_per_day",
                              "dial_out.max_spend_per_room_per_day",
                              "dial_out.ring_timeout",
                              "dial_out.refer",
                              "dial_out.rules",
                              "registrar.allow_clear",
                              "registrar.min_expires",
                              "registrar.max_expires",
                              "registrar.keep_alive",
                              "registrar.max_devices",
                              "registrar.max_contacts",
                              "registrar.max_registrations",
                              "registrar.max_registrations_per_source",
                              "registrar.requests_per_second",
                              "registrar.proxy",
                              "registrar.phone_book",
                              "registrar.firmware"}) {
        EXPECT_EQ(expected.erase(taken), 1U) << taken;
    }
    EXPECT_EQ(unchanged(Config(), wanted), expected);
    EXPECT_EQ(unchanged(wanted, wanted), Keys());
    const Config taken = reload_config(Config(), wanted).config;
    EXPECT_EQ(taken.sip.domain, "");
    EXPECT_EQ(taken.media.video_width, 640U);
    EXPECT_EQ(taken.sip.reception, "desk");
    EXPECT_EQ(taken.dial_out.max_calls, 1);
    EXPECT_EQ(taken.dial_out.max_spend_per_day, 2'500'000);
    EXPECT_EQ(taken.dial_out.rules.size(), 1U);
}

// Accounts and what they are of must not come apart: devices would be thrown out, to come back nowhere.
TEST(ConfigReloadTest, DevicesStayWhileTheRegistrarCannotChange) {
    const std::string sip =
        "[sip]\ntls = ['127.0.0.1:5061']\ncertificate = 'c'\nkey = 'k'\ndomain = 'a.example'\n";
    const Config running = parsed(sip +
                                  "[registrar]\nenabled = true\nkeep_alive = 60\n"
                                  "[[devices]]\nname = 'a'\nsecret = '12345678'\n");
    const Reload off = reload_config(running, parsed(sip));
    EXPECT_EQ(off.unchanged, std::vector<std::string>{"registrar.enabled"});
    EXPECT_TRUE(off.config.registrar.enabled);
    EXPECT_EQ(off.config.registrar.keep_alive.count(), 60);
    ASSERT_EQ(off.config.devices.size(), 1U);
    const Reload on = reload_config(parsed(sip), running);
    EXPECT_FALSE(on.config.registrar.enabled);
    EXPECT_TRUE(on.config.devices.empty());
}

}  // namespace
}  // namespace vmr::ops
