// sipvicious, which is what scans the Internet for SIP servers, finds nothing to report.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

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
    static SipConfig config() {
        SipConfig config;
        config.ban_loopback = true;
        config.trunks = {{.name = "pbx", .user = "1003", .secret = "1003", .numbers = {{"+4930123", ""}}}};
        return config;
    }
    std::string run(std::vector<std::string> words) {
        Program program(std::move(words), folder_);
        (void)program.wait();
        std::ifstream file(folder_ + "/log");
        return {std::istreambuf_iterator<char>(file), {}};
    }
    std::string port() const { return std::to_string(harness_.port(Transport::udp)); }

    std::string folder_;
    Harness harness_{config()};
};

TEST_F(Sipvicious, MapLearnsNoSoftware) {
    const std::string found = run({"svmap", "-p", port(), "127.0.0.1"});
    EXPECT_NE(found.find("unknown"), std::string::npos) << found;
    EXPECT_EQ(found.find("vmr"), std::string::npos) << found;
    EXPECT_TRUE(alive(harness_));
}

TEST_F(Sipvicious, WarFindsNoNameByRegisterAndOptions) {
    harness_.observer.only = "1003";
    for (const char* method : {"REGISTER", "OPTIONS"}) {
        const std::string found = run({"svwar", "-m", method, "-e", "1000-1010", "-p", port(), "127.0.0.1"});
        EXPECT_EQ(found.find("1003"), std::string::npos) << found;
        EXPECT_EQ(found.find("| 10"), std::string::npos) << found;
    }
    EXPECT_TRUE(alive(harness_));
}

TEST_F(Sipvicious, WarIsBannedBeforeItFindsAName) {
    harness_.observer.only = "1099";
    const std::string found = run({"svwar", "-m", "INVITE", "-e", "1000-1100", "-p", port(), "127.0.0.1"});
    EXPECT_EQ(found.find("1099"), std::string::npos) << found;
    EXPECT_GE(harness_.legs->statistics().bans, 1U);
}

TEST_F(Sipvicious, CrackFindsNoPassword) {
    const std::string found = run({"svcrack", "-u", "1003", "-r", "1000-1010", "-p", port(), "127.0.0.1"});
    EXPECT_EQ(found.find("| 1003"), std::string::npos) << found;
    EXPECT_TRUE(alive(harness_));
}

}  // namespace
}  // namespace vmr::sip::test
