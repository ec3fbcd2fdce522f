#include "plugins/pin-ivr/key_filter.hpp"

#include <gtest/gtest.h>

using namespace vmr::pin_ivr;

namespace {

constexpr Nanos kMs = 1'000'000;

KeyReport event(char key, bool start) {
    return {key, KeySource::event, start, std::nullopt};
}
KeyReport packet(char key, std::uint32_t timestamp) {
    return {key, KeySource::event, std::nullopt, timestamp};
}
KeyReport tone(char key) {
    return {key, KeySource::tone, std::nullopt, std::nullopt};
}
KeyReport action(char key) {
    return {key, KeySource::action, std::nullopt, std::nullopt};
}

}  // namespace

TEST(KeyFilter, StartAndEndAreOnePress) {
    KeyFilter filter;
    EXPECT_TRUE(filter.is_new(event('5', true), 0));
    EXPECT_FALSE(filter.is_new(event('5', true), 20 * kMs));
    EXPECT_FALSE(filter.is_new(event('5', false), 100 * kMs));
    EXPECT_FALSE(filter.is_new(event('5', false), 120 * kMs));
    EXPECT_FALSE(filter.is_new(event('5', false), 140 * kMs));
    EXPECT_TRUE(filter.is_new(event('5', true), 300 * kMs));
}

TEST(KeyFilter, AnEndWithoutAStartIsAPress) {
    KeyFilter filter;
    EXPECT_TRUE(filter.is_new(event('1', false), 0));
    EXPECT_FALSE(filter.is_new(event('1', false), 20 * kMs));
    EXPECT_TRUE(filter.is_new(event('2', false), 40 * kMs));
}

TEST(KeyFilter, PacketsOfOneTimestampAreOnePress) {
    KeyFilter filter;
    EXPECT_TRUE(filter.is_new(packet('7', 1000), 0));
    EXPECT_FALSE(filter.is_new(packet('7', 1000), 20 * kMs));
    EXPECT_TRUE(filter.is_new(packet('7', 2000), 40 * kMs));
}

TEST(KeyFilter, ALostEndDoesNotSwallowALaterPress) {
    KeyFilter filter;
    EXPECT_TRUE(filter.is_new(event('3', true), 0));
    EXPECT_TRUE(filter.is_new(event('3', true), 20 * kSecond));
}

TEST(KeyFilter, ToneAndEventOfOnePressAreOne) {
    KeyFilter filter;
    EXPECT_TRUE(filter.is_new(tone('9'), 0));
    EXPECT_FALSE(filter.is_new(event('9', true), 60 * kMs));
    EXPECT_FALSE(filter.is_new(event('9', false), 120 * kMs));
    EXPECT_FALSE(filter.is_new(tone('4'), 10 * kSecond));  // events are known: tones are their echo
    EXPECT_TRUE(filter.is_new(event('4', true), 10 * kSecond));
}

TEST(KeyFilter, ActionsAlwaysCount) {
    KeyFilter filter;
    EXPECT_TRUE(filter.is_new(action('1'), 0));
    EXPECT_TRUE(filter.is_new(action('1'), 0));
    EXPECT_TRUE(filter.is_new(event('1', true), 0));
}

TEST(KeyOfEvent, FollowsTheTableOfRfc4733) {
    EXPECT_EQ(key_of_event(0), '0');
    EXPECT_EQ(key_of_event(9), '9');
    EXPECT_EQ(key_of_event(10), '*');
    EXPECT_EQ(key_of_event(11), '#');
    EXPECT_EQ(key_of_event(15), 'D');
    EXPECT_EQ(key_of_event(16), '\0');
    EXPECT_EQ(key_of_event(-1), '\0');
}
