#include "daemon/ops/config.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace vmr::ops {
namespace {

std::string errors(std::string_view text) {
    const auto config = parse_config(text, "vmrd.toml");
    return config ? "" : config.error();
}

TEST(ConfigTest, ReadsEverything) {
    setenv("VMR_TEST_SECRET", "trunk-secret", 1);
    std::ofstream("/tmp/vmr-test-pin") << "482913\n";
    const auto config = parse_config(R"(
[http]
listen = ["127.0.0.1:8080", "[::1]:8081"]
[sip]
udp = ["0.0.0.0:5060"]
domain = "example.org"
[media]
port_min = 20000
port_max = 21000
stun = ["stun.example.org:3478"]
turn = [{url = "turn:turn.example.org:3478", username = "u", secret = "s"}]
[[rooms]]
id = "board"
aliases = ["4711"]
numbers = ["+4930123"]
host_pin = {file = "/tmp/vmr-test-pin"}
guest_pin = "1234"
chat_allowed = false
encryption = "required"
host_absence = "rehold"
grace = 5
layout = "equal"
[[trunks]]
name = "carrier"
addresses = ["192.0.2.0/24"]
username = "me"
secret = {env = "VMR_TEST_SECRET"}
digest = "md5"
numbers = {"+4930123" = "board", "+4930124" = "reception"}
[log]
level = "debug"
format = "json"
)",
                                     "vmrd.toml");
    ASSERT_TRUE(config) << config.error();
    EXPECT_EQ(config->http.listen[1].text(), "[::1]:8081");
    EXPECT_EQ(config->media.port_max, 21000);
    const RoomConfig& room = config->rooms.at(0);
    EXPECT_EQ(room.aliases, (std::vector<std::string>{"board", "4711"}));
    EXPECT_EQ(room.host_pin, "482913");
    EXPECT_TRUE(room.guests_allowed);
    EXPECT_FALSE(room.chat_allowed);
    EXPECT_EQ(room.encryption, Encryption::required);
    EXPECT_EQ(room.host_absence, HostAbsence::rehold);
    EXPECT_EQ(room.grace.count(), 5);
    EXPECT_EQ(config->trunks.at(0).secret, "trunk-secret");
    EXPECT_EQ(config->trunks.at(0).digest, TrunkDigest::md5);
    EXPECT_EQ(config->trunks.at(0).numbers.at("+4930123"), "board");
    EXPECT_EQ(config->trunks.at(0).profile, "pstn");
    EXPECT_TRUE(config->trunks.at(0).settings.empty());
    EXPECT_EQ(config->log_level, LogLevel::debug);
}

TEST(ConfigTest, NobodyIsCalledUnlessARuleSaysSo) {
    const auto none = parse_config("", "vmrd.toml");
    ASSERT_TRUE(none) << none.error();
    EXPECT_TRUE(none->dial_out.rules.empty());
    const auto config = parse_config(R"(
[dial_out]
max_calls = 7
ring_timeout = 30
refer = "hosts"
name_servers = ["192.0.2.53:53"]
[[dial_out.rules]]
name = "carrier"
prefixes = ["+49"]
gateway = "sip:gw.example"
username = "us"
secret = "s"
offer = "late"
max_duration = 60
)",
                                     "vmrd.toml");
    ASSERT_TRUE(config) << config.error();
    EXPECT_EQ(config->dial_out.max_calls, 7);
    EXPECT_EQ(none->dial_out.refer, Referrals::off);
    EXPECT_EQ(config->dial_out.refer, Referrals::hosts);
    EXPECT_EQ(config->dial_out.name_servers.at(0).text(), "192.0.2.53:53");
    const DialRuleConfig& rule = config->dial_out.rules.at(0);
    EXPECT_EQ(rule.prefixes, (std::vector<std::string>{"+49"}));
    EXPECT_EQ(rule.secret, "s");
    EXPECT_TRUE(rule.late_offer);
    EXPECT_EQ(rule.max_duration.count(), 60);
    for (const char* mistake : {"", "prefixes = ['+49']", "domains = ['a']\nusername = 'u'"}) {
        EXPECT_NE(errors(std::string("[[dial_out.rules]]\nname = 'x'\n") + mistake), "") << mistake;
    }
}

TEST(ConfigTest, WhatCallsOutMayCost) {
    const std::string rule =
        "[[dial_out.rules]]\nname = 'x'\nprefixes = ['+49']\ngateway = 'sip:gw.example'\n";
    const std::string limit = "[dial_out]\nmax_spend_per_day = 12.34\n";
    const auto config =
        parse_config(limit + "max_spend_per_room_per_day = 10000000\n" + rule +
                         "price = 0.000001\n[[dial_out.rules]]\nname = 'free'\ndomains = ['a.example']\n",
                     "vmrd.toml");
    ASSERT_TRUE(config) << config.error();
    EXPECT_EQ(config->dial_out.max_spend_per_day, 12'340'000);
    EXPECT_EQ(config->dial_out.max_spend_per_room_per_day, 10'000'000'000'000);
    EXPECT_EQ(config->dial_out.rules.at(0).price, 1);
    EXPECT_EQ(config->dial_out.rules.at(1).price, std::nullopt);
    EXPECT_EQ(errors(rule), "");
    EXPECT_EQ(errors(limit + rule + "price = 0\n"), "");
    const std::string unpriced = "needs a price, as calls out have a spend limit; 0: they cost nothing";
    EXPECT_EQ(errors(limit + rule), "vmrd.toml:3: dial_out.rules[0]: " + unpriced);
    EXPECT_EQ(errors("[dial_out]\nmax_spend_per_room_per_day = 0\n[[dial_out.rules]]\nname = 'x'\n"
                     "domains = ['a.example']\ntrunk = 't'\n[[trunks]]\nname = 't'\nproxies = ['sip:a']\n"),
              "vmrd.toml:3: dial_out.rules[0]: " + unpriced);
    for (const char* wrong : {"nan", "inf", "-inf", "-1", "0.0000001", "10000.5", "'1'", "1e300"}) {
        EXPECT_EQ(errors(rule + "price = " + wrong + "\n").rfind("vmrd.toml:5: dial_out.rules[0].price: ", 0),
                  0U)
            << wrong << " " << errors(rule + "price = " + wrong + "\n");
    }
    for (const char* wrong : {"nan", "-1", "10000000.5", "1.2345678"}) {
        const std::string fault = errors("[dial_out]\nmax_spend_per_day = " + std::string(wrong) + "\n");
        EXPECT_EQ(fault.rfind("vmrd.toml:2: dial_out.max_spend_per_day: ", 0), 0U) << wrong << " " << fault;
    }
}

TEST(ConfigTest, DevicesRegisterWhereTheRegistrarIsEnabled) {
    const std::string registrar =
        "[sip]\ntls = ['0.0.0.0:5061']\ncertificate = 'c'\nkey = 'k'\ndomain = 'meet.example'\n"
        "[registrar]\nenabled = true\nkeep_alive = 60\nfirmware = [{model = 'Acme', minimum = '1.2'}]\n";
    const auto config = parse_config(registrar + R"(
[[devices]]
name = "Kitchen"
aliases = ["1001"]
secret = "of-eight-or-more"
digest = "both"
)",
                                     "vmrd.toml");
    ASSERT_TRUE(config) << config.error();
    EXPECT_TRUE(config->registrar.enabled);
    EXPECT_EQ(config->registrar.keep_alive.count(), 60);
    EXPECT_EQ(config->registrar.firmware.at(0).minimum, "1.2");
    EXPECT_EQ(config->devices.at(0).name, "kitchen");
    EXPECT_EQ(config->devices.at(0).digest, DeviceDigest::both);
    const std::string device = "[[devices]]\nname = 'a'\nsecret = '12345678'\n";
    EXPECT_NE(errors(device).find("devices: needs registrar.enabled"), std::string::npos) << errors(device);
    EXPECT_NE(errors("[registrar]\nenabled = true\n").find("needs sip.domain"), std::string::npos);
    EXPECT_NE(errors(registrar + device + device).find("a device's name already"), std::string::npos);
    EXPECT_NE(errors(registrar + "[[devices]]\nname = 'a'\nsecret = 'short'\n").find("at least 8"),
              std::string::npos);
    EXPECT_NE(errors(registrar + device + "[[trunks]]\nname = 't'\nusername = 'a'\nsecret = 's'\n")
                  .find("trunk's username"),
              std::string::npos);
    EXPECT_NE(errors("[registrar]\nmin_expires = 600\nmax_expires = 300\n").find("above max_expires"),
              std::string::npos);
}

TEST(ConfigTest, ErrorsNameLineAndKey) {
    EXPECT_EQ(errors("[[rooms]]\nid = \"a\"\n\nhost_pin = \"12\"\n"),
              "vmrd.toml:4: rooms[0].host_pin: must be 4 to 20 digits");
    const char* const unreachable =
        "vmrd.toml:2: media.advertised_addresses[0]: must be a numeric address at which peers reach one host";
    for (const char* address :
         {"meet.example", "0.0.0.0", "::", "239.1.2.3", "ff02::1", "::ffff:192.0.2.1"}) {
        EXPECT_EQ(errors("[media]\nadvertised_addresses = [\"" + std::string(address) + "\"]\n"),
                  unreachable);
    }
    EXPECT_EQ(errors("[media]\nadvertised_addresses = [\"192.0.2.1\",\n\"192.0.2.2\"]\n"),
              "vmrd.toml:3: media.advertised_addresses[1]: there may be one IPv4 and one IPv6 address");
    EXPECT_EQ(errors("[media]\nlocal_networks = [\"10.0.0.0/8\", \"10.0.0.0/33\"]\n"),
              "vmrd.toml:2: media.local_networks[1]: must be an IP address or CIDR network");
    EXPECT_EQ(errors("[media]\naddresses = [\"eth0\"]\n"),
              "vmrd.toml:2: media.addresses[0]: must be a numeric address");
    EXPECT_EQ(errors("[media]\nport_min = 5000\nport_max = 4000\n"),
              "vmrd.toml:2: media.port_min: must be below media.port_max");
    EXPECT_EQ(errors("[http]\nlisten = [\n  \"127.0.0.1:80\",\n  \"localhost:80\"]\n")
                  .rfind("vmrd.toml:4: http.listen[1]: must be address:port", 0),
              0u);
    EXPECT_EQ(errors("[[rooms]]\nid = \"a\"\nencryption = \"maybe\"\n")
                  .rfind("vmrd.toml:3: rooms[0].encryption: must be one of", 0),
              0u)
        << errors("[[rooms]]\nid = \"a\"\nencryption = \"maybe\"\n");
    EXPECT_EQ(
        errors("[media]\n\naudio_dscp = \"x\"\n").rfind("vmrd.toml:3: media.audio_dscp: must be of type", 0),
        0u)
        << errors("[media]\n\naudio_dscp = \"x\"\n");
    EXPECT_EQ(errors("[sip]\nreception = \"\"\nunknown_to_reception = true\n"),
              "vmrd.toml:3: sip.unknown_to_reception: needs sip.reception");
    EXPECT_EQ(errors("a = \n").rfind("vmrd.toml:1: ", 0), 0u);
    EXPECT_EQ(errors("[sip]\n[trunk]\nx = 1\n").rfind("vmrd.toml:2: trunk: ", 0), 0u)
        << errors("[sip]\n[trunk]\nx = 1\n");
    EXPECT_EQ(errors("[sip]\nudpp = []\n").rfind("vmrd.toml:2: sip.udpp: ", 0), 0u)
        << errors("[sip]\nudpp = []\n");
}

TEST(ConfigTest, NamesCannotBeToldApartUnlessTheOperatorSaysSo) {
    const auto sip = [](const char* text) {
        const auto config = parse_config(text, "vmrd.toml");
        return config ? config->sip : SipConfig{.reception = "?"};
    };
    EXPECT_EQ(sip("").reception, "reception");
    EXPECT_TRUE(sip("").unknown_to_reception);
    EXPECT_TRUE(sip("[sip]\nreception = \"desk\"\n").unknown_to_reception);
    EXPECT_FALSE(sip("[sip]\nunknown_to_reception = false\n").unknown_to_reception);
    EXPECT_EQ(sip("[sip]\nunknown_to_reception = false\n").reception, "reception");
    EXPECT_FALSE(sip("[sip]\nreception = \"\"\n").unknown_to_reception);
}

TEST(ConfigTest, TheRoomsPictureIsBounded) {
    const auto usual = parse_config("", "vmrd.toml");
    ASSERT_TRUE(usual);
    EXPECT_EQ(usual->media.video_width, 640U);
    EXPECT_EQ(usual->media.video_bitrate, 1'000'000U);
    const auto large = parse_config(
        "[media]\nvideo_width = 1280\nvideo_height = 720\nvideo_framerate = 30\nvideo_bitrate = 2500000\n",
        "vmrd.toml");
    ASSERT_TRUE(large) << (large ? "" : large.error());
    EXPECT_EQ(large->media.video_width, 1280U);
    EXPECT_EQ(large->media.video_height, 720U);
    EXPECT_EQ(large->media.video_framerate, 30U);
    EXPECT_EQ(large->media.video_bitrate, 2'500'000U);
    EXPECT_EQ(errors("[media]\nvideo_width = 641\n"), "vmrd.toml:2: media.video_width: must be even");
    for (const char* wrong : {"video_width = 158", "video_width = 1922", "video_height = 88",
                              "video_height = 1082", "video_framerate = 4", "video_framerate = 60",
                              "video_bitrate = 0", "video_bitrate = 100000000", "video_width = \"640\""}) {
        EXPECT_NE(errors("[media]\n" + std::string(wrong) + "\n").find("media.video_"), std::string::npos)
            << wrong;
    }
}

TEST(ConfigTest, RulesBetweenKeys) {
    EXPECT_NE(errors("[[rooms]]\nid=\"a\"\nhost_pin=\"1234\"\nguest_pin=\"1234\"\n").find("must differ"),
              std::string::npos);
    EXPECT_NE(errors("[[rooms]]\nid=\"a\"\n[[rooms]]\nid=\"b\"\naliases=[\"a\"]\n")
                  .find("already names room \"a\""),
              std::string::npos);
    EXPECT_NE(errors("[[trunks]]\nname=\"t\"\n").find("who may call?"), std::string::npos);
    EXPECT_NE(errors("[[trunks]]\nname=\"t\"\nprofile=\"any\"\n").find("profile"), std::string::npos);
    EXPECT_NE(errors("[[trunks]]\nname=\"t\"\nproxies=[\"sip:a\"]\naccount=\"us\"\n").find("go together"),
              std::string::npos);
    EXPECT_NE(errors("[[trunks]]\nname=\"t\"\nprofile=\"as-sip\"\ndscp_audio=[64]\n").find("dscp_audio"),
              std::string::npos);
    EXPECT_NE(errors("[[trunks]]\nname=\"t\"\naddresses=[\"any\"]\n")
                  .find(":3: trunks[0].addresses[0]: must be an IP"),
              std::string::npos);
    EXPECT_NE(errors("[http]\ntls_listen=[\"0.0.0.0:443\"]\n").find("needs http.certificate"),
              std::string::npos);
    EXPECT_NE(errors("[http]\nadmin_token={env=\"VMR_NOT_SET\"}\n").find(":2: http.admin_token: environment"),
              std::string::npos);
    // A secret's value is never repeated.
    EXPECT_EQ(errors("[[rooms]]\nid=\"a\"\nhost_pin=\"12345x\"\n").find("12345x"), std::string::npos);
}

TEST(ConfigTest, HostsAreNamesOrAddressesWithoutPort) {
    const std::string fault = ": must be a host name or a numeric address, without port";
    for (const char* wrong : {"meet.example:5060", "sip:meet example", "[2001:db8::1]", "-meet.example",
                              "1.2.3", "meet..example", "a/b", "meet_room.example"}) {
        for (const char* key : {"domain", "advertised_host"}) {
            EXPECT_EQ(errors("[sip]\n" + std::string(key) + " = \"" + wrong + "\"\n"),
                      "vmrd.toml:2: sip." + std::string(key) + fault);
        }
    }
    for (const char* right : {"meet.example", "localhost", "meet-1.example.", "192.0.2.1", "2001:db8::1",
                              "xn--bcher-kva.example", "3com.example", ""}) {
        EXPECT_EQ(errors("[sip]\nadvertised_host = \"" + std::string(right) + "\"\n"), "");
    }
}

TEST(ConfigTest, TheSoftwareIsProductsAndComments) {
    for (const char* right : {"", "Example", "Example/1.2", "Example/1.2 Meet (west; 4)"}) {
        const auto config = parse_config("[sip]\nsoftware = \"" + std::string(right) + "\"\n", "vmrd.toml");
        ASSERT_TRUE(config) << config.error();
        EXPECT_EQ(config->sip.software, right);
    }
    EXPECT_EQ(parse_config("", "vmrd.toml")->sip.software, "");
    for (const std::string& wrong : {std::string("a\\r\\nB: c"), std::string("a\\u0000"), std::string("a "),
                                     std::string("a (b"), std::string("a \u00e9"), std::string(65, 'a')}) {
        EXPECT_NE(errors("[sip]\nsoftware = \"" + wrong + "\"\n").find("vmrd.toml:2: sip.software: must"),
                  std::string::npos)
            << wrong;
    }
}

TEST(ConfigTest, StunAndTurnServersAreHostsWithPorts) {
    const auto turn = [](const std::string& url) {
        return "[[media.turn]]\nurl = \"" + url + "\"\nusername = \"u\"\nsecret = \"s\"\n";
    };
    const auto config = parse_config("[media]\nstun = [\"stun.example:3478\", \"[2001:db8::1]:3479\"]\n" +
                                         turn("turn:192.0.2.1?transport=tcp") + turn("turns:turn.example") +
                                         turn("turn:[::1]:99"),
                                     "vmrd.toml");
    ASSERT_TRUE(config) << config.error();
    EXPECT_EQ(config->media.stun.at(0), (Endpoint{"stun.example", 3478}));
    EXPECT_EQ(config->media.stun.at(1).text(), "[2001:db8::1]:3479");
    EXPECT_EQ(config->media.turn.at(0).server, (Endpoint{"192.0.2.1", 3478}));
    EXPECT_EQ(config->media.turn.at(0).transport, TurnTransport::tcp);
    EXPECT_EQ(config->media.turn.at(1).server, (Endpoint{"turn.example", 5349}));
    EXPECT_EQ(config->media.turn.at(1).transport, TurnTransport::tls);
    EXPECT_EQ(config->media.turn.at(2).server, (Endpoint{"::1", 99}));
    for (const char* wrong : {"stun.example", "stun:stun.example:3478", "stun.example:", "a b:1", ":3478",
                              "2001:db8::1:3478", "[2001:db8::1", "[::1]x:80", "[::1]:0", "a:70000"}) {
        EXPECT_EQ(errors("[media]\nstun = [\"" + std::string(wrong) + "\"]\n"),
                  "vmrd.toml:2: media.stun[0]: must be host:port or [v6]:port");
    }
    for (const char* wrong : {"turn:", "turn:turn example", "turn:a:x", "turn:a?transport=tls", "turn://a"}) {
        EXPECT_EQ(errors(turn(wrong)).rfind("vmrd.toml:2: media.turn[0].url: must be turn:host:port", 0), 0U)
            << wrong;
    }
}

TEST(ConfigTest, ACertificateHasAKey) {
    EXPECT_EQ(errors("[http]\ncertificate = \"c\"\n"),
              "vmrd.toml:2: http.certificate: certificate and key go together");
    EXPECT_EQ(errors("[sip]\nkey = \"k\"\n"), "vmrd.toml:2: sip.key: certificate and key go together");
    EXPECT_NE(errors("[sip]\ntls = [\"0.0.0.0:5061\"]\ncertificate = \"c\"\n").find("needs sip.certificate"),
              std::string::npos);
}

TEST(ConfigTest, WhatCannotBeReadIsNotAnEmptyFile) {
    for (const char* path : {"/tmp", "/proc/self/mem", "/tmp/vmr-nowhere/vmrd.toml"}) {
        const auto config = load_config(path);
        ASSERT_FALSE(config) << path;
        EXPECT_EQ(config.error(), std::string(path) + ": cannot be read");
    }
    const auto endless = load_config("/dev/zero");
    ASSERT_FALSE(endless);
    EXPECT_EQ(endless.error(), "/dev/zero: is too large");
    EXPECT_TRUE(load_config("/dev/null"));
}

// The likeliest mistake.
TEST(ConfigTest, APinThatIsANumberIsOneFaultThatSaysWhatToWrite) {
    const std::string choice = "must be text, { file = … } or { env = … }";
    EXPECT_EQ(errors("[[rooms]]\nid=\"a\"\nhost_pin = 123456\n"),
              "vmrd.toml:3: rooms[0].host_pin: " + choice);
    EXPECT_EQ(errors("[http]\nadmin_token = { path = \"x\" }\n"), "vmrd.toml:2: http.admin_token: " + choice);
    EXPECT_EQ(errors("[[rooms]]\nid=\"a\"\nhost_pin = { file = 5 }\nguest_pin = 1234\ngrace = \"x\"\n"),
              "vmrd.toml:3: rooms[0].host_pin: " + choice + "\nvmrd.toml:4: rooms[0].guest_pin: " + choice +
                  "\nvmrd.toml:5: rooms[0].grace: must be of type \"integer\"");
}

// Callers may write either case: who has one name in two would reach the wrong room.
TEST(ConfigTest, RoomsDifferInMoreThanUpperAndLowerCase) {
    EXPECT_EQ(errors("[[rooms]]\nid=\"board\"\nhost_pin=\"1234\"\n[[rooms]]\nid=\"Board\"\n"),
              "vmrd.toml:4: rooms[1]: \"Board\" already names room \"board\"");
    EXPECT_EQ(errors("[[rooms]]\nid=\"a\"\naliases=[\"Foo\"]\n[[rooms]]\nid=\"b\"\naliases=[\"foo\"]\n"),
              "vmrd.toml:4: rooms[1]: \"foo\" already names room \"a\"");
    EXPECT_EQ(errors("[[rooms]]\nid=\"a\"\n[[rooms]]\nid=\"a\"\n"),
              "vmrd.toml:3: rooms[1]: \"a\" already names room \"a\"");
    EXPECT_EQ(errors("[[rooms]]\nid=\"Board\"\naliases=[\"board\", \"BOARD\"]\n"), "");
}

TEST(ConfigTest, SelfContainedHasNewPinsEachTime) {
    const Config one = self_contained_config({false, {}, "/tmp"});
    const Config two = self_contained_config({false, {}, "/tmp"});
    EXPECT_EQ(one.rooms.at(1).host_pin.size(), 6u);
    EXPECT_NE(one.rooms[1].host_pin, one.rooms[1].guest_pin);
    EXPECT_NE(one.rooms[1].host_pin + one.rooms[1].guest_pin, two.rooms[1].host_pin + two.rooms[1].guest_pin);
    EXPECT_EQ(one.http.listen.at(0).address, "127.0.0.1");
    ASSERT_EQ(one.trunks.size(), 1u);
    EXPECT_EQ(one.trunks[0].secret.size(), 12u);
    EXPECT_NE(one.trunks[0].secret, two.trunks[0].secret);
    EXPECT_EQ(one.trunks[0].numbers.at("+10000009000"), "reception");
}

TEST(ConfigTest, TrunkSettingsStandBesideTheProfile) {
    setenv("VMR_TEST_SECRET", "trunk-secret", 1);
    const auto config = parse_config(R"(
[records]
path = "/tmp/calls.jsonl"
[[rooms]]
id = "board"
[[trunks]]
name = "teams"
profile = "teams-direct-routing"
proxies = ["sip:a.example;transport=tls", "sip:b.example;transport=tls"]
account = "us"
password = { env = "VMR_TEST_SECRET" }
options_interval = 30
tls = false
dscp_audio = [46, 34]
hold = "sendonly"
)",
                                     "vmrd.toml");
    ASSERT_TRUE(config.ok()) << config.error();
    const TrunkConfig& trunk = config->trunks.at(0);
    EXPECT_EQ(trunk.profile, "teams-direct-routing");
    EXPECT_EQ(trunk.password, "trunk-secret");
    ASSERT_EQ(trunk.settings.size(), 5U);
    EXPECT_EQ(std::get<std::int64_t>(trunk.settings.at("options_interval")), 30);
    EXPECT_EQ(std::get<bool>(trunk.settings.at("tls")), false);
    EXPECT_EQ(std::get<std::string>(trunk.settings.at("hold")), "sendonly");
    EXPECT_EQ(std::get<std::vector<std::string>>(trunk.settings.at("proxies")).size(), 2U);
    EXPECT_EQ(std::get<std::vector<std::int64_t>>(trunk.settings.at("dscp_audio")).front(), 46);
}

}  // namespace
}  // namespace vmr::ops
