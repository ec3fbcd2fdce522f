#include "plugins/pin-ivr/prompts.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "base/language.hpp"
#include "plugins/duplex/phrases.hpp"

namespace vmr::pin_ivr {

namespace fs = std::filesystem;

namespace {

// Our names, and those of Asterisk's core sounds.
constexpr std::array<std::pair<std::string_view, std::string_view>, 20> kAliases{{
    {"pin", "conf-getpin"},
    {"meeting-number", "conf-getconfno"},
    {"wrong-pin", "conf-invalidpin"},
    {"wrong-meeting-number", "conf-invalid"},
    {"goodbye", "vm-goodbye"},
    {"awaiting-host", "conf-waitforleader"},
    {"locked", "conf-locked"},
    {"entering", "conf-placeintoconf"},
    {"alone", "conf-onlyperson"},
    {"joined", "confbridge-join"},
    {"left", "confbridge-leave"},
    {"muted", "conf-muted"},
    {"unmuted", "conf-unmuted"},
    {"room-locked", "conf-lockednow"},
    {"room-unlocked", "conf-unlockednow"},
    {"removed", "conf-kicked"},
    {"recording", "conf-now-recording"},
    {"ended", "confbridge-conf-end"},
    {"full", "conf-full"},
    {"sorry", "sorry"},
}};

std::string_view alias_of(std::string_view name) {
    const auto* found =
        std::find_if(kAliases.begin(), kAliases.end(), [&](const auto& one) { return one.first == name; });
    return found == kAliases.end() ? std::string_view() : found->second;
}

fs::path existing(const fs::path& folder, std::string_view name) {
    std::error_code ignored;
    for (const char* extension : {".wav", ".g722"}) {
        fs::path path = folder / (std::string(name) + extension);
        if (fs::is_regular_file(path, ignored)) {
            return path;
        }
    }
    return {};
}

void add_folders(std::vector<fs::path>& folders, const fs::path& folder, const std::string& language) {
    folders.push_back(folder / language);
    std::vector<fs::path> regional;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        if (entry.path().filename().string().starts_with(language + "_")) {
            regional.push_back(entry.path());
        }
    }
    std::sort(regional.begin(), regional.end());
    folders.insert(folders.end(), regional.begin(), regional.end());
}

std::vector<fs::path> folders_for(const fs::path& folder, const std::string& locale) {
    std::vector<fs::path> folders;
    if (!locale.empty() && is_prompt_name(locale)) {
        const std::string regional = with_underscore(locale), language = language_of(locale);
        add_folders(folders, folder, regional);
        if (language != regional && !language.empty()) {
            add_folders(folders, folder, language);
        }
    }
    folders.push_back(folder);
    return folders;
}

}  // namespace

bool is_prompt_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && name.front() != '/' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '/';
           });
}

fs::path find_prompt(const fs::path& folder, const std::string& language, const std::string& name) {
    if (!is_prompt_name(name) || folder.empty()) {
        return {};
    }
    const auto folders = folders_for(folder, language);
    for (const std::string_view candidate : {std::string_view(name), alias_of(name)}) {
        for (const fs::path& one : folders) {
            if (fs::path path = candidate.empty() ? fs::path() : existing(one, candidate); !path.empty()) {
                return path;
            }
        }
    }
    return {};
}

duplex::Sound load_recording(const fs::path& folder, const std::string& language, const std::string& name) {
    if (const fs::path path = find_prompt(folder, language, name); !path.empty()) {
        if (auto sound = duplex::load_sound(path); sound && !(*sound)->empty()) {
            return *sound;
        }
    }
    return nullptr;
}

std::string own_text(const std::string& language, const std::string& name) {
    const duplex::Phrases& phrases = duplex::phrases_of(language);
    return name == "pin"                    ? phrases.ask_pin
           : name == "meeting-number"       ? phrases.ask_number
           : name == "wrong-pin"            ? phrases.wrong_pin
           : name == "wrong-meeting-number" ? phrases.wrong_number
           : name == "goodbye"              ? phrases.goodbye
                                            : "";
}

duplex::Sound tone_for(const std::string& name) {
    const bool bad = name.starts_with("wrong") || name == "removed" || name == "goodbye" || name == "full";
    return bad ? duplex::make_tone(220, 600, 0.2) : duplex::make_tone(660, 300, 0.2);
}

void PromptQueue::add(const std::string& names) {
    std::istringstream words(names);
    std::vector<std::string> sequence;
    for (std::string word; words >> word && sequence.size() < kMaxQueued;) {
        sequence.push_back(word);
    }
    if (sequence.size() == 1) {
        add(Prompt{.name = sequence.front()});
    } else if (items_.size() + sequence.size() <= kMaxQueued) {
        for (std::string& word : sequence) {
            items_.push_back({Prompt{.name = std::move(word)}, nullptr, 0});
        }
    }
}

void PromptQueue::add(const Prompt& prompt) {
    if (items_.size() < kMaxQueued && (items_.empty() || items_.back().prompt != prompt)) {
        items_.push_back({prompt, nullptr, 0});
    }
}

void PromptQueue::clear() {
    items_.clear();
}

void PromptQueue::key_pressed() {
    std::erase_if(items_, [](const Item& item) { return item.prompt.until_key; });
}

std::optional<Prompt> PromptQueue::wanted() const {
    const auto found =
        std::find_if(items_.begin(), items_.end(), [](const Item& item) { return !item.sound; });
    return found == items_.end() ? std::nullopt : std::optional(found->prompt);
}

void PromptQueue::loaded(const Prompt& prompt, const duplex::Sound& sound) {
    for (Item& item : items_) {
        if (item.prompt == prompt && !item.sound) {
            item.sound = sound;
        }
    }
}

void PromptQueue::mix(duplex::Samples inout) {
    while (!inout.empty() && playing()) {
        Item& item = items_.front();
        const std::size_t count = std::min(inout.size(), item.sound->size() - item.position);
        duplex::mix_into(inout.first(count), duplex::ConstSamples(*item.sound).subspan(item.position, count));
        item.position += count;
        inout = inout.subspan(count);
        if (item.position == item.sound->size()) {
            items_.pop_front();
        }
    }
}

}  // namespace vmr::pin_ivr
