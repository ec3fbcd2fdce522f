// When it is told that a certificate expires.
#include "daemon/ops/certificate_watch.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace vmr::ops {
namespace {

using std::chrono::hours;

class CertificateWatchTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/vmr-watch-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        folder_ = name;
        const auto made = ensure_self_signed(folder_, {"vmr.example"});
        ASSERT_TRUE(made.ok());
        file_ = made->certificate;
        expires_ = read_certificate(file_)->expires;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string folder_, file_;
    CertificateWatch::Time expires_;
    std::vector<CertificateWatch::Alarm> alarms_;
    CertificateWatch watch_{[this](const CertificateWatch::Alarm& alarm) { alarms_.push_back(alarm); }};
};

TEST_F(CertificateWatchTest, TellsOnceADayInTheLastDays) {
    watch_.watch({file_, file_, ""}, 21);
    EXPECT_TRUE(alarms_.empty()) << "it was made today";
    watch_.look(expires_ - hours(22 * 24));
    EXPECT_TRUE(alarms_.empty());
    watch_.look(expires_ - hours(20 * 24 + 1));
    ASSERT_EQ(alarms_.size(), 1U);
    EXPECT_EQ(alarms_[0].days_left, 20);
    EXPECT_EQ(alarms_[0].file, file_);
    EXPECT_NE(alarms_[0].subject.find("vmr.example"), std::string::npos);
    watch_.look(expires_ - hours(20 * 24 - 10));
    EXPECT_EQ(alarms_.size(), 1U) << "the same day";
    watch_.look(expires_ - hours(19 * 24));
    EXPECT_EQ(alarms_.size(), 2U);
    watch_.look(expires_ + hours(25));
    ASSERT_EQ(alarms_.size(), 3U);
    EXPECT_EQ(alarms_[2].days_left, -2);
}

TEST_F(CertificateWatchTest, ARenewedOneIsQuietAgain) {
    watch_.watch({file_}, 21);
    watch_.look(expires_ - hours(24));
    EXPECT_EQ(alarms_.size(), 1U);
    std::filesystem::remove(file_);
    watch_.look(expires_ - hours(12));  // being replaced: nothing is known
    ASSERT_TRUE(ensure_self_signed(folder_, {"vmr.example", "sip.vmr.example"}).ok());
    watch_.look(std::chrono::system_clock::now());
    EXPECT_EQ(alarms_.size(), 1U);
}

TEST_F(CertificateWatchTest, TheMetricHasEachFile) {
    watch_.watch({file_}, 21);
    const auto seconds = std::to_string(std::chrono::system_clock::to_time_t(expires_));
    EXPECT_NE(watch_.metrics().find("{file=\"" + file_ + "\"} " + seconds + "\n"), std::string::npos);
    watch_.watch({}, 21);
    EXPECT_EQ(watch_.metrics(), "");
}

}  // namespace
}  // namespace vmr::ops
