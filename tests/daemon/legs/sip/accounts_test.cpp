// Accounts of devices, and the firmware that is asked of them.
#include "daemon/legs/sip/registrar/accounts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "daemon/legs/sip/registrar/firmware.hpp"

namespace vmr::sip {
namespace {

TEST(AccountRules, OneOwnerAndNoSecretKept) {
    Accounts accounts("vmr.example", "key", 2);
    ASSERT_TRUE(accounts.set({.name = "a", .aliases = {"x"}}, "one"));
    EXPECT_FALSE(accounts.set({.name = "b"}, "")) << "no secret";
    EXPECT_FALSE(accounts.set({.name = "x"}, "two")) << "another's alias";
    EXPECT_FALSE(accounts.set({.name = "b", .aliases = {"A"}}, "two")) << "another's name";
    EXPECT_FALSE(accounts.set({.name = "b c"}, "two"));
    ASSERT_TRUE(accounts.set({.name = "b"}, "two"));
    EXPECT_FALSE(accounts.set({.name = "c"}, "three")) << "too many";
    ASSERT_TRUE(accounts.set({.name = "a", .display_name = "A"}, "")) << "the secret stays";
    EXPECT_EQ(accounts.owner_of("x"), nullptr) << "an alias that it gave up";
    EXPECT_TRUE(accounts.authenticate("A", "one"));
    EXPECT_FALSE(accounts.authenticate("a", "two"));
    EXPECT_FALSE(accounts.authenticate("nobody", "one"));
    EXPECT_FALSE(accounts.authenticate("a", ""));
    EXPECT_TRUE(accounts.remove("a"));
    EXPECT_FALSE(accounts.remove("a"));
    EXPECT_EQ(accounts.algorithms_for("q"), DigestAlgorithms::sha256);
}

// Else whoever asks before and after learns which names devices have.
TEST(AccountRules, ADeviceMoreChangesHardlyAnyChallengeOfNobody) {
    Accounts accounts("vmr.example", "key", 100);
    for (int count = 0; count < 20; ++count) {
        ASSERT_TRUE(accounts.set({.name = "d" + std::to_string(count),
                                  .digest = count % 2 == 0 ? DeviceDigest::md5 : DeviceDigest::sha256},
                                 "s"));
    }
    std::vector<DigestAlgorithms> before;
    for (int count = 0; count < 200; ++count) {
        before.push_back(accounts.algorithms_for("nobody" + std::to_string(count)));
    }
    EXPECT_GT(std::ranges::count(before, DigestAlgorithms::md5), 50);
    EXPECT_GT(std::ranges::count(before, DigestAlgorithms::sha256), 50);
    ASSERT_TRUE(accounts.set({.name = "new", .digest = DeviceDigest::sha256}, "s"));
    int changed = 0;
    for (int count = 0; count < 200; ++count) {
        changed += accounts.algorithms_for("nobody" + std::to_string(count)) !=
                           before[static_cast<std::size_t>(count)]
                       ? 1
                       : 0;
    }
    EXPECT_LT(changed, 20);
}

TEST(FirmwareRules, VersionsAreFoundAndCompared) {
    EXPECT_EQ(version_in("Cisco-CP8865/12.5.1", 5), "12.5.1") << "not the model's number";
    EXPECT_EQ(version_in("TANDBERG/529 (ce9.15.3)", 8), "9.15.3");
    EXPECT_EQ(version_in("Model 7 build 42", 5), "7");
    EXPECT_EQ(version_in("none.", 0), "");
    EXPECT_EQ(version_in("x", 40), "");
    EXPECT_TRUE(is_older("2.9", "2.10"));
    EXPECT_FALSE(is_older("2.202411231259", "2.10")) << "a date with a time";
    EXPECT_TRUE(is_older("2.202411231259", "2.202411231300"));
    EXPECT_FALSE(is_older("2.010", "2.9"));
    EXPECT_FALSE(is_older("2.10", "2.9"));
    EXPECT_FALSE(is_older("3", "3.0.0"));
    EXPECT_TRUE(is_older("3", "3.0.1"));
    EXPECT_TRUE(is_version("1.2.3"));
    EXPECT_FALSE(is_version("1..3"));
    EXPECT_FALSE(is_version("v1"));
}

}  // namespace
}  // namespace vmr::sip
