#include "daemon/bridge/prompts.hpp"

#include <gtest/gtest.h>

#include <set>

#include "daemon/bridge/phrases.hpp"

using namespace vmr;
using namespace vmr::bridge;
using room::Prompt;

namespace {

std::set<std::string> marks(const std::string& text) {
    std::set<std::string> found;
    for (std::size_t at = text.find('{'); at != std::string::npos; at = text.find('{', at + 1)) {
        found.insert(text.substr(at, text.find('}', at) - at + 1));
    }
    return found;
}

}  // namespace

TEST(Phrases, EveryLanguageHasWhatEnglishHasWithTheSameParameters) {
    for (const Language* language : kLanguages) {
        ASSERT_EQ(language->phrases.size(), kEnglish.phrases.size()) << language->code;
        for (std::size_t i = 0; i < kEnglish.phrases.size(); ++i) {
            const Phrase &here = language->phrases[i], &there = kEnglish.phrases[i];
            EXPECT_EQ(here.prompt, there.prompt) << language->code << ": " << here.text;
            EXPECT_STREQ(here.variant, there.variant) << language->code << ": " << here.text;
            EXPECT_EQ(marks(here.text), marks(there.text)) << language->code << ": " << here.text;
        }
    }
}

TEST(Phrases, EveryPromptHasATextAlways) {
    for (int i = 0; i <= static_cast<int>(Prompt::encryption_required); ++i) {
        const auto prompt = static_cast<Prompt>(i);
        for (const Language* language : kLanguages) {
            const Spoken said = spoken(prompt, {}, language->code);
            EXPECT_NE(said.text, room::to_string(prompt)) << language->code;
            EXPECT_EQ(said.language, language->code);
            EXPECT_LE(said.text.size(), 1200U) << said.text;
        }
    }
}

TEST(Spoken, SaysNames) {
    const Spoken waits = spoken(Prompt::waiting_item, {{"name", "Ada"}, {"participant", "x"}}, "en");
    EXPECT_EQ(waits.recording, "");
    EXPECT_EQ(waits.text, "Ada is waiting in the lobby. Press 1 to admit, 2 to refuse, 3 for the next.");
    EXPECT_TRUE(waits.until_key);
    EXPECT_EQ(spoken(Prompt::joined, {{"name", "Ada"}}, "de_CH").text, "Ada ist dazugekommen");
    EXPECT_FALSE(spoken(Prompt::joined, {{"name", "Ada"}}, "de").until_key);
    EXPECT_EQ(spoken(Prompt::left_room, {{"name", "<<>>"}}, "fr-CA").text, "Quelqu'un a quitté la réunion");
    EXPECT_EQ(spoken(Prompt::nobody_waits, {}, "es").text, "Nadie espera");
}

TEST(Spoken, ALanguageWithoutTextsIsEnglish) {
    const Spoken said = spoken(Prompt::locked, {}, "pl_PL");
    EXPECT_EQ(said.text, "The meeting is locked");
    EXPECT_EQ(said.language, "en");
    EXPECT_EQ(spoken(Prompt::locked, {}, "").language, "en");
}

TEST(Spoken, TheTextFollowsWhoDidItAndToWhom) {
    const Spoken by_host = spoken(Prompt::you_are_muted, {{"by", "host"}}, "en");
    EXPECT_EQ(by_host.text, "You have been muted by the host");
    EXPECT_EQ(by_host.recording, "");
    const Spoken by_self = spoken(Prompt::you_are_muted, {{"by", "self"}}, "en");
    EXPECT_EQ(by_self.recording, "conf-muted");
    EXPECT_NE(spoken(Prompt::keys_help, {{"role", "host"}}, "en").text.find("Star 9"), std::string::npos);
    EXPECT_EQ(spoken(Prompt::keys_help, {{"role", "guest"}}, "en").text.find("Star 9"), std::string::npos);
    EXPECT_EQ(spoken(Prompt::refused, {}, "en").text, "You were not let in");
    EXPECT_EQ(spoken(Prompt::refused, {{"name", "Ada"}}, "en").text, "Ada was refused");
    EXPECT_EQ(spoken(Prompt::waiting, {{"count", "3"}}, "en").text, "Waiting in the lobby: 3");
    EXPECT_EQ(spoken(Prompt::minutes_left, {{"minutes", "5"}}, "en").text, "The meeting ends in 5 minutes");
    EXPECT_EQ(spoken(Prompt::minutes_left, {{"minutes", "1"}}, "en").text, "The meeting ends in one minute");
    EXPECT_EQ(spoken(Prompt::right_granted, {{"right", "admit"}}, "en").text, "You may now: let people in");
}

TEST(SpokenName, KeepsWhatIsAName) {
    EXPECT_EQ(spoken_name("Anna-Lena O'Neill"), "Anna-Lena O'Neill");
    EXPECT_EQ(spoken_name("  Zoë   Müller \n"), "Zoë Müller");
    EXPECT_EQ(spoken_name("李小龙"), "李小龙");
    EXPECT_EQ(spoken_name("+1 555-0100"), "1 5 5 5 - 0 1 0 0");
    EXPECT_EQ(spoken_name("Room101"), "Room 1 0 1");
}

TEST(SpokenName, IsBoundedAndPlain) {
    EXPECT_EQ(spoken_name(std::string(10'000, 'a')), std::string(40, 'a'));
    EXPECT_EQ(spoken_name(std::string(10'000, '9')).size(), 79U);
    EXPECT_EQ(spoken_name("<b>[[x]]</b> & \x07\u202E {name} \xff"), "b x b name");
    EXPECT_EQ(spoken_name("***"), "");
    EXPECT_EQ(spoken_name(""), "");
    // What a name brings along is not a parameter again.
    EXPECT_EQ(spoken(Prompt::joined, {{"name", "{name}{count}"}}, "en").text, "name count joined");
}

TEST(TextOf, IsTheNameAsItIsForThePage) {
    room::Announce announcement;
    announcement.prompt = Prompt::waiting;
    announcement.params = {{"name", "Ada <3"}};
    EXPECT_EQ(text_of(announcement), "Ada <3 is waiting in the lobby");
}
