// Prompt names → files, and their playing. No GStreamer.
#pragma once
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/duplex/fade.hpp"
#include "plugins/duplex/sound_file.hpp"

namespace vmr::pin_ivr {

// Lower-case letters, digits, '-', '_' and '/', at most 64 of them, no path that climbs.
bool is_prompt_name(std::string_view name);

// The file of a prompt, or an empty path. Looks for NAME.wav and NAME.g722 in FOLDER/LANGUAGE, in the folders
// whose names begin with LANGUAGE_ (Debian's en_US_f_Allison), for "fr_CA" then likewise for "fr", and in
// FOLDER; then for Asterisk's name of the same.
std::filesystem::path find_prompt(const std::filesystem::path& folder, const std::string& language,
                                  const std::string& name);

// One thing to say: the recording `name` if there is one, else `text` spoken, else a tone.
struct Prompt {
    std::string name;
    std::string text;        // empty: the element's own for that name, if it has one
    std::string language;    // of `text`; empty: the element's
    bool until_key = false;  // a key stops it, and what waits behind it of the kind

    bool operator==(const Prompt&) const = default;
};

// A short queue of prompts. A prompt without a sound yet waits for the worker to find it.
class PromptQueue {
public:
    static constexpr std::size_t kMaxQueued = 8;  // what comes beyond is dropped

    // `names`: one, or several separated by blanks. Dropped if the last one queued is the same.
    void add(const std::string& names);
    void add(const Prompt& prompt);
    void clear();
    void key_pressed();
    bool idle() const { return items_.empty(); }
    bool playing() const { return !items_.empty() && items_.front().sound != nullptr; }
    // The first one that still needs its sound.
    std::optional<Prompt> wanted() const;
    void loaded(const Prompt& prompt, const duplex::Sound& sound);
    // Adds what plays to `inout`.
    void mix(duplex::Samples inout);

private:
    struct Item {
        Prompt prompt;
        duplex::Sound sound;
        std::size_t position = 0;
    };
    std::deque<Item> items_;
};

// Null where there is no such file or it cannot be read. May block.
duplex::Sound load_recording(const std::filesystem::path& folder, const std::string& language,
                             const std::string& name);
// What is spoken in place of one of the element's own recordings; "" for others.
std::string own_text(const std::string& language, const std::string& name);
duplex::Sound tone_for(const std::string& name);

}  // namespace vmr::pin_ivr
