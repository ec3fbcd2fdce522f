#include "tests/daemon/api/fake_server.hpp"

#include <gtest/gtest.h>

#include "daemon/api/router.hpp"
#include "schemas/validator.hpp"

namespace vmr::test {

using nlohmann::json;

bool run_until(const std::function<bool()>& done, int seconds) {
    bool late = false;
    const guint timer = g_timeout_add_seconds(
        static_cast<guint>(seconds),
        [](gpointer data) -> gboolean {
            *static_cast<bool*>(data) = true;
            return G_SOURCE_CONTINUE;
        },
        &late);
    while (!done() && !late) {
        g_main_context_iteration(nullptr, TRUE);
    }
    g_source_remove(timer);
    return !late;
}

void FakeControl::perform(const api::Caller& caller, std::string_view operation, const json& params,
                          api::Reply reply) {
    calls.push_back({caller, std::string(operation), params});
    auto response = on_call ? on_call(calls.back()) : api::Response{200, {{"operation", operation}}};
    if (response) {
        reply(*response);
    } else {
        kept.push_back(std::move(reply));
    }
}

namespace {
api::ServerOptions loopback(api::ServerOptions options, bool with_tls) {
    if (options.listen.empty()) {
        options.listen = {{"127.0.0.1", 0, with_tls}};
    }
    return options;
}
json snapshot(const std::string& room) {
    return room == "gone" ? json() : json{{"room", {{"id", room}}}, {"participants", json::array()}};
}

// Each refusal that a test sees is one that the API's document names for that operation. What succeeds,
// FakeControl made up.
void expect_documented(const std::string& method, const std::string& target, int status) {
    static const json& document = schema::embedded("api/openapi.json");
    static const api::Router router(document);
    static const std::string prefix = "/api/v1";
    if (!target.starts_with(prefix + "/") || status < 400) {
        return;
    }
    const std::string path = target.substr(prefix.size(), target.find_first_of("?#") - prefix.size());
    const api::Router::Match match = router.match(method, path);
    if (match.operation == nullptr) {
        return;  // no operation's: 404, 405, and what refuses any request
    }
    for (const auto& [route, item] : document["paths"].items()) {
        for (const auto& [key, operation] : item.items()) {
            if (key != "parameters" && operation["operationId"] == match.operation->id) {
                EXPECT_TRUE(operation["responses"].contains(std::to_string(status)))
                    << match.operation->id << " answers " << status;
            }
        }
    }
}
}  // namespace

FakeServer::FakeServer(api::ServerOptions options, bool with_tls)
    : events(snapshot), server(loopback(std::move(options), with_tls), control, tokens, events, &leg) {
    const Status started = server.start();
    if (!started) {
        throw std::runtime_error(started.error());
    }
}

HttpAnswer exchange_raw(const std::string& url, const std::string& request) {
    GSocketClient* client = g_socket_client_new();
    const std::string host = url.substr(url.find("//") + 2);
    struct State {
        std::string reply;
        std::string request;
        std::size_t sent = 0;
        GSocketConnection* connection = nullptr;
        bool connected = false, done = false;
    } state;
    state.request = request;
    g_socket_client_connect_to_host_async(
        client, host.c_str(), 80, nullptr,
        [](GObject* source, GAsyncResult* result, gpointer data) {
            auto* s = static_cast<State*>(data);
            s->connection = g_socket_client_connect_to_host_finish(G_SOCKET_CLIENT(source), result, nullptr);
            s->connected = true;
        },
        &state);
    run_until([&] { return state.connected; });
    g_object_unref(client);
    if (state.connection == nullptr) {
        return {};
    }
    GSocket* socket = g_socket_connection_get_socket(state.connection);
    g_socket_set_blocking(socket, FALSE);
    char buffer[65536];
    const auto pump = [&] {
        if (state.sent < state.request.size()) {
            const gssize n = g_socket_send(socket, state.request.data() + state.sent,
                                           state.request.size() - state.sent, nullptr, nullptr);
            state.sent += n > 0 ? static_cast<std::size_t>(n) : 0;
        }
        GError* error = nullptr;
        const gssize n = g_socket_receive(socket, buffer, sizeof buffer, nullptr, &error);
        if (n > 0) {
            state.reply.append(buffer, static_cast<std::size_t>(n));
        } else if (n == 0 || !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
            state.done = true;
        }
        g_clear_error(&error);
        return state.done;
    };
    const guint tick = g_timeout_add(
        2, [](gpointer) -> gboolean { return G_SOURCE_CONTINUE; }, nullptr);
    run_until(pump);
    g_source_remove(tick);
    g_object_unref(state.connection);
    HttpAnswer answer;
    const std::size_t split = state.reply.find("\r\n\r\n");
    if (state.reply.starts_with("HTTP/1.1 ") && split != std::string::npos) {
        answer.status = std::stoi(state.reply.substr(9, 3));
        answer.head = state.reply.substr(0, split + 2);
        answer.body = state.reply.substr(split + 4);
    }
    return answer;
}

HttpAnswer http(const std::string& url, const std::string& method, const std::string& path,
                const std::string& token, const std::string& body, const std::string& headers) {
    std::string request =
        method + " " + path + " HTTP/1.1\r\nHost: " + url.substr(url.find("//") + 2) + "\r\n";
    if (!token.empty()) {
        request += "Authorization: Bearer " + token + "\r\n";
    }
    if (!body.empty()) {
        if (headers.find("Transfer-Encoding") == std::string::npos) {
            request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
        }
        if (headers.find("Content-Type") == std::string::npos) {
            request += "Content-Type: application/json\r\n";
        }
    }
    HttpAnswer answer = exchange_raw(url, request + headers + "\r\n" + body);
    expect_documented(method, path, answer.status);
    return answer;
}

WebSocketClient::WebSocketClient(const std::string& url, const std::string& path,
                                 std::vector<std::string> protocols, const std::string& origin)
    : session(soup_session_new()), message(soup_message_new("GET", (url + path).c_str())) {
    std::vector<char*> list;
    for (std::string& protocol : protocols) {
        list.push_back(protocol.data());
    }
    list.push_back(nullptr);
    soup_session_websocket_connect_async(
        session, message, origin.empty() ? nullptr : origin.c_str(), list.data(), G_PRIORITY_DEFAULT, nullptr,
        [](GObject* source, GAsyncResult* result, gpointer data) {
            auto* self = static_cast<WebSocketClient*>(data);
            self->socket = soup_session_websocket_connect_finish(SOUP_SESSION(source), result, nullptr);
            self->finished = true;
        },
        this);
    run_until([&] { return finished; });
    if (socket == nullptr) {
        return;
    }
    soup_websocket_connection_set_max_incoming_payload_size(socket, 0);
    g_signal_connect(
        socket, "message", G_CALLBACK(+[](SoupWebsocketConnection*, gint, GBytes* bytes, gpointer data) {
            gsize size = 0;
            const auto* text = static_cast<const char*>(g_bytes_get_data(bytes, &size));
            static_cast<WebSocketClient*>(data)->received.push_back(json::parse(text, text + size));
        }),
        this);
    g_signal_connect(socket, "closed", G_CALLBACK(+[](SoupWebsocketConnection* connection, gpointer data) {
                         auto* self = static_cast<WebSocketClient*>(data);
                         self->closed = true;
                         self->close_code = soup_websocket_connection_get_close_code(connection);
                     }),
                     this);
}

WebSocketClient::~WebSocketClient() {
    if (socket != nullptr) {
        g_signal_handlers_disconnect_by_data(socket, this);
        if (soup_websocket_connection_get_state(socket) == SOUP_WEBSOCKET_STATE_OPEN) {
            soup_websocket_connection_close(socket, 1000, nullptr);
            run_until(
                [&] { return soup_websocket_connection_get_state(socket) == SOUP_WEBSOCKET_STATE_CLOSED; },
                2);
        }
        g_object_unref(socket);
    }
    g_object_unref(message);
    g_object_unref(session);
}

}  // namespace vmr::test
