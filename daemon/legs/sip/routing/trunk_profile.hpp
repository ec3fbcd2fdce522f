// What may be set for a trunk, and the profiles: tables of defaults, nothing else. No code asks for a
// profile's name (docs/operations.md has the table; a test compares). Pure.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "daemon/legs/sip/dialog/terms.hpp"

namespace vmr::sip {

enum class NumberFormat {
    e164,      // +493012345
    digits,    // 493012345
    national,  // 03012345, abroad 0043…
};
enum class CallerHeader {
    none,
    asserted,
    preferred
};                                      // P-Asserted-Identity, P-Preferred-Identity (RFC 3325)
enum class SrtpUse { room, required };  // as the room's policy says, or always
enum class HoldBy { sendonly, inactive };
enum class IceUse { off, lite };

struct TrunkSettings {
    // Where it is
    std::vector<std::string> proxies;  // SIP URIs without a user, in the order of failover
    std::string contact_host;          // of our Contact and From; empty: as all
    std::string domain;          // of the address that we register, and of whom we call; empty: the proxy
    int options_interval = 0;    // seconds; 0: it is not asked whether it is there
    int options_failures = 2;    // that make it down
    bool options_first = false;  // no call to a proxy before its 200
    bool registers = false;
    int register_interval = 600;  // seconds
    // Numbers and callers
    std::string country_code;  // "49"; empty: numbers stay as they are
    std::string national_prefix = "0";
    std::string international_prefix = "00";
    NumberFormat number_format = NumberFormat::e164;
    CallerHeader caller_header = CallerHeader::none;
    bool caller_trusted = true;       // their P-Asserted-Identity, Privacy and verstat count
    bool hide_caller = false;         // Privacy: id in our calls
    bool withheld_in_record = false;  // numbers that callers withhold are kept there
    // Protection
    bool tls = false;                     // signalling by TLS alone
    bool mutual_tls = false;              // with a certificate of theirs
    std::vector<std::string> peer_names;  // that it must have; empty: the proxies' hosts
    SrtpUse srtp = SrtpUse::room;
    std::vector<std::string> srtp_suites;  // of SDES; empty: all
    // Media and dialogs
    bool video = false;                     // room systems; else a telephone
    std::vector<std::string> audio_codecs;  // empty: all
    IceUse ice = IceUse::off;
    HoldBy hold = HoldBy::sendonly;
    Reliable reliable = Reliable::offered;
    int session_expires = 1800;  // seconds
    int min_se = 90;
    bool refer = false;              // is in our Allow, as far as dial_out.refer takes it
    bool messages = false;           // chat goes over it (MESSAGE)
    bool contact_certified = false;  // contact_host is a name of our certificate, or nothing starts
    // Precedence (RFC 4412)
    std::vector<std::string> namespaces;  // empty: none is known
    std::string precedence;               // of our calls: "uc-000000.0"
    bool require_precedence = false;      // Require: resource-priority in our calls
    int max_calls = 0;                    // at a time; 0: no limit of its own
    bool preempt = false;                 // a call of more precedence ends one of less when there is no place
    // DSCP for each precedence, lowest first (the last one for what is above); empty: as all
    std::vector<std::int64_t> dscp_signalling, dscp_audio, dscp_video;

    bool operator==(const TrunkSettings&) const = default;
};

using SettingValue =
    std::variant<bool, std::int64_t, std::string, std::vector<std::string>, std::vector<std::int64_t>>;

inline constexpr std::array<std::string_view, 5> kProfiles{"pstn", "sip-provider", "teams-direct-routing",
                                                           "skype-for-business", "as-sip"};

// A row of the table: a setting and its default in each profile, in the order of kProfiles.
struct SettingRow {
    std::string_view name;
    std::array<std::string_view, kProfiles.size()> defaults;  // lists with commas
};
std::vector<SettingRow> setting_rows();

// The profile's defaults, with what is set beside them. The error names the setting.
Result<TrunkSettings> trunk_settings(std::string_view profile,
                                     const std::map<std::string, SettingValue>& set);

}  // namespace vmr::sip
