// sipvicious, which is what scans the Internet for SIP servers, finds nothing to report.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/program.hpp"

namespace vmr::sip::test {
namespace {

class Sipvicious : public ::testing::Test {
protected:
    Sipvicious() {
        char folder[] = "/tmp/vmr-scan-XXXXXX";
        folder_ = mkdtemp(folder);
        ::setenv("HOME", folder_.c_str(), 1);  // where it keeps its sessions
    }
    ~Sipvicious() override { std::filesystem::remove_all(folder_); }
    void SetUp() override {
        if (!installed("svmap")) {
            GTEST_SKIP() << "sipvicious is not installed";
        }
    }
    // A device 1003 that may register by UDP, which is all that the tools speak.
    void start(bool bans) {
        SipConfig config;
        config.ban_loopback = bans;
        config.registrar.enabled = true;
        config.registrar.allow_clear = true;
        config.registrar.domains = {"vmr.example"};
        config.devices = {{{.name = "1003", .digest = DeviceDigest::md5}, "1010"}};
        harness_ = std::make_unique<Harness>(config);
        harness_->observer.only = "1003";
    }
    // What it prints; it runs to its end.
    std::string run(std::vector<std::string> words) {
        words.insert(words.end(),
                     {"-b", "127.0.0.1", "-p", std::to_string(harness_->port(Transport::udp)), "127.0.0.1"});
        Program program(std::move(words), folder_);
        const int status = program.wait();
        std::ifstream file(folder_ + "/log");
        const std::string printed{std::istreambuf_iterator<char>(file), {}};
        EXPECT_EQ(status, 0) << printed;
        return printed;
    }
    std::uint64_t heard() const { return harness_->legs->statistics().received; }

    std::string folder_;
    std::unique_ptr<Harness> harness_;
};

TEST_F(Sipvicious, MapLearnsNoSoftware) {
    start(true);
    const std::string found = run({"svmap"});
    EXPECT_NE(found.find("unknown"), std::string::npos) << found;
    EXPECT_EQ(found.find("vmr"), std::string::npos) << found;
    EXPECT_TRUE(alive(*harness_));
}

TEST_F(Sipvicious, WarFindsNoNameByRegisterAndOptions) {
    start(true);
    const std::string registered = run({"svwar", "--force", "-m", "REGISTER", "-e", "1003"});
    EXPECT_NE(registered.find("Bad user = SIP/2.0 401"), std::string::npos) << registered;
    EXPECT_EQ(registered.find("| 1003"), std::string::npos) << registered;
    EXPECT_GE(heard(), 2U) << "a name that nobody has, and 1003";
    const std::uint64_t before = heard();
    const std::string asked = run({"svwar", "-m", "OPTIONS", "-e", "1000-1010"});
    EXPECT_EQ(asked.find("| 10"), std::string::npos) << asked;
    EXPECT_GE(heard(), before + 11);
    EXPECT_TRUE(alive(*harness_));
}

// That the tools can find what is there to be found: else that they find nothing would say nothing.
TEST_F(Sipvicious, WarAndCrackFindTheirWayWhereNobodyIsBanned) {
    start(false);
    const std::string password = run({"svcrack", "-u", "1003", "-r", "1000-1020"});
    EXPECT_NE(password.find("| 1003      | 1010"), std::string::npos) << password;
    const std::string name = run({"svwar", "-m", "INVITE", "-e", "1000-1010"});
    EXPECT_NE(name.find("| 1003"), std::string::npos) << name;
}

TEST_F(Sipvicious, WarIsBannedBeforeItFindsAName) {
    start(true);
    harness_->observer.only = "1099";
    const std::string found = run({"svwar", "-m", "INVITE", "-e", "1000-1100"});
    EXPECT_EQ(found.find("| 1099"), std::string::npos) << found;
    EXPECT_GE(harness_->legs->statistics().bans, 1U);
}

TEST_F(Sipvicious, CrackIsBannedBeforeItFindsThePassword) {
    start(true);
    const std::string found = run({"svcrack", "--maximumtime", "6", "-u", "1003", "-r", "1000-1020"});
    EXPECT_EQ(found.find("| 1003"), std::string::npos) << found;
    EXPECT_GE(harness_->legs->statistics().bans, 1U);
    EXPECT_GE(heard(), 4U) << "who asks, and the guesses that the ban is for";
}

}  // namespace
}  // namespace vmr::sip::test
