#include <gtest/gtest.h>

#include "schemas/validator.hpp"
#include "tests/daemon/api/fake_server.hpp"

namespace vmr::test {
namespace {

using nlohmann::json;

TEST(EventsTest, SnapshotThenEventsThenResume) {
    FakeServer fake;
    const std::string bearer = "vmr.bearer." + fake.participant("board", "p1");
    std::string last;
    {
        WebSocketClient client(fake.url(), "/api/v1/events", {"vmr.events", bearer});
        ASSERT_NE(client.socket, nullptr) << client.status();
        EXPECT_STREQ(soup_websocket_connection_get_protocol(client.socket), "vmr.events");
        ASSERT_TRUE(run_until([&] { return client.received.size() == 1; }));
        EXPECT_EQ(client.received[0]["type"], "vmr.snapshot");
        EXPECT_EQ(client.received[0]["data"]["room"]["id"], "board");
        fake.events.publish("board", "vmr.talking", {{"participants", {"p1"}}});
        fake.events.publish("other", "vmr.talking", {{"participants", json::array()}});
        fake.events.publish("board", "vmr.announcement", {{"kind", "lock"}, {"text", "locked"}});
        ASSERT_TRUE(run_until([&] { return client.received.size() == 3; }));
        EXPECT_EQ(client.received[2]["type"], "vmr.announcement");
        EXPECT_LT(std::stoull(client.received[1]["id"].get<std::string>()),
                  std::stoull(client.received[2]["id"].get<std::string>()));
        const schema::Validator validator(schema::embedded("event.json"));
        for (const json& event : client.received) {
            EXPECT_TRUE(validator.check(event).empty()) << event;
        }
        last = client.received[1]["id"];
    }
    ASSERT_TRUE(run_until([&] { return fake.events.subscriber_count() == 0; }));
    WebSocketClient resumed(fake.url(), "/api/v1/events?since=" + last, {"vmr.events", bearer});
    ASSERT_NE(resumed.socket, nullptr);
    ASSERT_TRUE(run_until([&] { return !resumed.received.empty(); }));
    EXPECT_EQ(resumed.received[0]["type"], "vmr.announcement");
    WebSocketClient old(fake.url(), "/api/v1/events?since=5", {"vmr.events", bearer});
    ASSERT_TRUE(run_until([&] { return !old.received.empty(); }));
    EXPECT_EQ(old.received[0]["type"], "vmr.snapshot");
}

TEST(EventsTest, OnlyOnesOwnRoomAndOrigin) {
    FakeServer fake;
    const std::string bearer = "vmr.bearer." + fake.participant("board", "p1");
    const auto status = [&](const std::string& query, const std::string& protocol,
                            const std::string& origin = "") {
        WebSocketClient client(fake.url(), "/api/v1/events" + query, {"vmr.events", protocol}, origin);
        return client.socket != nullptr ? 101 : client.status();
    };
    EXPECT_EQ(status("", bearer), 101);
    EXPECT_EQ(status("", bearer, fake.url()), 101);
    EXPECT_EQ(status("?room=board", bearer), 101);
    EXPECT_EQ(status("?room=other", bearer), 403);
    EXPECT_EQ(status("", "vmr.bearer.wrong"), 401);
    EXPECT_EQ(status("", bearer, "https://evil.example"), 403);
    EXPECT_EQ(status("?since=abc", bearer), 400);
    const std::string admin = "vmr.bearer." + fake.admin();
    EXPECT_EQ(status("", admin), 101) << "devices and trunks";
    EXPECT_EQ(status("?room=gone", admin), 404);
    EXPECT_EQ(status("?room=other", admin), 101);
    EXPECT_EQ(http(fake.url(), "GET", "/api/v1/events", fake.admin()).status, 426);
}

TEST(EventsTest, EndWhenTheParticipantIsNotInTheRoomAnyMore) {
    FakeServer fake;
    WebSocketClient client(fake.url(), "/api/v1/events",
                           {"vmr.events", "vmr.bearer." + fake.participant("board", "p1")});
    WebSocketClient admin(fake.url(), "/api/v1/events?room=board",
                          {"vmr.events", "vmr.bearer." + fake.admin()});
    ASSERT_TRUE(run_until([&] { return client.received.size() == 1 && admin.received.size() == 1; }));
    fake.control.in_room = false;  // a host put them in the lobby; the room tells the others
    fake.events.publish("board", "vmr.participant.updated", {{"id", "p1"}});
    ASSERT_TRUE(run_until([&] { return client.closed && admin.received.size() == 2; }));
    EXPECT_EQ(client.close_code, 1008);
    EXPECT_EQ(client.received.size(), 1u);
    EXPECT_FALSE(admin.closed);
}

TEST(EventsTest, EndWithTheBearer) {
    FakeServer fake;
    const std::string session = fake.admin();
    WebSocketClient admin(fake.url(), "/api/v1/events?room=board", {"vmr.events", "vmr.bearer." + session});
    WebSocketClient participant(fake.url(), "/api/v1/events",
                                {"vmr.events", "vmr.bearer." + fake.participant("board", "p1")});
    WebSocketClient other(fake.url(), "/api/v1/events",
                          {"vmr.events", "vmr.bearer." + fake.participant("board", "p2")});
    ASSERT_TRUE(run_until([&] { return fake.events.subscriber_count() == 3; }));
    EXPECT_EQ(http(fake.url(), "DELETE", "/api/v1/session", session).status, 204);
    ASSERT_TRUE(run_until([&] { return admin.closed; }));
    EXPECT_EQ(admin.close_code, 1008);
    fake.tokens.revoke_participant("board", "p1");
    ASSERT_TRUE(run_until([&] { return participant.closed; }));
    EXPECT_EQ(participant.close_code, 1008);
    EXPECT_FALSE(other.closed);
    fake.let_bearers_expire();
    fake.events.publish("board", "vmr.talking", {{"participants", json::array()}});
    ASSERT_TRUE(run_until([&] { return other.closed; }));
    EXPECT_EQ(other.received.size(), 1u);  // the snapshot
}

TEST(EventsTest, EndSoonAfterTheBearerHasExpired) {
    api::ServerOptions options;
    options.keepalive = std::chrono::seconds(1);
    FakeServer fake(options);
    WebSocketClient client(fake.url(), "/api/v1/events",
                           {"vmr.events", "vmr.bearer." + fake.participant("board", "p1")});
    ASSERT_NE(client.socket, nullptr);
    fake.let_bearers_expire();
    ASSERT_TRUE(run_until([&] { return client.closed; }));  // nothing was published
    EXPECT_EQ(client.close_code, 1008);
}

TEST(EventsTest, SlowReaderIsDropped) {
    FakeServer fake;
    const std::string url = fake.url();
    const std::string bearer = fake.participant("board", "p1");
    // A client that opens and then never reads.
    GSocketClient* client = g_socket_client_new();
    bool connected = false;
    GSocketConnection* connection = nullptr;
    std::pair<bool*, GSocketConnection**> out{&connected, &connection};
    g_socket_client_connect_to_host_async(
        client, url.substr(7).c_str(), 80, nullptr,
        [](GObject* source, GAsyncResult* result, gpointer data) {
            auto* pair = static_cast<std::pair<bool*, GSocketConnection**>*>(data);
            *pair->second = g_socket_client_connect_to_host_finish(G_SOCKET_CLIENT(source), result, nullptr);
            *pair->first = true;
        },
        &out);
    ASSERT_TRUE(run_until([&] { return connected; }));
    const std::string request = "GET /api/v1/events HTTP/1.1\r\nHost: " + url.substr(7) +
                                "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                "Sec-WebSocket-Protocol: vmr.events, vmr.bearer." +
                                bearer + "\r\n\r\n";
    g_socket_send(g_socket_connection_get_socket(connection), request.data(), request.size(), nullptr,
                  nullptr);
    ASSERT_TRUE(run_until([&] { return fake.events.subscriber_count() == 1; }));
    const std::string text(60000, 'x');
    int published = 0;
    while (fake.events.subscriber_count() == 1 && published < 2000) {
        fake.events.publish("board", "vmr.announcement", {{"kind", "x"}, {"text", text}});
        g_main_context_iteration(nullptr, FALSE);
        ++published;
    }
    EXPECT_LT(published, 2000);
    EXPECT_EQ(fake.events.subscriber_count(), 0u);
    g_object_unref(connection);
    g_object_unref(client);
    EXPECT_EQ(http(url, "GET", "/healthz").status, 200);
}

TEST(SignallingTest, MessagesReachTheLegAndBack) {
    FakeServer fake;
    {
        WebSocketClient client(fake.url(), "/api/v1/legs/webrtc", {"vmr.webrtc"}, fake.url());
        ASSERT_NE(client.socket, nullptr) << client.status();
        client.send(R"({"type":"join","alias":"board","name":"Ada"})");
        ASSERT_TRUE(run_until([&] { return client.received.size() == 1; }));
        EXPECT_EQ(client.received[0]["type"], "joined");
        EXPECT_EQ(fake.leg.channels[0]->remote_address(), "127.0.0.1");
        EXPECT_EQ(fake.leg.channels[0]->origin(), fake.url());
        EXPECT_FALSE(fake.leg.channels[0]->tls().secure);
    }
    EXPECT_TRUE(run_until([&] { return fake.leg.closed == 1; }));
    EXPECT_FALSE(fake.leg.channels[0]->is_open());
    fake.leg.channels[0]->send({{"type", "state"}});  // nobody there: nothing happens
}

TEST(SignallingTest, EndsWithTheBearerThatWasGivenOut) {
    FakeServer fake;
    WebSocketClient revoked(fake.url(), "/api/v1/legs/webrtc", {"vmr.webrtc"});
    ASSERT_TRUE(run_until([&] { return fake.leg.channels.size() == 1; }));
    WebSocketClient expired(fake.url(), "/api/v1/legs/webrtc", {"vmr.webrtc"});
    ASSERT_TRUE(run_until([&] { return fake.leg.channels.size() == 2; }));
    fake.leg.channels[0]->bind_bearer(fake.participant("board", "p1"));
    fake.leg.channels[1]->bind_bearer(fake.participant("board", "p2"));
    // What is said together with the revocation still arrives.
    fake.tokens.revoke_participant("board", "p1");
    fake.leg.channels[0]->send({{"type", "state"}, {"state", "left"}});
    ASSERT_TRUE(run_until([&] { return revoked.closed; }));
    EXPECT_EQ(revoked.received.size(), 1u);
    EXPECT_EQ(revoked.close_code, 1008);
    EXPECT_FALSE(expired.closed);
    fake.let_bearers_expire();
    expired.send(R"({"type":"guest"})");
    ASSERT_TRUE(run_until([&] { return expired.closed; }));
    EXPECT_TRUE(fake.leg.messages.empty());
    EXPECT_TRUE(run_until([&] { return fake.leg.closed == 2; }));
}

TEST(SignallingTest, GarbageIsRefusedAndCounted) {
    FakeServer fake;
    WebSocketClient client(fake.url(), "/api/v1/legs/webrtc", {"vmr.webrtc"});
    for (const char* garbage :
         {"", "{", "[]", "1", R"({"type":7})", R"({"type":"state"})", R"({"type":"join"})",
          R"({"type":"digits","digits":"1x"})", R"({"type":"bye","more":1})"}) {
        client.send(garbage);
    }
    ASSERT_TRUE(run_until([&] { return client.received.size() == 9; }));
    for (const json& answer : client.received) {
        EXPECT_EQ(answer["type"], "error");
    }
    EXPECT_TRUE(fake.leg.messages.empty());
    for (int i = 0; i < 20; ++i) {
        client.send("x");
    }
    ASSERT_TRUE(run_until([&] { return client.closed; }));
    EXPECT_EQ(client.close_code, 1008);
    EXPECT_TRUE(run_until([&] { return fake.leg.closed == 1; }));
}

TEST(SignallingTest, MegabyteSdpIsRefusedWithAnErrorAnd1009) {
    FakeServer fake;
    WebSocketClient client(fake.url(), "/api/v1/legs/webrtc", {"vmr.webrtc"});
    client.send(json({{"type", "offer"}, {"sdp", std::string(1024 * 1024, 'v')}}).dump());
    ASSERT_TRUE(run_until([&] { return client.closed; }));
    ASSERT_EQ(client.received.size(), 1u);
    EXPECT_EQ(client.received[0]["code"], "too_big");
    EXPECT_EQ(client.close_code, 1009);
    WebSocketClient other(fake.url(), "/api/v1/legs/webrtc", {"vmr.webrtc"});
    other.send(json({{"type", "offer"}, {"sdp", std::string(70000, 'v')}}).dump());
    ASSERT_TRUE(run_until([&] { return !other.received.empty(); }));
    EXPECT_EQ(other.received[0]["code"], "bad_message");
    EXPECT_TRUE(fake.leg.messages.empty());
}

TEST(SignallingTest, EndlessFragmentsAreCutOff) {
    FakeServer fake;
    std::string request =
        "GET /api/v1/legs/webrtc HTTP/1.1\r\nHost: " + fake.url().substr(7) +
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: vmr.webrtc\r\n\r\n";
    for (int i = 0; i < 300; ++i) {  // 16 KiB each: 4.8 MB in one message
        request += std::string(i == 0 ? "\x01" : "\x00", 1) + std::string("\xfe\x40\x00\0\0\0\0", 7) +
                   std::string(16384, 'a');
    }
    exchange_raw(fake.url(), request);  // returns because the server closed
    EXPECT_TRUE(run_until([&] { return fake.leg.closed == 1; }));
    EXPECT_TRUE(fake.leg.messages.empty());
}

TEST(SignallingTest, DeadPeerIsNoticed) {
    api::ServerOptions options;
    options.keepalive = std::chrono::seconds(1);
    FakeServer fake(options);
    // Opens, and answers no ping: exchange() reads until the server gives up.
    const std::string request =
        "GET /api/v1/legs/webrtc HTTP/1.1\r\nHost: " + fake.url().substr(7) +
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: vmr.webrtc\r\n\r\n";
    exchange_raw(fake.url(), request);
    EXPECT_TRUE(run_until([&] { return fake.leg.closed == 1; }));
}

TEST(SignallingTest, TooManyMessagesEndIt) {
    api::ServerOptions options;
    options.messages_per_second = 0.001;
    options.message_burst = 5;
    FakeServer fake(options);
    WebSocketClient client(fake.url(), "/api/v1/legs/webrtc", {"vmr.webrtc"});
    for (int i = 0; i < 10; ++i) {
        client.send(R"({"type":"guest"})");
    }
    ASSERT_TRUE(run_until([&] { return client.closed; }));
    EXPECT_EQ(client.close_code, 1008);
    EXPECT_EQ(fake.leg.messages.size(), 5u);
}

TEST(SignallingTest, StopClosesEverything) {
    FakeServer fake;
    WebSocketClient client(fake.url(), "/api/v1/legs/webrtc", {"vmr.webrtc"});
    ASSERT_NE(client.socket, nullptr);
    fake.server.stop();
    EXPECT_EQ(fake.leg.closed, 1);
    EXPECT_TRUE(run_until([&] { return client.closed; }));
}

}  // namespace
}  // namespace vmr::test
