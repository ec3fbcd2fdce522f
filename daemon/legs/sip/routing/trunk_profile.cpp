#include "daemon/legs/sip/routing/trunk_profile.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace vmr::sip {
namespace {

template <typename Value>
using Names = std::vector<std::pair<std::string_view, Value>>;

const Names<NumberFormat>& names_of(NumberFormat) {
    static const Names<NumberFormat> names{
        {"e164", NumberFormat::e164}, {"digits", NumberFormat::digits}, {"national", NumberFormat::national}};
    return names;
}
const Names<CallerHeader>& names_of(CallerHeader) {
    static const Names<CallerHeader> names{{"none", CallerHeader::none},
                                           {"asserted", CallerHeader::asserted},
                                           {"preferred", CallerHeader::preferred}};
    return names;
}
const Names<Reliable>& names_of(Reliable) {
    static const Names<Reliable> names{
        {"off", Reliable::off}, {"offered", Reliable::offered}, {"required", Reliable::required}};
    return names;
}
const Names<SrtpUse>& names_of(SrtpUse) {
    static const Names<SrtpUse> names{{"room", SrtpUse::room}, {"required", SrtpUse::required}};
    return names;
}
const Names<HoldBy>& names_of(HoldBy) {
    static const Names<HoldBy> names{{"sendonly", HoldBy::sendonly}, {"inactive", HoldBy::inactive}};
    return names;
}
const Names<IceUse>& names_of(IceUse) {
    static const Names<IceUse> names{{"off", IceUse::off}, {"lite", IceUse::lite}};
    return names;
}

template <typename Value>
bool take(Value& field, const SettingValue& given) {
    if constexpr (std::is_enum_v<Value>) {
        const auto* text = std::get_if<std::string>(&given);
        const auto& names = names_of(field);
        const auto found = std::ranges::find_if(
            names, [text](const auto& name) { return text != nullptr && name.first == *text; });
        if (found == names.end()) {
            return false;
        }
        field = found->second;
        return true;
    } else if constexpr (std::is_same_v<Value, int>) {
        const auto* number = std::get_if<std::int64_t>(&given);
        if (number == nullptr || *number < 0 || *number > 1'000'000) {
            return false;
        }
        field = static_cast<int>(*number);
        return true;
    } else {
        const auto* value = std::get_if<Value>(&given);
        if (value == nullptr) {
            return false;
        }
        field = *value;
        return true;
    }
}

std::vector<std::string> listed(std::string_view text) {
    std::vector<std::string> items;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(", "), text.size());
        items.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 2, text.size()));
    }
    return items;
}

std::int64_t number(std::string_view text) {
    std::int64_t value = 0;
    (void)std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// A default of the table as the configuration would give it.
template <typename Value>
SettingValue from_table(std::string_view text) {
    if constexpr (std::is_same_v<Value, bool>) {
        return text == "true";
    } else if constexpr (std::is_same_v<Value, int>) {
        return number(text);
    } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
        return listed(text);
    } else if constexpr (std::is_same_v<Value, std::vector<std::int64_t>>) {
        std::vector<std::int64_t> numbers;
        for (const std::string& item : listed(text)) {
            numbers.push_back(number(item));
        }
        return numbers;
    } else {
        return std::string(text);
    }
}

struct Row {
    SettingRow text;
    bool (*set)(TrunkSettings&, const SettingValue&);
    SettingValue (*read)(std::string_view);
};

template <auto Member>
Row row(std::string_view name, std::array<std::string_view, kProfiles.size()> defaults) {
    using Value = std::remove_cvref_t<decltype(std::declval<TrunkSettings&>().*Member)>;
    return {{name, defaults},
            [](TrunkSettings& settings, const SettingValue& given) { return take(settings.*Member, given); },
            [](std::string_view text) { return from_table<Value>(text); }};
}

template <auto Member>
Row same(std::string_view name, std::string_view value) {
    return row<Member>(name, {value, value, value, value, value});
}

using S = TrunkSettings;
constexpr std::string_view kTeams =
    "sip:sip.pstnhub.microsoft.com;transport=tls, sip:sip2.pstnhub.microsoft.com;transport=tls, "
    "sip:sip3.pstnhub.microsoft.com;transport=tls";
constexpr std::string_view kCm80 = "AES_CM_128_HMAC_SHA1_80";
constexpr std::string_view kVoice =
    "51, 39, 37, 35, 33";  // routine, priority, immediate, flash, flash-override

const std::vector<Row>& rows() {
    // pstn, sip-provider, teams-direct-routing, skype-for-business, as-sip
    static const std::vector<Row> table{
        row<&S::proxies>("proxies", {"", "", kTeams, "", ""}),
        same<&S::contact_host>("contact_host", ""),
        row<&S::contact_certified>("contact_certified", {"false", "false", "true", "false", "false"}),
        same<&S::domain>("domain", ""),
        row<&S::options_interval>("options_interval", {"0", "60", "60", "60", "60"}),
        same<&S::options_failures>("options_failures", "2"),
        row<&S::options_first>("options_first", {"false", "false", "true", "false", "false"}),
        row<&S::registers>("register", {"false", "true", "false", "false", "false"}),
        same<&S::register_interval>("register_interval", "600"),
        same<&S::country_code>("country_code", ""),
        same<&S::national_prefix>("national_prefix", "0"),
        same<&S::international_prefix>("international_prefix", "00"),
        same<&S::number_format>("number_format", "e164"),
        row<&S::caller_header>("caller_header", {"none", "preferred", "asserted", "asserted", "asserted"}),
        same<&S::caller_trusted>("caller_trusted", "true"),
        same<&S::hide_caller>("hide_caller", "false"),
        same<&S::withheld_in_record>("withheld_in_record", "false"),
        row<&S::tls>("tls", {"false", "false", "true", "true", "true"}),
        row<&S::mutual_tls>("mutual_tls", {"false", "false", "false", "true", "true"}),
        same<&S::peer_names>("peer_names", ""),
        row<&S::srtp>("srtp", {"room", "room", "required", "required", "required"}),
        row<&S::srtp_suites>("srtp_suites", {"", "", kCm80, kCm80, ""}),
        row<&S::video>("video", {"false", "false", "false", "false", "true"}),
        row<&S::audio_codecs>("audio_codecs", {"", "", "G722, PCMA, PCMU", "PCMU, PCMA", ""}),
        same<&S::ice>("ice", "off"),
        row<&S::hold>("hold", {"sendonly", "sendonly", "inactive", "sendonly", "sendonly"}),
        row<&S::reliable>("reliable", {"offered", "offered", "offered", "offered", "offered"}),
        same<&S::session_expires>("session_expires", "1800"),
        same<&S::min_se>("min_se", "90"),
        row<&S::refer>("refer", {"false", "false", "true", "false", "false"}),
        same<&S::messages>("messages", "false"),
        row<&S::namespaces>("namespaces", {"", "", "", "", "uc-000000"}),
        row<&S::precedence>("precedence", {"", "", "", "", "uc-000000.0"}),
        row<&S::require_precedence>("require_precedence", {"false", "false", "false", "false", "true"}),
        same<&S::max_calls>("max_calls", "0"),
        row<&S::preempt>("preempt", {"false", "false", "false", "false", "true"}),
        row<&S::dscp_signalling>("dscp_signalling", {"", "", "", "", "40"}),
        row<&S::dscp_audio>("dscp_audio", {"", "", "", "", kVoice}),
        row<&S::dscp_video>("dscp_video", {"", "", "", "", kVoice}),
    };
    return table;
}

}  // namespace

std::vector<SettingRow> setting_rows() {
    std::vector<SettingRow> texts;
    for (const Row& row : rows()) {
        texts.push_back(row.text);
    }
    return texts;
}

Result<TrunkSettings> trunk_settings(std::string_view profile,
                                     const std::map<std::string, SettingValue>& set) {
    const auto column = std::ranges::find(kProfiles, profile);
    if (column == kProfiles.end()) {
        return Error{"no such profile: " + std::string(profile)};
    }
    TrunkSettings settings;
    for (const Row& row : rows()) {
        const std::string_view value =
            row.text.defaults[static_cast<std::size_t>(column - kProfiles.begin())];
        (void)row.set(settings, row.read(value));
    }
    for (const auto& [name, value] : set) {
        const auto found =
            std::ranges::find_if(rows(), [&name = name](const Row& row) { return row.text.name == name; });
        if (found == rows().end() || !found->set(settings, value)) {
            return Error{name + ": not a setting of trunks, or not a value of it"};
        }
    }
    return settings;
}

}  // namespace vmr::sip
