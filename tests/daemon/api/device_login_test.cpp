// Devices fetch their settings with the secret that they register with, and nothing else.
#include <gtest/gtest.h>

#include "tests/daemon/api/fake_server.hpp"

namespace vmr::test {
namespace {

class DeviceLogin : public testing::Test {
protected:
    DeviceLogin() {
        fake.server.set_device_login([this](const std::string& name, const std::string& secret) {
            ++asked;
            return name == "hall" && secret == "s3:cret";
        });
    }
    static std::string basic(const std::string& credentials) {
        gchar* text =
            g_base64_encode(reinterpret_cast<const guchar*>(credentials.data()), credentials.size());
        const std::string header = "Authorization: Basic " + std::string(text) + "\r\n";
        g_free(text);
        return header;
    }
    HttpAnswer get(const std::string& path, const std::string& header) {
        return http(fake.url(), "GET", "/api/v1" + path, "", "", header);
    }
    FakeServer fake;
    int asked = 0;
};

TEST_F(DeviceLogin, ItsOwnSettingsAndNothingElse) {
    const std::string own = basic("hall:s3:cret");
    EXPECT_EQ(get("/devices/Hall/settings", own).status, 200);
    ASSERT_EQ(fake.control.calls.size(), 1U);
    EXPECT_EQ(fake.control.calls[0].caller.kind, api::Caller::Kind::device);
    EXPECT_EQ(fake.control.calls[0].caller.device, "hall");
    EXPECT_EQ(get("/devices/kitchen/settings", own).status, 403);
    for (const char* path : {"/devices", "/devices/hall", "/rooms", "/status"}) {
        EXPECT_EQ(get(path, own).status, 401) << path;
    }
    EXPECT_EQ(fake.control.calls.size(), 1U);
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/devices/hall/settings", fake.admin()).status, 200);
    EXPECT_EQ(
        http(fake.url(), "GET", "/api/v1/devices/hall/settings", fake.participant("board", "p1")).status,
        403);
}

TEST_F(DeviceLogin, WrongSecretsAreFew) {
    const auto none = get("/devices/hall/settings", "");
    EXPECT_EQ(none.status, 401);
    EXPECT_NE(none.head.find("Basic realm="), std::string::npos) << none.head;
    for (const char* garbage :
         {"Authorization: Basic\r\n", "Authorization: Basic !!!\r\n", "Authorization: Basic aGFsbA==\r\n",
          "Authorization: Digest username=hall\r\n"}) {
        EXPECT_EQ(get("/devices/hall/settings", garbage).status, 401) << garbage;
    }
    EXPECT_EQ(asked, 0);
    int refused = 0;
    for (int i = 0; i < 12; ++i) {
        refused += get("/devices/hall/settings", basic("hall:guess")).status == 429 ? 1 : 0;
    }
    EXPECT_GE(refused, 1);
    EXPECT_LE(asked, 11);
    const auto locked = get("/devices/hall/settings", basic("hall:s3:cret"));
    EXPECT_EQ(locked.status, 429) << "a right one tells no more than a wrong one now";
    EXPECT_NE(locked.head.find("Retry-After"), std::string::npos);
}

}  // namespace
}  // namespace vmr::test
