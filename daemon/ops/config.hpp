// vmrd's configuration: TOML, validated against schemas/config.json; errors name file, line and key.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace vmr::ops {

struct Endpoint {
    std::string address;  // "0.0.0.0", "::", "127.0.0.1"; of STUN and TURN servers it may be a name
    std::uint16_t port = 0;
    std::string text() const;  // "127.0.0.1:8080", "[::1]:8080"
    bool operator==(const Endpoint&) const = default;
};

struct TlsFiles {
    std::string certificate;  // PEM chain; empty: none
    std::string key;
    bool given() const { return !certificate.empty() && !key.empty(); }
    bool operator==(const TlsFiles&) const = default;
};

struct HttpConfig {
    std::vector<Endpoint> listen;      // plain HTTP
    std::vector<Endpoint> tls_listen;  // HTTPS
    TlsFiles tls;
    std::vector<std::string> allowed_origins;
    std::string admin_token;  // secret; empty: only the one-time admin link
};

struct MutualTlsListener {
    Endpoint listen;
    std::string client_ca;  // PEM; who connects has a certificate by one of these
    bool operator==(const MutualTlsListener&) const = default;
};

enum class SipIce { off, lite, full };

struct SipConfig {
    std::vector<Endpoint> udp, tcp, tls;
    TlsFiles certificate;
    std::vector<TlsFiles> certificates;  // further ones, by the name that is asked for (SNI)
    std::string client_ca;               // PEM; empty: client certificates are not asked for
    std::vector<MutualTlsListener> mutual_tls;
    SipIce ice = SipIce::lite;               // in answers to who offers it
    bool ice_offers = false;                 // and in our own offers
    unsigned max_video_bitrate = 4'000'000;  // bit/s that peers are asked not to exceed; 0: nothing is said
    bool far_end_camera = false;             // H.281 to who is spotlighted
    std::string domain;                      // our SIP domain; empty: the addresses
    std::string advertised_host;             // for Contact and Via behind NAT; empty: the local address
    std::string software;                    // what SIP messages say to be made by; empty: nothing
    // User part that asks for a meeting number ("virtual reception"); empty: there is none.
    std::string reception = "reception";
    bool unknown_to_reception =
        true;  // names that do not exist are answered there too: none can be told apart
};

enum class TurnTransport { udp, tcp, tls };

struct TurnServer {
    std::string url;  // turn:host:port?transport=udp, as browsers take it
    Endpoint server;  // and what it says
    TurnTransport transport = TurnTransport::udp;
    std::string username;
    std::string secret;  // the password, or with `shared_secret` the REST secret (time-limited credentials)
    bool shared_secret = false;
    bool operator==(const TurnServer&) const = default;
};

struct MediaConfig {
    std::uint16_t port_min = 40000;
    std::uint16_t port_max = 49999;
    std::vector<std::string> addresses;             // local addresses for candidates; empty: all
    std::vector<std::string> advertised_addresses;  // of a 1:1 NAT; at most one IPv4 and one IPv6
    // Whose peers are told our own address instead: RFC 1918, RFC 4193, loopback and link-local.
    std::vector<std::string> local_networks{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                            "fc00::/7",   "127.0.0.0/8",   "169.254.0.0/16",
                                            "::1",        "fe80::/10"};
    std::vector<Endpoint> stun;
    std::vector<TurnServer> turn;
    int audio_dscp = 46;
    int video_dscp = 34;
    unsigned io_threads = 0;             // for sockets and ICE; 0: one a core, at most 4
    unsigned video_width = 640;          // pixels, even
    unsigned video_height = 360;         // pixels, even
    unsigned video_framerate = 25;       // per second
    unsigned video_bitrate = 1'000'000;  // bit/s of each encoded picture
};

enum class Encryption { required, best_effort, off };
enum class HostAbsence { end, continue_, rehold };
enum class Layout { speaker, equal, single, content };

struct RoomConfig {
    std::string id;
    std::string title;
    std::vector<std::string> aliases;  // the id is always one
    std::vector<std::string> numbers;  // E.164 or meeting numbers
    std::string host_pin;              // secret; digits; empty: none
    std::string guest_pin;             // secret
    bool guests_allowed = false;
    bool chat_allowed = true;  // for guests
    Encryption encryption = Encryption::best_effort;
    int min_key_bits = 0;
    HostAbsence host_absence = HostAbsence::end;
    std::chrono::seconds grace{60};
    std::chrono::seconds lobby_timeout{900};
    std::chrono::seconds lone_timeout{0};  // 0: never
    std::chrono::seconds max_duration{0};  // 0: no limit
    int max_participants = 500;
    Layout layout = Layout::speaker;
    std::string locale;  // empty: prompts_language
};

// What the room's settings say against its guest PIN, in the file as in the API; empty: nothing.
std::string guest_pin_fault(const RoomConfig& room);

enum class TrunkDigest { both, md5, sha256 };

// What stands in the file for one of a trunk's settings; what they are and mean is the SIP side's
// (legs/sip/routing/trunk_profile.hpp).
using SettingValue =
    std::variant<bool, std::int64_t, std::string, std::vector<std::string>, std::vector<std::int64_t>>;

struct TrunkConfig {
    std::string name;
    std::vector<std::string> addresses;  // CIDR or single addresses it may call from
    std::string username;                // digest; empty: by address alone
    std::string secret;
    std::map<std::string, std::string> numbers;  // called number -> room id, or "reception"
    TrunkDigest digest = TrunkDigest::both;      // what it is challenged with
    std::string account, password;               // who we are to the trunk
    std::string profile = "pstn";
    std::map<std::string, SettingValue> settings;  // beside the profile's
};

// Whom rooms may call; deny by default.
struct DialRuleConfig {
    std::string name;
    std::vector<std::string> domains;
    std::vector<std::string> prefixes;
    std::string trunk;  // or a gateway
    std::string gateway;
    std::string caller;
    std::string username;
    std::string secret;
    bool late_offer = false;
    std::chrono::seconds max_duration{4 * 3600};
    std::optional<std::int64_t> price;  // of a started minute, in millionths of the currency
};

enum class Referrals { off, hosts, participants };  // who may have others called by SIP REFER

struct DialOutConfig {
    int max_calls = 20;
    int max_calls_per_room = 5;
    std::optional<std::int64_t> max_spend_per_day;  // millionths; none: no limit
    std::optional<std::int64_t> max_spend_per_room_per_day;
    std::chrono::seconds ring_timeout{60};
    Referrals refer = Referrals::off;
    std::string ca;                      // PEM; empty: the system's
    std::vector<Endpoint> name_servers;  // empty: the system's
    std::vector<DialRuleConfig> rules;
};

enum class DeviceDigest { sha256, md5, both };

// A device that registers.
struct DeviceConfig {
    std::string name;
    std::vector<std::string> aliases;
    std::string secret;
    std::string display_name;
    std::string model;
    DeviceDigest digest = DeviceDigest::sha256;
};

struct FirmwareConfig {
    std::string model;  // how User-Agent begins
    std::string minimum;
};

struct RegistrarConfig {
    bool enabled = false;
    bool allow_clear = false;
    std::chrono::seconds min_expires{60};
    std::chrono::seconds max_expires{3600};
    std::chrono::seconds keep_alive{120};
    unsigned max_devices = 10000;
    unsigned max_contacts = 4;  // of one device
    unsigned max_registrations = 10000;
    unsigned max_registrations_per_source = 500;
    unsigned requests_per_second = 50;  // of one source
    std::string proxy;                  // SIP URI; empty: the domain
    std::string phone_book;             // URL
    std::string devices_file;           // empty: devices made by the API end with the process
    std::vector<FirmwareConfig> firmware;
};

enum class LogFormat { journal, logfmt, json };
enum class LogLevel { error, warning, notice, info, debug };

inline constexpr int kCertificateAlarmDays = 21;

struct Config {
    bool self_contained = false;  // made by self_contained_config()
    HttpConfig http;
    SipConfig sip;
    MediaConfig media;
    std::vector<RoomConfig> rooms;
    std::vector<TrunkConfig> trunks;
    DialOutConfig dial_out;
    RegistrarConfig registrar;
    std::vector<DeviceConfig> devices;
    std::string records_path;  // JSON lines
    int certificate_alarm_days = kCertificateAlarmDays;
    LogLevel log_level = LogLevel::info;
    LogFormat log_format = LogFormat::logfmt;
    std::string prompts_path;
    std::string prompts_language = "en";
};

// Looks at what was read, without faults so far, and tells the document of more.
class ConfigDocument;
using ConfigCheck = std::function<void(const Config&, ConfigDocument&)>;

// Reads and validates a file. An error holds one line per finding: "vmrd.toml:12: rooms[0].host_pin: …".
Result<Config> load_config(const std::string& path, const ConfigCheck& check = {});
// The same for text; `name` stands for the file in messages, relative {file=…} are below `directory`.
Result<Config> parse_config(std::string_view text, const std::string& name,
                            const std::string& directory = ".", const ConfigCheck& check = {});

struct SelfContainedOptions {
    bool lan = false;             // listen on all addresses, HTTPS and SIP TLS with `tls`
    TlsFiles tls;                 // see certificates.hpp
    std::string state_directory;  // records and certificates
};
// No file at all: rooms "meet" (open) and "board" (host and guest PINs of 6 digits, new at each start), and a
// trunk "phone" (digest; its secret is new at each start) whose numbers lead to them and to the virtual
// reception.
Config self_contained_config(const SelfContainedOptions& options);

// A PIN from the system's CSPRNG, without modulo bias.
std::string generate_pin(int digits = 6);

std::string_view text(Encryption value);
std::string_view text(HostAbsence value);
std::string_view text(Layout value);

}  // namespace vmr::ops
