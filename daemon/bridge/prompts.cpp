#include "daemon/bridge/prompts.hpp"

#include <glib.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/language.hpp"
#include "daemon/bridge/phrases.hpp"

namespace vmr::bridge {
namespace {

using room::Prompt;
using Params = std::map<std::string, std::string>;

constexpr std::size_t kMaxNameLetters = 40;

const Language& language_for(const std::string& locale) {
    const std::string code = language_of(locale);
    const auto* found = std::find_if(kLanguages.begin(), kLanguages.end(),
                                     [&](const Language* language) { return code == language->code; });
    return found == kLanguages.end() ? kEnglish : **found;
}

const std::string& value_of(const Params& params, const char* name) {
    static const std::string none;
    const auto found = params.find(name);
    return found == params.end() ? none : found->second;
}

bool suits(const Phrase& phrase, const Params& params) {
    const std::string_view variant = phrase.variant;
    return variant == "host"    ? value_of(params, "by") == "host" || value_of(params, "role") == "host"
           : variant == "one"   ? value_of(params, "minutes") == "1"
           : variant == "name"  ? params.contains("name")
           : variant == "count" ? params.contains("count")
                                : variant.empty();
}

// The last one that suits: special ones stand behind the general one.
const Phrase* phrase_for(const Language& language, Prompt prompt, const Params& params) {
    const Phrase* best = nullptr;
    for (const Phrase& phrase : language.phrases) {
        if (phrase.prompt == prompt && suits(phrase, params)) {
            best = &phrase;
        }
    }
    return best;
}

std::string translated(const Language& language, const std::string& name, const std::string& value) {
    constexpr std::array kRights{room::Right::admit, room::Right::mute, room::Right::layout,
                                 room::Right::record};
    constexpr std::array kLayouts{room::Layout::speaker, room::Layout::equal, room::Layout::single,
                                  room::Layout::content};
    for (std::size_t i = 0; i < kRights.size(); ++i) {
        if (name == "right" && value == room::to_string(kRights[i])) {
            return language.rights[i];
        }
        if (name == "layout" && value == room::to_string(kLayouts[i])) {
            return language.layouts[i];
        }
    }
    return name == "name" && value.empty() ? language.somebody : value;
}

std::string filled(const Language& language, Prompt prompt, const Params& params) {
    const Phrase* phrase = phrase_for(language, prompt, params);
    std::string text = phrase == nullptr ? room::to_string(prompt) : phrase->text;
    for (const char* name : {"name", "count", "layout", "right", "minutes"}) {
        const std::string mark = "{" + std::string(name) + "}";
        if (const auto at = text.find(mark); at != std::string::npos) {
            text.replace(at, mark.size(), translated(language, name, value_of(params, name)));
        }
    }
    return text;
}

// Only where it says the same: without a name, by whom, or what to do next, there is a text.
const char* recording_for(Prompt prompt, const Params& params) {
    static const std::map<Prompt, const char*> recordings{
        {Prompt::locked, "conf-lockednow"},
        {Prompt::unlocked, "conf-unlockednow"},
        {Prompt::recording_started, "conf-now-recording"},
        {Prompt::being_recorded, "conf-now-recording"},
        {Prompt::you_are_muted, "conf-muted"},
        {Prompt::you_are_unmuted, "conf-unmuted"},
        {Prompt::cancelled, "cancelled"},
        {Prompt::awaiting_host, "conf-waitforleader"},
        {Prompt::pin_wrong, "conf-invalidpin"},
        {Prompt::removed, "conf-kicked"},
        {Prompt::meeting_ended, "confbridge-conf-end"},
        {Prompt::room_full, "conf-full"},
    };
    const auto found = recordings.find(prompt);
    return found == recordings.end() || value_of(params, "by") == "host" ? "" : found->second;
}

bool is_menu(Prompt prompt) {
    static const std::set<Prompt> menus{Prompt::waiting_item, Prompt::room_item, Prompt::person_item,
                                        Prompt::keys_help};
    return menus.contains(prompt);
}

}  // namespace

std::string text_of(const room::Announce& announcement) {
    return filled(kEnglish, announcement.prompt, announcement.params);
}

Spoken spoken(Prompt prompt, const Params& params, const std::string& locale) {
    const Language& language = language_for(locale);
    Params sayable = params;
    if (const auto name = sayable.find("name"); name != sayable.end()) {
        name->second = spoken_name(name->second);
    }
    return {recording_for(prompt, params), filled(language, prompt, sayable), language.code, is_menu(prompt)};
}

std::string spoken_name(const std::string& name) {
    std::string said;
    std::size_t letters = 0;
    bool blank = true;
    const char* end = name.data() + name.size();
    for (const char* at = name.data(); at < end && letters < kMaxNameLetters;) {
        const gunichar c = g_utf8_get_char_validated(at, end - at);
        const bool valid = c != 0 && (c & 0x80000000U) == 0;
        const char* next = valid ? g_utf8_next_char(at) : at + 1;
        const bool digit = valid && g_unichar_isdigit(c);
        const bool kept = valid && (g_unichar_isalnum(c) || g_unichar_ismark(c) || c == '-' || c == '\'');
        if ((!kept || digit) && !blank) {
            said += ' ';
            blank = true;
        }
        if (kept) {
            said.append(at, next);
            ++letters;
            blank = digit;
            said += digit ? " " : "";
        }
        at = next;
    }
    said.erase(said.find_last_not_of(" -'") + 1);
    said.erase(0, std::min(said.find_first_not_of(" -'"), said.size()));
    return said;
}

}  // namespace vmr::bridge
