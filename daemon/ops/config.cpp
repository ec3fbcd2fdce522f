#include "daemon/ops/config.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/text.hpp"
#include "daemon/ops/config_document.hpp"
#include "daemon/ops/config_media.hpp"
#include "daemon/ops/config_registrar.hpp"
#include "daemon/ops/config_trunks.hpp"
#include "daemon/ops/pins.hpp"
#include "schemas/validator.hpp"

namespace vmr::ops {

using nlohmann::json;

namespace {

std::chrono::seconds seconds(const json& object, const char* key, std::chrono::seconds fallback) {
    return std::chrono::seconds(object.value(key, fallback.count()));
}

std::vector<std::string> strings(const json& object, const char* key) {
    return object.value(key, std::vector<std::string>());
}

Encryption encryption_of(const std::string& name) {
    return name == "required" ? Encryption::required
           : name == "off"    ? Encryption::off
                              : Encryption::best_effort;
}

HostAbsence host_absence_of(const std::string& name) {
    return name == "continue" ? HostAbsence::continue_
           : name == "rehold" ? HostAbsence::rehold
                              : HostAbsence::end;
}

Layout layout_of(const std::string& name) {
    return name == "equal"     ? Layout::equal
           : name == "single"  ? Layout::single
           : name == "content" ? Layout::content
                               : Layout::speaker;
}

LogLevel level_of(const std::string& name) {
    return name == "error"     ? LogLevel::error
           : name == "warning" ? LogLevel::warning
           : name == "notice"  ? LogLevel::notice
           : name == "debug"   ? LogLevel::debug
                               : LogLevel::info;
}

TlsFiles read_tls_files(ConfigDocument& document, const json& object, const std::string& at) {
    TlsFiles files{object.value("certificate", ""), object.value("key", "")};
    if (files.certificate.empty() != files.key.empty()) {
        document.fault(at + (files.key.empty() ? "/certificate" : "/key"), "certificate and key go together");
    }
    return files;
}

void read_http(ConfigDocument& document, HttpConfig& http) {
    const json object = document.table("http");
    http.listen = document.endpoints("/http/listen");
    http.tls_listen = document.endpoints("/http/tls_listen");
    http.tls = read_tls_files(document, object, "/http");
    http.allowed_origins = strings(object, "allowed_origins");
    http.admin_token = document.secret("/http/admin_token");
    if (!http.admin_token.empty() && http.admin_token.size() < 32) {
        document.fault("/http/admin_token", "must have at least 32 characters");
    }
    if (!http.tls_listen.empty() && !http.tls.given()) {
        document.fault("/http/tls_listen", "needs http.certificate and http.key");
    }
}

void read_sip(ConfigDocument& document, SipConfig& sip) {
    const json object = document.table("sip");
    sip.udp = document.endpoints("/sip/udp");
    sip.tcp = document.endpoints("/sip/tcp");
    sip.tls = document.endpoints("/sip/tls");
    sip.certificate = read_tls_files(document, object, "/sip");
    for (const json& more : object.value("certificates", json::array())) {
        sip.certificates.push_back({more.value("certificate", ""), more.value("key", "")});
    }
    sip.client_ca = object.value("client_ca", "");
    const json mutual = object.value("mutual_tls", json::array());
    for (std::size_t i = 0; i < mutual.size(); ++i) {
        const std::string at = "/sip/mutual_tls/" + std::to_string(i);
        sip.mutual_tls.push_back({document.endpoint(at + "/listen"), mutual[i].value("client_ca", "")});
    }
    const std::string ice = object.value("ice", "lite");
    sip.ice = ice == "off" ? SipIce::off : ice == "full" ? SipIce::full : SipIce::lite;
    sip.ice_offers = object.value("ice_offers", false);
    sip.max_video_bitrate = object.value("max_video_bitrate", sip.max_video_bitrate);
    sip.far_end_camera = object.value("far_end_camera", false);
    if (sip.ice_offers && sip.ice == SipIce::off) {
        document.fault("/sip/ice_offers", "needs sip.ice");
    }
    sip.domain = document.host("/sip/domain");
    sip.advertised_host = document.host("/sip/advertised_host");
    sip.software = object.value("software", "");
    sip.reception = object.value("reception", sip.reception);
    sip.unknown_to_reception = object.value("unknown_to_reception", !sip.reception.empty());
    if (sip.unknown_to_reception && sip.reception.empty()) {
        document.fault("/sip/unknown_to_reception", "needs sip.reception");
    }
    for (const auto& [key, given] :
         {std::pair("/sip/tls", !sip.tls.empty()), std::pair("/sip/mutual_tls", !sip.mutual_tls.empty())}) {
        if (given && !sip.certificate.given()) {
            document.fault(key, "needs sip.certificate and sip.key");
        }
    }
}

RoomConfig read_room(ConfigDocument& document, const json& object, const std::string& at) {
    RoomConfig room;
    room.id = object.value("id", "");
    room.title = object.value("title", room.id);
    room.aliases = strings(object, "aliases");
    if (std::find(room.aliases.begin(), room.aliases.end(), room.id) == room.aliases.end()) {
        room.aliases.insert(room.aliases.begin(), room.id);
    }
    room.numbers = strings(object, "numbers");
    room.host_pin = document.pin(at + "/host_pin");
    room.guest_pin = document.pin(at + "/guest_pin");
    room.guests_allowed = object.value("guests_allowed", !room.guest_pin.empty());
    room.chat_allowed = object.value("chat_allowed", room.chat_allowed);
    room.encryption = encryption_of(object.value("encryption", ""));
    room.min_key_bits = object.value("min_key_bits", room.min_key_bits);
    room.host_absence = host_absence_of(object.value("host_absence", ""));
    room.grace = seconds(object, "grace", room.grace);
    room.lobby_timeout = seconds(object, "lobby_timeout", room.lobby_timeout);
    room.lone_timeout = seconds(object, "lone_timeout", room.lone_timeout);
    room.max_duration = seconds(object, "max_duration", room.max_duration);
    room.max_participants = object.value("max_participants", room.max_participants);
    room.layout = layout_of(object.value("layout", ""));
    room.locale = object.value("locale", room.locale);
    if (const std::string fault = guest_pin_fault(room); !fault.empty()) {
        document.fault(at + "/guest_pin", fault);
    }
    return room;
}

// An alias or number that two rooms share would make a call go where nobody expects. Callers may write either
// case.
void read_rooms(ConfigDocument& document, std::vector<RoomConfig>& rooms) {
    const json list = document.array("rooms");
    std::map<std::string, std::size_t> owners;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string at = "/rooms/" + std::to_string(i);
        RoomConfig room = read_room(document, list[i], at);
        std::vector<std::string> names = room.aliases;
        names.insert(names.end(), room.numbers.begin(), room.numbers.end());
        for (const std::string& name : names) {
            const auto [owner, is_new] = owners.emplace(lower_case(name), i);
            if (!is_new && owner->second != i) {
                document.fault(at, "\"" + name + "\" already names room \"" + rooms[owner->second].id + "\"");
            }
        }
        rooms.push_back(std::move(room));
    }
}

// In millionths, so that sums are exact.
std::optional<std::int64_t> amount(ConfigDocument& document, const json& object, const std::string& at,
                                   const char* key) {
    if (!object.contains(key)) {
        return std::nullopt;
    }
    const double millionths = object[key].get<double>() * 1e6;
    if (!(std::abs(millionths - std::round(millionths)) < 0.01)) {
        document.fault(at + "/" + key, "must be a number with at most 6 decimals");
        return std::nullopt;
    }
    return std::llround(millionths);
}

DialRuleConfig read_dial_rule(ConfigDocument& document, const json& given, const std::string& at) {
    DialRuleConfig rule{given.value("name", ""),     strings(given, "domains"),
                        strings(given, "prefixes"),  given.value("trunk", ""),
                        given.value("gateway", ""),  given.value("caller", ""),
                        given.value("username", ""), document.secret(at + "/secret")};
    rule.late_offer = given.value("offer", "early") == "late";
    rule.max_duration = seconds(given, "max_duration", rule.max_duration);
    rule.price = amount(document, given, at, "price");
    return rule;
}

void read_dial_out(ConfigDocument& document, const std::vector<TrunkConfig>& trunks,
                   DialOutConfig& dial_out) {
    const json object = document.table("dial_out");
    dial_out.max_calls = object.value("max_calls", dial_out.max_calls);
    dial_out.max_calls_per_room = object.value("max_calls_per_room", dial_out.max_calls_per_room);
    dial_out.ring_timeout = seconds(object, "ring_timeout", dial_out.ring_timeout);
    const std::string refer = object.value("refer", "off");
    dial_out.refer = refer == "hosts"          ? Referrals::hosts
                     : refer == "participants" ? Referrals::participants
                                               : Referrals::off;
    dial_out.ca = object.value("ca", "");
    dial_out.name_servers = document.endpoints("/dial_out/name_servers");
    dial_out.max_spend_per_day = amount(document, object, "/dial_out", "max_spend_per_day");
    dial_out.max_spend_per_room_per_day = amount(document, object, "/dial_out", "max_spend_per_room_per_day");
    const bool limited =
        object.contains("max_spend_per_day") || object.contains("max_spend_per_room_per_day");
    const json rules = object.value("rules", json::array());
    std::map<std::string, std::size_t> names;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const std::string at = "/dial_out/rules/" + std::to_string(i);
        DialRuleConfig rule = read_dial_rule(document, rules[i], at);
        if (!names.emplace(rule.name, i).second) {
            document.fault(at + "/name", "another rule has this name");
        }
        if (rule.domains.empty() && rule.prefixes.empty()) {
            document.fault(at, "needs domains or prefixes: who may be called?");
        }
        if (!rule.prefixes.empty() && rule.gateway.empty() == rule.trunk.empty()) {
            document.fault(at + "/prefixes", "needs a gateway or a trunk");
        }
        if (!rule.trunk.empty() &&
            std::ranges::find(trunks, rule.trunk, &TrunkConfig::name) == trunks.end()) {
            document.fault(at + "/trunk", "no such trunk");
        }
        if (rule.username.empty() != rule.secret.empty()) {
            document.fault(at, "username and secret go together");
        }
        if (limited && !rules[i].contains("price") && !(rule.trunk.empty() && rule.gateway.empty())) {
            document.fault(at, "needs a price, as calls out have a spend limit; 0: they cost nothing");
        }
        dial_out.rules.push_back(std::move(rule));
    }
}

}  // namespace

std::string Endpoint::text() const {
    const bool v6 = address.find(':') != std::string::npos;
    return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

std::string guest_pin_fault(const RoomConfig& room) {
    if (room.guest_pin.empty()) {
        return {};
    }
    return room.guest_pin == room.host_pin ? "must differ from host_pin"
           : !room.guests_allowed          ? "needs guests_allowed = true"
           : room.host_pin.empty()         ? "needs a host_pin"
                                           : "";
}

Result<Config> parse_config(std::string_view text, const std::string& name, const std::string& directory,
                            const ConfigCheck& check) {
    auto parsed = ConfigDocument::parse(text, name, directory);
    if (!parsed) {
        return Error{parsed.error()};
    }
    ConfigDocument& document = *parsed;
    Config config;
    if (document.validate(schema::embedded("config.json"))) {
        read_http(document, config.http);
        read_sip(document, config.sip);
        read_media(document, config.media);
        read_rooms(document, config.rooms);
        config.trunks = read_trunks(document, config.rooms);
        read_dial_out(document, config.trunks, config.dial_out);
        read_registrar(document, config.sip, config.registrar);
        read_devices(document, config.trunks, config.devices);
        config.certificate_alarm_days =
            document.table("certificates").value("alarm_days", config.certificate_alarm_days);
        config.records_path = document.table("records").value("path", "");
        config.log_level = level_of(document.table("log").value("level", ""));
        const std::string format = document.table("log").value("format", "logfmt");
        config.log_format = format == "json"      ? LogFormat::json
                            : format == "journal" ? LogFormat::journal
                                                  : LogFormat::logfmt;
        config.prompts_path = document.table("prompts").value("path", "");
        config.prompts_language = document.table("prompts").value("language", config.prompts_language);
    }
    if (check && document.faults().empty()) {
        check(config, document);
    }
    if (!document.faults().empty()) {
        return Error{document.faults()};
    }
    return config;
}

Result<Config> load_config(const std::string& path, const ConfigCheck& check) {
    constexpr std::size_t kMaxSize = 16 * 1024 * 1024;
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return Error{path + ": cannot be read"};
    }
    // A directory opens like a file, and fails when it is read.
    std::string text(kMaxSize + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    if (file.bad()) {
        return Error{path + ": cannot be read"};
    }
    if (text.size() > kMaxSize) {
        return Error{path + ": is too large"};
    }
    const std::size_t slash = path.rfind('/');
    return parse_config(text, slash == std::string::npos ? path : path.substr(slash + 1),
                        slash == std::string::npos ? "." : path.substr(0, slash), check);
}

Config self_contained_config(const SelfContainedOptions& options) {
    const std::string address = options.lan ? "0.0.0.0" : "127.0.0.1";
    Config config;
    config.self_contained = true;
    config.http.listen = {{"127.0.0.1", 8080}};
    config.sip.udp = {{address, 5060}};
    config.sip.tcp = {{address, 5060}};
    if (options.tls.given()) {
        config.http.tls = options.tls;
        config.http.tls_listen = {{address, 8443}};
        config.sip.certificate = options.tls;
        config.sip.tls = {{address, 5061}};
    }
    config.sip.reception = "reception";
    if (!options.lan) {
        config.media.addresses = {"127.0.0.1"};
    }
    RoomConfig meet;
    meet.id = "meet";
    meet.title = "Meet";
    meet.aliases = {"meet"};
    meet.numbers = {"1000"};
    RoomConfig board;
    board.id = "board";
    board.title = "Board";
    board.aliases = {"board"};
    board.numbers = {"2000"};
    board.guests_allowed = true;
    board.host_pin = generate_pin();
    do {
        board.guest_pin = generate_pin();
    } while (board.guest_pin == board.host_pin);
    config.rooms = {meet, board};
    // A telephone gateway, or a softphone that plays one, registers nothing: it authenticates each call.
    TrunkConfig phone;
    phone.name = "phone";
    phone.username = "phone";
    phone.secret = generate_pin(12);
    phone.digest = TrunkDigest::md5;  // softphones built on libre give up when they see SHA-256
    phone.numbers = {{"+10000001000", "meet"}, {"+10000002000", "board"}, {"+10000009000", "reception"}};
    config.trunks = {phone};
    config.records_path = options.state_directory + "/calls.jsonl";
    return config;
}

std::string_view text(Encryption value) {
    return value == Encryption::required ? "required" : value == Encryption::off ? "off" : "best_effort";
}

std::string_view text(HostAbsence value) {
    return value == HostAbsence::continue_ ? "continue" : value == HostAbsence::rehold ? "rehold" : "end";
}

std::string_view text(Layout value) {
    return value == Layout::equal     ? "equal"
           : value == Layout::single  ? "single"
           : value == Layout::content ? "content"
                                      : "speaker";
}

}  // namespace vmr::ops
