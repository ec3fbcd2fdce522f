// Text to speech by espeak-ng, a program of its own: it is GPL, keeps global state, and reads text from the
// network; whatever that text does to it, it does to a process that lives for a moment.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vmr::duplex {

constexpr std::size_t kMaxSpeechLetters = 600;

// What may be spoken of any text: letters, digits, blanks and plain punctuation, at most kMaxSpeechLetters.
// Markup, control characters and espeak's own notation ("[[…]]") become blanks.
std::string clean_speech(std::string_view text);

struct Synthesizer {
    std::string program = "espeak-ng";  // sought in the usual folders
    std::chrono::milliseconds patience{5000};

    // A WAV file. `language`: "en", "fr", …; `text`: clean. Blocks, for tens of milliseconds as a rule.
    Result<std::vector<std::uint8_t>> speak(const std::string& language, const std::string& text) const;
};

}  // namespace vmr::duplex
