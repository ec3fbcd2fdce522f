#include "plugins/pin-ivr/digit_collector.hpp"

#include <gtest/gtest.h>

#include <string_view>

using namespace vmr::pin_ivr;

namespace {

class DigitCollectorTest : public testing::Test {
protected:
    void SetUp() override { collector_.start(0); }
    // The entry that the last key gave.
    Entry type(std::string_view keys, Nanos at = kSecond) {
        Entry entry;
        for (const char key : keys) {
            entry = collector_.press(key, at);
        }
        return entry;
    }
    static void expect(const Entry& entry, std::string_view digits) {
        EXPECT_EQ(entry.kind, Entry::Kind::complete);
        EXPECT_EQ(entry.digits, digits);
    }
    static void expect_none(const Entry& entry) { EXPECT_EQ(entry.kind, Entry::Kind::none); }

    DigitCollector collector_;
};

}  // namespace

TEST_F(DigitCollectorTest, HashEndsAnEntry) {
    expect_none(type("123"));
    EXPECT_EQ(collector_.entered(), 3U);
    expect(type("4#"), "1234");
    EXPECT_EQ(collector_.entered(), 0U);
}

TEST_F(DigitCollectorTest, HashAloneIsAnEmptyEntry) {
    expect(type("#"), "");
}

TEST_F(DigitCollectorTest, StarBeginsAgainAndLettersAreIgnored) {
    expect(type("12*A34#"), "34");
}

TEST_F(DigitCollectorTest, TheLongestEntryNeedsNoHash) {
    collector_.set_limits({.max_digits = 4});
    expect(type("1234"), "1234");
    expect_none(type("#"));  // confirms what has ended already
    expect_none(collector_.refused(2 * kSecond));
    expect(type("5678"), "5678");
}

TEST_F(DigitCollectorTest, APauseEndsAnEntryThatHasBegun) {
    type("12", kSecond);
    expect_none(collector_.tick(5 * kSecond));
    EXPECT_EQ(collector_.next_deadline(), 6 * kSecond);
    expect(collector_.tick(6 * kSecond), "12");
    expect_none(collector_.tick(60 * kSecond));  // being judged: no deadline
    EXPECT_FALSE(collector_.next_deadline());
}

TEST_F(DigitCollectorTest, WithoutAnEntryItTimesOutOnce) {
    EXPECT_EQ(collector_.next_deadline(), 120 * kSecond);
    expect_none(collector_.tick(119 * kSecond));
    EXPECT_EQ(collector_.tick(120 * kSecond).kind, Entry::Kind::timed_out);
    expect_none(collector_.tick(300 * kSecond));
    EXPECT_FALSE(collector_.active());
    expect_none(type("1234#", 301 * kSecond));
}

TEST_F(DigitCollectorTest, StarDoesNotBuyTime) {
    for (Nanos at = 0; at < 120 * kSecond; at += kSecond) {
        ASSERT_EQ(collector_.press('*', at).kind, Entry::Kind::none);
        ASSERT_EQ(collector_.tick(at).kind, Entry::Kind::none);
    }
    EXPECT_EQ(collector_.tick(120 * kSecond).kind, Entry::Kind::timed_out);
}

TEST_F(DigitCollectorTest, DigitsOverTheRefusalCount) {
    expect(type("11#"), "11");
    expect_none(type("22#33"));
    expect(collector_.refused(3 * kSecond), "22");
    expect_none(collector_.refused(4 * kSecond));
    EXPECT_EQ(collector_.entered(), 2U);
    expect(type("#"), "33");
}

TEST_F(DigitCollectorTest, TypingAheadIsBounded) {
    type("1#");
    for (int i = 0; i < 1000; ++i) {
        expect_none(type("9"));
    }
    const Entry entry = collector_.refused(2 * kSecond);
    EXPECT_EQ(entry.digits.size(), 20U);
}

TEST_F(DigitCollectorTest, OnceStoppedItCollectsNothing) {
    type("12");
    collector_.stop();
    expect_none(type("34#"));
    expect_none(collector_.refused(kSecond));
    EXPECT_FALSE(collector_.next_deadline());
}
