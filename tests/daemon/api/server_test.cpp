#include <gtest/gtest.h>

#include <filesystem>

#include "tests/daemon/api/fake_server.hpp"

namespace vmr::test {
namespace {

using nlohmann::json;

TEST(ServerTest, PerformsAnOperationWithMergedParams) {
    FakeServer fake;
    const auto answer = http(fake.url(), "POST", "/api/v1/rooms/board/participants/p%31/grants",
                             fake.participant("board", "h1"), R"({"right":"admit","granted":true})");
    EXPECT_EQ(answer.status, 200) << answer.head << answer.body;
    ASSERT_EQ(fake.control.calls.size(), 1u);
    EXPECT_EQ(fake.control.calls[0].operation, "grantRight");
    EXPECT_EQ(fake.control.calls[0].params,
              json({{"room", "board"}, {"participant", "p1"}, {"right", "admit"}, {"granted", true}}));
    EXPECT_EQ(fake.control.calls[0].caller.participant, "h1");
    EXPECT_EQ(fake.control.calls[0].caller.address, "127.0.0.1");
    EXPECT_NE(answer.head.find("Connection: close"), std::string::npos);
    EXPECT_NE(answer.head.find("frame-ancestors 'none'"), std::string::npos);
}

TEST(ServerTest, AllAddressesOfBothFamiliesShareAPort) {
    if (!g_file_test("/proc/net/if_inet6", G_FILE_TEST_EXISTS)) {
        GTEST_SKIP() << "no IPv6 here";
    }
    api::ServerOptions options;
    options.listen = {{"0.0.0.0", 0, false}};
    FakeServer v4(options);
    const std::string port = v4.url().substr(v4.url().rfind(':') + 1);
    options.listen = {{"::", static_cast<std::uint16_t>(std::stoi(port)), false}};
    FakeServer v6(options);
    EXPECT_EQ(http("http://127.0.0.1:" + port, "GET", "/api/v1/rooms", v4.admin()).status, 200);
    EXPECT_EQ(http("http://[::1]:" + port, "GET", "/api/v1/rooms", v6.admin()).status, 200);
}

TEST(ServerTest, FailsClosedWithoutABearer) {
    FakeServer fake;
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/rooms").status, 401);
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/rooms", "wrong").status, 401);
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/rooms", fake.participant("board", "p1")).status, 403);
    EXPECT_EQ(http(fake.url(), "POST", "/api/v1/rooms/other/end", fake.participant("board", "p1")).status,
              403);
    EXPECT_TRUE(fake.control.calls.empty());
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/join/board").status, 200);
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/rooms", fake.admin()).status, 200);
}

TEST(ServerTest, ValidationErrorsNameTheMember) {
    FakeServer fake;
    const std::string token = fake.admin();
    const auto wrong_type =
        http(fake.url(), "POST", "/api/v1/rooms/board/lock", token, R"({"locked":"yes"})");
    EXPECT_EQ(wrong_type.status, 400);
    EXPECT_NE(wrong_type.head.find("application/problem+json"), std::string::npos);
    EXPECT_EQ(wrong_type.json()["errors"][0]["pointer"], "/locked") << wrong_type.body;
    for (const char* body : {"{}", "[]", "{", R"({"locked":true,"more":1})", "\"x\"", "{\"locked\":null}"}) {
        EXPECT_EQ(http(fake.url(), "POST", "/api/v1/rooms/board/lock", token, body).status, 400) << body;
    }
    const std::string deep = std::string(20000, '[') + std::string(20000, ']');
    EXPECT_EQ(http(fake.url(), "POST", "/api/v1/rooms/board/lock", token, deep).status, 400);
    const std::string title = R"({"title":")" + std::string(60000, 'x') + R"("})";
    EXPECT_EQ(http(fake.url(), "PATCH", "/api/v1/rooms/board", token, title).status, 400);
    EXPECT_EQ(http(fake.url(), "POST", "/api/v1/rooms/board/lock", token, R"({"locked":true})",
                   "Content-Type: text/plain\r\n")
                  .status,
              415);
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/calls?limit=0", token).status, 400);
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/calls?limit=x", token).status, 400);
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/calls?other=1", token).status, 400);
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/rooms/..%2f", token).status, 400);
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/nothing", token).status, 404);
    EXPECT_EQ(http(fake.url(), "DELETE", "/api/v1/rooms", token).status, 405);
    EXPECT_TRUE(fake.control.calls.empty());
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/calls", token).status, 200);
    EXPECT_EQ(fake.control.calls[0].params["limit"], 100);
}

TEST(ServerTest, WrongPathsAndMethodsAreNoPages) {
    FakeServer fake;
    for (const char* path : {"/api", "/api/", "/api/v1", "/api/v2/rooms", "/api/openapi.json"}) {
        for (const char* method : {"GET", "POST"}) {
            const auto answer = http(fake.url(), method, path);
            EXPECT_EQ(answer.status, 404) << method << path;
            EXPECT_EQ(answer.json()["title"], "Not Found");
        }
    }
    for (const char* path : {"/healthz", "/metrics", "/"}) {
        const auto answer = http(fake.url(), "POST", path, "", "x");
        EXPECT_EQ(answer.status, 405) << path;
        EXPECT_NE(answer.head.find("Allow: GET, HEAD"), std::string::npos) << answer.head;
    }
    const auto upgrade = http(fake.url(), "GET", "/api/v1/events", fake.admin());
    EXPECT_EQ(upgrade.status, 426);
    EXPECT_TRUE(upgrade.head.starts_with("HTTP/1.1 426 Upgrade Required")) << upgrade.head;
    EXPECT_NE(upgrade.head.find("Upgrade: websocket"), std::string::npos) << upgrade.head;
    EXPECT_NE(upgrade.head.find("Connection: close, Upgrade"), std::string::npos) << upgrade.head;
    EXPECT_EQ(upgrade.json()["title"], "Upgrade Required");
}

TEST(ServerTest, RefusesLargeBodies) {
    FakeServer fake;
    const std::string token = fake.admin();
    const std::string large(1024 * 1024, 'x');
    EXPECT_EQ(http(fake.url(), "POST", "/api/v1/rooms", token, large).status, 413);
    EXPECT_EQ(http(fake.url(), "POST", "/api/v1/rooms", token, "0\r\n\r\n",
                   "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n")
                  .status,
              411);
    // Headers without an end are cut off.
    EXPECT_EQ(exchange_raw(fake.url(), "GET / HTTP/1.1\r\nX: " + large).status, 0);
    EXPECT_EQ(http(fake.url(), "GET", "/healthz").status, 200);
}

TEST(ServerTest, SurvivesGarbage) {
    FakeServer fake;
    for (const std::string& garbage :
         {std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8), std::string("\0\0\0\0\r\n\r\n", 8),
          std::string("GET\r\n\r\n"), std::string("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
          std::string("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), std::string("GET / HTTP/1.1\r\n\r\n"),
          std::string("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"),
          std::string("POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n"),
          std::string(
              "POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"),
          std::string("GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n")}) {
        const auto answer = exchange_raw(fake.url(), garbage + "\r\n\r\n");
        EXPECT_TRUE(answer.status == 0 || answer.status >= 400) << garbage << answer.status;
    }
    EXPECT_EQ(http(fake.url(), "GET", "/healthz").status, 200);
    EXPECT_TRUE(fake.control.calls.empty());
}

// One request would lock operators out until the next start.
TEST(ServerTest, TheConfigurationsTokenCannotBeRevoked) {
    FakeServer fake;
    const std::string token = "0123456789abcdef0123456789abcdef";
    fake.tokens.set_admin_bearer(token);
    const auto refused = http(fake.url(), "DELETE", "/api/v1/session", token);
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.json()["detail"], "the token of the configuration cannot be revoked");
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/rooms", token).status, 200);
}

TEST(ServerTest, SessionTokenWorksOnce) {
    FakeServer fake;
    const std::string once = fake.tokens.issue_one_time_admin(std::chrono::hours(1))->token;
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/rooms", once).status, 401);
    const std::string body = json({{"token", once}}).dump();
    const auto session = http(fake.url(), "POST", "/api/v1/session", "", body);
    EXPECT_EQ(session.status, 201);
    EXPECT_EQ(http(fake.url(), "POST", "/api/v1/session", "", body).status, 401);
    const std::string bearer = session.json()["token"];
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/rooms", bearer).status, 200);
    EXPECT_EQ(http(fake.url(), "DELETE", "/api/v1/session", bearer).status, 204);
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/rooms", bearer).status, 401);
}

TEST(ServerTest, LimitsRequestsOfOneSource) {
    api::ServerOptions options;
    options.requests_per_second = 0.001;
    options.request_burst = 3;
    FakeServer fake(options);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(http(fake.url(), "GET", "/healthz").status, 200);
    }
    const auto refused = http(fake.url(), "GET", "/healthz");
    EXPECT_EQ(refused.status, 429);
    EXPECT_NE(refused.head.find("Retry-After"), std::string::npos);
}

TEST(ServerTest, CapsConnectionsOfOneSource) {
    api::ServerOptions options;
    options.max_connections_per_source = 2;
    FakeServer fake(options);
    WebSocketClient one(fake.url(), "/api/v1/legs/webrtc", {"vmr.webrtc"});
    WebSocketClient two(fake.url(), "/api/v1/legs/webrtc", {"vmr.webrtc"});
    ASSERT_TRUE(one.socket != nullptr && two.socket != nullptr);
    EXPECT_EQ(http(fake.url(), "GET", "/healthz").status, 0);
}

TEST(ServerTest, ConnectionsLeaveNothingBehind) {
    FakeServer fake;
    const auto descriptors = [] {
        const std::filesystem::directory_iterator folder("/proc/self/fd");
        return std::distance(begin(folder), end(folder));
    };
    http(fake.url(), "GET", "/healthz");
    const auto before = descriptors();
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(http(fake.url(), "GET", "/healthz").status, 200);
    }
    EXPECT_TRUE(run_until([&] { return descriptors() <= before; })) << before << " → " << descriptors();
    EXPECT_NE(http(fake.url(), "GET", "/metrics").body.find("vmr_http_connections 1\n"), std::string::npos);
}

TEST(ServerTest, LateAndMissingReplies) {
    api::ServerOptions options;
    options.operation_timeout = std::chrono::seconds(1);
    FakeServer fake(options);
    fake.control.on_call = [](const FakeControl::Call&) { return std::nullopt; };
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/rooms", fake.admin()).status, 504);
    ASSERT_EQ(fake.control.kept.size(), 1u);
    fake.control.kept[0]({200, nullptr});  // too late: nobody minds
    fake.control.on_call = [](const FakeControl::Call&) -> std::optional<api::Response> {
        throw std::runtime_error("bug");
    };
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/rooms", fake.admin()).status, 500);
}

TEST(ServerTest, DrainsAndReportsHealth) {
    FakeServer fake;
    fake.server.set_draining(true);
    EXPECT_EQ(http(fake.url(), "GET", "/healthz").status, 503);
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/rooms", fake.admin()).status, 503);
    WebSocketClient leg(fake.url(), "/api/v1/legs/webrtc", {"vmr.webrtc"});
    EXPECT_EQ(leg.socket, nullptr);
    EXPECT_EQ(leg.status(), 503);
}

}  // namespace
}  // namespace vmr::test
