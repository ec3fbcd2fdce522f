// The API server over loopback with a made-up Control and browser leg, and a client that
// speaks raw bytes: what a test sends is what arrives.
#pragma once
#include <gio/gio.h>
#include <libsoup/soup.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/api/server.hpp"

namespace vmr::test {

// Runs the main context until `done` holds; false at the deadline.
bool run_until(const std::function<bool()>& done, int seconds = 30);

class FakeControl : public api::Control {
public:
    struct Call {
        api::Caller caller;
        std::string operation;
        nlohmann::json params;
    };
    bool may_follow_events(const api::Caller&) const override { return in_room; }
    std::uint64_t events_hidden_until(const api::Caller&) const override { return hidden_until; }
    bool in_room = true;
    std::uint64_t hidden_until = 0;
    void perform(const api::Caller& caller, std::string_view operation, const nlohmann::json& params,
                 api::Reply reply) override;
    std::vector<Call> calls;
    std::function<std::optional<api::Response>(const Call&)> on_call;  // nothing: keep the reply
    std::vector<api::Reply> kept;
};

class FakeLeg : public api::SignallingHandler {
public:
    void on_open(std::shared_ptr<api::SignallingChannel> channel) override { channels.push_back(channel); }
    void on_message(api::SignallingChannel& channel, const nlohmann::json& message) override {
        messages.push_back(message);
        if (message["type"] == "join") {
            channel.send({{"type", "joined"}, {"participant", "p1"}});
        }
    }
    void on_closed(api::SignallingChannel&) override { ++closed; }
    std::vector<std::shared_ptr<api::SignallingChannel>> channels;
    std::vector<nlohmann::json> messages;
    int closed = 0;
};

struct FakeServer {
    explicit FakeServer(api::ServerOptions options = {}, bool with_tls = false);
    std::string url() const { return server.urls().front(); }
    std::string admin() {
        return tokens.issue({api::Caller::Kind::admin, "", "", ""}, std::chrono::hours(1))->token;
    }
    std::string participant(const std::string& room, const std::string& id) {
        return tokens.issue({api::Caller::Kind::participant, room, id, ""}, std::chrono::hours(1))->token;
    }
    void let_bearers_expire() { later += std::chrono::hours(2); }

    FakeControl control;
    FakeLeg leg;
    std::chrono::hours later{0};
    api::TokenStore tokens{[this] { return std::chrono::system_clock::now() + later; }};
    api::EventHub events;
    api::Server server;
};

struct HttpAnswer {
    int status = 0;  // 0: the connection ended without one
    std::string head;
    std::string body;
    nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
};

// Sends bytes as they are, and reads until the server closes.
HttpAnswer exchange_raw(const std::string& url, const std::string& request);
HttpAnswer http(const std::string& url, const std::string& method, const std::string& path,
                const std::string& token = "", const std::string& body = "", const std::string& headers = "");

class WebSocketClient {
public:
    WebSocketClient(const std::string& url, const std::string& path, std::vector<std::string> protocols,
                    const std::string& origin = "");
    ~WebSocketClient();
    WebSocketClient(const WebSocketClient&) = delete;
    void send(const std::string& text) { soup_websocket_connection_send_text(socket, text.c_str()); }

    SoupSession* session;
    SoupMessage* message;
    SoupWebsocketConnection* socket = nullptr;
    bool finished = false;  // connected or refused
    bool closed = false;
    int close_code = 0;
    std::vector<nlohmann::json> received;
    int status() const { return static_cast<int>(soup_message_get_status(message)); }
};

}  // namespace vmr::test
