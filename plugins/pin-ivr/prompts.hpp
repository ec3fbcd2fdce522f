// Prompt names → files, and their playing. No GStreamer.
#pragma once
#include <deque>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/duplex/fade.hpp"
#include "plugins/duplex/sound_file.hpp"

namespace vmr::pin_ivr {

// Lower-case letters, digits, '-', '_' and '/', at most 64 of them, no path that climbs.
bool is_prompt_name(std::string_view name);

// The file of a prompt, or an empty path. Looks for NAME.wav and NAME.g722 in FOLDER/LANGUAGE, in the first
// folder whose name begins with LANGUAGE_ (Debian's en_US_f_Allison), and in FOLDER; then for Asterisk's name
// of the same.
std::filesystem::path find_prompt(const std::filesystem::path& folder, const std::string& language,
                                  const std::string& name);

// A short queue of prompts. A prompt without a sound yet waits for the worker to load it.
class PromptQueue {
public:
    static constexpr std::size_t kMaxQueued = 8;  // words; what comes beyond is dropped

    // `names`: one, or several separated by blanks. Dropped if the last one queued is the same.
    void add(const std::string& names);
    void clear();
    bool idle() const { return items_.empty(); }
    bool playing() const { return !items_.empty() && items_.front().sound != nullptr; }
    // The first one that still needs its sound, or "".
    std::string wanted() const;
    void loaded(const std::string& name, const duplex::Sound& sound);
    // Adds what plays to `inout`.
    void mix(duplex::Samples inout);

private:
    struct Item {
        std::string name;
        duplex::Sound sound;
        std::size_t position = 0;
    };
    std::deque<Item> items_;
};

// Loads a prompt; a tone where there is no such file or it cannot be read. May block.
duplex::Sound load_prompt(const std::filesystem::path& folder, const std::string& language,
                          const std::string& name);

}  // namespace vmr::pin_ivr
