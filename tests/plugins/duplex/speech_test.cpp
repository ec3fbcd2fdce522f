#include "plugins/duplex/speech.hpp"

#include <glib.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "plugins/duplex/phrases.hpp"

using namespace vmr::duplex;
namespace fs = std::filesystem;

namespace {

double seconds(const Sound& sound) {
    return static_cast<double>(sound->size()) / 48000.0;
}

bool installed() {
    return fs::exists("/usr/bin/espeak-ng");
}

// A program in espeak-ng's place.
class FakeProgram {
public:
    explicit FakeProgram(const std::string& body) {
        fs::create_directories(path_.parent_path());
        std::ofstream(path_) << "#!/bin/sh\n" << body << "\n";
        ::chmod(path_.c_str(), 0700);
    }
    ~FakeProgram() { fs::remove_all(path_.parent_path()); }
    std::string path() const { return path_.string(); }

private:
    fs::path path_ = fs::temp_directory_path() / ("vmr-speech-" + std::to_string(::getpid())) / "program";
};

}  // namespace

TEST(CleanSpeech, LettersDigitsAndPlainPunctuationStay) {
    EXPECT_EQ(clean_speech("Anna-Lena O'Neill, Müller: 3. Ж 李!"), "Anna-Lena O'Neill, Müller: 3. Ж 李!");
    EXPECT_EQ(clean_speech("  a \t\n  b  "), "a b");
}

TEST(CleanSpeech, MarkupNotationAndControlCharactersDoNot) {
    EXPECT_EQ(clean_speech("<speak>[[h@'loU]] a&b \x1b[31m\x01\x7f"), "speak h 'loU a b 31m");
    EXPECT_EQ(clean_speech("a\u202Eb\u0000c\U0001F600d"), "a b");  // as a C string it ends at the NUL
    EXPECT_EQ(clean_speech(std::string("a\xff\xc3", 3)), "a");
    EXPECT_EQ(clean_speech("$(reboot) `id` ; | \\ -v evil").find_first_of("$`|\\"), std::string::npos);
    EXPECT_EQ(clean_speech("<<<>>>"), "");
}

TEST(CleanSpeech, IsBounded) {
    EXPECT_EQ(clean_speech(std::string(100'000, 'a')).size(), kMaxSpeechLetters);
    std::string wide;
    for (int i = 0; i < 5000; ++i) {
        wide += "é";
    }
    EXPECT_EQ(clean_speech(wide).size(), 2 * kMaxSpeechLetters);
}

TEST(Speech, SaysItInAboutTheTimeItTakes) {
    if (!installed()) {
        GTEST_SKIP() << "espeak-ng is not installed";
    }
    Speech speech{Synthesizer{}};
    const Sound name = speech.say("en", "Ada Lovelace").get();
    const Sound longer = speech.say("en", "Ada Lovelace is waiting in the lobby").get();
    ASSERT_TRUE(name && longer);
    EXPECT_GT(seconds(name), 0.5);
    EXPECT_LT(seconds(name), 2.5);
    EXPECT_GT(seconds(longer), seconds(name) + 0.5);
    EXPECT_EQ(speech.say("en", "  Ada   Lovelace ").get(), name);  // kept
    for (const char* language : {"de", "es", "fr", "it", "ru"}) {
        const Sound sound = speech.say(language, phrases_of(language).wrong_pin).get();
        ASSERT_TRUE(sound) << language;
        EXPECT_GT(seconds(sound), 0.5) << language;
    }
}

TEST(Speech, WhatCannotBeSpokenIsNullAndNoError) {
    Speech speech{Synthesizer{.program = "/nonexistent/espeak-ng"}};
    for (const char* text : {"hello", "hello", "", "<>"}) {
        EXPECT_FALSE(speech.say("en", text).get()) << text;
    }
    Speech odd{Synthesizer{}};
    for (const char* language : {"", "x", "../../etc", "en;id", "--path=/tmp", "EN"}) {
        EXPECT_FALSE(odd.say(language, "hello").get()) << language;
    }
}

TEST(Speech, AProgramThatHangsFailsOrFloodsIsEnded) {
    for (const char* body :
         {"exec sleep 100", "exec cat /dev/zero", "exit 3", "echo no sound", "exec >&-; exec sleep 100"}) {
        const FakeProgram program(body);
        Speech speech{Synthesizer{.program = program.path(), .patience = std::chrono::milliseconds(500)}};
        const gint64 before = g_get_monotonic_time();
        EXPECT_FALSE(speech.say("en", "hello").get()) << body;
        EXPECT_LT(g_get_monotonic_time() - before, 20 * G_USEC_PER_SEC) << body;
    }
}

TEST(Speech, TheTextIsReadFromStandardInputAlone) {
    const fs::path seen = fs::temp_directory_path() / ("vmr-speech-seen-" + std::to_string(::getpid()));
    const FakeProgram program("printf '%s|' \"$@\" >" + seen.string() + "; cat >>" + seen.string());
    Speech speech{Synthesizer{.program = program.path()}};
    EXPECT_FALSE(speech.say("fr", "-w /tmp/x Ada").get());
    std::ifstream file(seen);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    fs::remove(seen);
    EXPECT_EQ(text, "--stdin|--stdout|-b|1|-s|155|-z|-v|fr|-w tmp x Ada");
}

TEST(Speech, OnlySoManyWait) {
    const FakeProgram program("exec sleep 100");
    Speech speech{Synthesizer{.program = program.path(), .patience = std::chrono::milliseconds(1000)}};
    std::size_t waiting = 0;
    for (std::size_t i = 0; i < 3 * Speech::kMaxWaiting; ++i) {
        const auto sound = speech.say("en", "text " + std::to_string(i));
        waiting += sound.wait_for(std::chrono::seconds(0)) == std::future_status::ready ? 0 : 1;
    }
    EXPECT_LE(waiting, Speech::kMaxWaiting + 1);
    EXPECT_GE(waiting, Speech::kMaxWaiting);
}

TEST(Phrases, EveryLanguageHasThemAll) {
    for (const char* language : {"en", "de", "es", "fr", "it", "ru"}) {
        const Phrases& phrases = phrases_of(language);
        EXPECT_STREQ(phrases.language, language);
        EXPECT_NE(std::string(phrases.attempts).find("{n}"), std::string::npos) << language;
        for (const char* text : {phrases.ask_pin,
                                 phrases.ask_number,
                                 phrases.wrong_pin,
                                 phrases.wrong_number,
                                 phrases.goodbye,
                                 phrases.pin_title,
                                 phrases.number_title,
                                 phrases.press_hash,
                                 phrases.wrong,
                                 phrases.one_attempt,
                                 phrases.no_attempts,
                                 phrases.time_is_up,
                                 phrases.not_let_in,
                                 phrases.awaiting_host.title,
                                 phrases.awaiting_host.detail,
                                 phrases.locked.title,
                                 phrases.locked.detail,
                                 phrases.held.title,
                                 phrases.held.detail,
                                 phrases.connecting.title,
                                 phrases.connecting.detail}) {
            ASSERT_NE(text, nullptr) << language;
            EXPECT_NE(std::string(text), "") << language;
        }
    }
    EXPECT_STREQ(phrases_of("fr-CA").language, "fr");
    EXPECT_STREQ(phrases_of("xx").language, "en");
}
