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

TEST_F(PromptsTest, WhatIsMissingOrBrokenIsATone) {
    for (const char* name : {"missing", "broken", "wrong-pin", "../x"}) {
        const auto sound = load_prompt(folder_, "en", name);
        ASSERT_TRUE(sound) << name;
        EXPECT_GT(sound->size(), 4800U) << name;
    }
}

TEST_F(PromptsTest, G722IsTwoSamplesAByteAt16KilohertzThen48) {
    const auto sound = load_prompt(folder_, "fr", "pin");
    EXPECT_NEAR(static_cast<double>(sound->size()), 800 * 2 * 3, 960);
}

TEST(PromptQueue, PlaysInOrderAndIsBounded) {
    PromptQueue queue;
    for (int i = 0; i < 100; ++i) {
        queue.add("word" + std::to_string(i));
    }
    int loaded = 0;
    while (!queue.wanted().empty()) {
        queue.loaded(queue.wanted(), std::make_shared<const std::vector<std::int16_t>>(100, std::int16_t{1}));
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
    queue.loaded("joined", std::make_shared<const std::vector<std::int16_t>>(10, std::int16_t{1}));
    std::vector<std::int16_t> out(100, 0);
    queue.mix(out);
    EXPECT_EQ(out[9], 1);
    EXPECT_EQ(out[10], 0);
}
