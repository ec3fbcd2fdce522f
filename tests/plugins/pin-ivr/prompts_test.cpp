#include "plugins/pin-ivr/prompts.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

using namespace vmr::pin_ivr;
namespace fs = std::filesystem;

namespace {

class PromptsTest : public testing::Test {
protected:
    void SetUp() override {
        fs::create_directories(folder_ / "fr");
        fs::create_directories(folder_ / "en_US_f_Allison");
        put("fr/pin.g722", 800);
        put("en_US_f_Allison/conf-getpin.g722", 800);
        put("beep.g722", 80);
        put("broken.wav", 80);
    }
    void TearDown() override { fs::remove_all(folder_); }
    void put(const char* name, std::size_t bytes) const {
        std::ofstream(folder_ / name, std::ios::binary) << std::string(bytes, 'x');
    }
    fs::path folder_ = fs::temp_directory_path() / ("vmr-prompts-" + std::to_string(::getpid()));
};

}  // namespace

TEST_F(PromptsTest, FilesAreFoundByNameLanguageAndAlias) {
    EXPECT_EQ(find_prompt(folder_, "fr", "pin"), folder_ / "fr/pin.g722");
    EXPECT_EQ(find_prompt(folder_, "en", "pin"), folder_ / "en_US_f_Allison/conf-getpin.g722");
    EXPECT_EQ(find_prompt(folder_, "en", "beep"), folder_ / "beep.g722");
    EXPECT_TRUE(find_prompt(folder_, "de", "pin").empty());
}

TEST_F(PromptsTest, NamesDoNotLeaveTheFolder) {
    for (const char* name : {"../fr/pin", "/etc/passwd", "", "a.b", "a b", "..", "~root"}) {
        EXPECT_TRUE(find_prompt(folder_ / "en_US_f_Allison", "en", name).empty()) << name;
    }
    EXPECT_FALSE(is_prompt_name(std::string(65, 'a')));
    EXPECT_TRUE(is_prompt_name("digits/1"));
}

TEST_F(PromptsTest, ALocaleIsLookedForBeforeItsLanguage) {
    fs::create_directories(folder_ / "fr_CA_f_June");
    put("fr_CA_f_June/beep.g722", 80);
    EXPECT_EQ(find_prompt(folder_, "fr-CA", "beep"), folder_ / "fr_CA_f_June/beep.g722");
    EXPECT_EQ(find_prompt(folder_, "fr_CA", "pin"), folder_ / "fr/pin.g722");
    EXPECT_EQ(find_prompt(folder_, "fr", "beep"), folder_ / "fr_CA_f_June/beep.g722");
}

TEST_F(PromptsTest, WhatIsMissingOrBrokenIsNoRecording) {
    for (const char* name : {"missing", "broken", "wrong-pin", "../x", ""}) {
        EXPECT_FALSE(load_recording(folder_, "en", name)) << name;
        EXPECT_GT(tone_for(name)->size(), 4800U) << name;
    }
}

TEST(OwnText, IsOfTheLocalesLanguageElseEnglish) {
    EXPECT_NE(own_text("de_AT", "wrong-pin").find("PIN ist nicht"), std::string::npos);
    EXPECT_EQ(own_text("xx", "goodbye"), "Goodbye.");
    EXPECT_EQ(own_text("en", "conf-kicked"), "");
}

TEST_F(PromptsTest, G722IsTwoSamplesAByteAt16KilohertzThen48) {
    const auto sound = load_recording(folder_, "fr", "pin");
    EXPECT_NEAR(static_cast<double>(sound->size()), 800 * 2 * 3, 960);
}

TEST(PromptQueue, PlaysInOrderAndIsBounded) {
    PromptQueue queue;
    for (int i = 0; i < 100; ++i) {
        queue.add("word" + std::to_string(i));
    }
    int loaded = 0;
    while (const auto wanted = queue.wanted()) {
        queue.loaded(*wanted, std::make_shared<const std::vector<std::int16_t>>(100, std::int16_t{1}));
        ++loaded;
    }
    EXPECT_EQ(loaded, static_cast<int>(PromptQueue::kMaxQueued));
    std::vector<std::int16_t> out(1000, 10);
    queue.mix(out);
    EXPECT_EQ(out[799], 11);
    EXPECT_EQ(out[800], 10);
    EXPECT_TRUE(queue.idle());
}

TEST(PromptQueue, TheSameTwiceIsOnce) {
    PromptQueue queue;
    queue.add("joined");
    queue.add("joined");
    queue.loaded({.name = "joined"}, std::make_shared<const std::vector<std::int16_t>>(10, std::int16_t{1}));
    std::vector<std::int16_t> out(100, 0);
    queue.mix(out);
    EXPECT_EQ(out[9], 1);
    EXPECT_EQ(out[10], 0);
}

TEST(PromptQueue, AKeyStopsWhatWaitsForOneAndNothingElse) {
    const auto sound = [](std::int16_t value) {
        return std::make_shared<const std::vector<std::int16_t>>(10, value);
    };
    PromptQueue queue;
    const Prompt item{"", "Ada is waiting. Press 1 to admit.", "en", true}, news{"", "Bob left", "en", false};
    queue.add(item);
    queue.add(news);
    queue.loaded(item, sound(1));
    queue.loaded(news, sound(2));
    std::vector<std::int16_t> out(4, 0);
    queue.mix(out);
    EXPECT_EQ(out[3], 1);
    queue.key_pressed();
    out.assign(11, 0);
    queue.mix(out);
    EXPECT_EQ(out[0], 2);
    EXPECT_EQ(out[9], 2);
    EXPECT_EQ(out[10], 0);
}
