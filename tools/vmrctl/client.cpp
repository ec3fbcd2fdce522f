#include "tools/vmrctl/client.hpp"

#include <stdexcept>

#include "base/signal.hpp"

namespace vmr::ctl {

using nlohmann::json;

namespace {

constexpr guint kTimeoutSeconds = 30;
constexpr std::uint64_t kMaxEvent = 16 * 1024 * 1024;  // bytes; a snapshot of a large room

std::string take(GError* error) {
    const std::string text = error != nullptr ? error->message : "no reason given";
    g_clear_error(&error);
    return text;
}

// problem+json says more than the status.
std::string problem_text(const json& body, SoupMessage* message) {
    std::string text = body.is_object() ? body.value("detail", body.value("title", "")) : "";
    if (text.empty()) {
        const char* reason = soup_message_get_reason_phrase(message);
        text = reason != nullptr ? reason : "refused";
    }
    if (body.is_object() && body.contains("errors")) {
        for (const json& error : body["errors"]) {
            text += "\n  " + error.value("pointer", "") + ": " + error.value("detail", "");
        }
    }
    return text;
}

struct EventLoop {
    GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
    const std::function<bool(const json&)>* on_event = nullptr;
    GPtr<SoupWebsocketConnection> socket;
    std::string problem;
    bool done = false;  // on_event wants no more
    ~EventLoop() { g_main_loop_unref(loop); }
};

void on_event_received(SoupWebsocketConnection* socket, gint, GBytes* bytes, gpointer data) {
    gsize size = 0;
    const auto* text = static_cast<const char*>(g_bytes_get_data(bytes, &size));
    auto* self = static_cast<EventLoop*>(data);
    const json event = json::parse(text, text + size, nullptr, false);
    self->done = self->done || (event.is_object() && !(*self->on_event)(event));
    if (!event.is_object() || self->done) {
        soup_websocket_connection_close(socket, SOUP_WEBSOCKET_CLOSE_NORMAL, nullptr);
    }
}

void on_events_closed(SoupWebsocketConnection* socket, gpointer data) {
    auto* self = static_cast<EventLoop*>(data);
    if (!self->done) {
        const char* reason = soup_websocket_connection_get_close_data(socket);
        self->problem = "the events ended";
        self->problem += reason != nullptr && *reason != '\0' ? std::string(": ") + reason : "";
    }
    g_main_loop_quit(self->loop);
}

void on_events_connected(GObject* session, GAsyncResult* result, gpointer data) {
    auto* self = static_cast<EventLoop*>(data);
    GError* error = nullptr;
    self->socket = GPtr<SoupWebsocketConnection>::adopt(
        soup_session_websocket_connect_finish(SOUP_SESSION(session), result, &error));
    if (!self->socket) {
        self->problem = take(error);
        g_main_loop_quit(self->loop);
        return;
    }
    soup_websocket_connection_set_max_incoming_payload_size(self->socket.get(), kMaxEvent);
    g_signal_connect(self->socket.get(), "message", G_CALLBACK(on_event_received), self);
    g_signal_connect(self->socket.get(), "closed", G_CALLBACK(on_events_closed), self);
}

}  // namespace

gboolean on_certificate_met(SoupMessage*, GTlsCertificate*, GTlsCertificateFlags errors, gpointer client) {
    return static_cast<Client*>(client)->accepts(errors);
}

std::string escape(const std::string& segment) {
    const GCharPtr text(g_uri_escape_string(segment.c_str(), nullptr, FALSE));
    return text.get();
}

ExitCode Answer::exit_code() const {
    if (status == 0) {
        return kUnreachable;
    }
    if (status == 101 || (status >= 200 && status < 300)) {
        return kDone;
    }
    return status == 401 || status == 403 ? kUnauthorized : status == 404 ? kNotFound : kRefused;
}

Client::Client(ClientOptions options) : options_(std::move(options)) {
    session_ = GPtr<SoupSession>::adopt(
        soup_session_new_with_options("timeout", kTimeoutSeconds, "user-agent", "vmrctl", nullptr));
    while (options_.url.ends_with('/')) {
        options_.url.pop_back();
    }
    if (!options_.ca_file.empty()) {
        GError* error = nullptr;
        GTlsDatabase* database = g_tls_file_database_new(options_.ca_file.c_str(), &error);
        if (database == nullptr) {
            throw std::runtime_error(options_.ca_file + ": " + take(error));
        }
        soup_session_set_tls_database(session_.get(), database);
        g_object_unref(database);
    }
}

GPtr<SoupMessage> Client::message(const std::string& method, const std::string& path) {
    SoupMessage* made = soup_message_new(method.c_str(), (options_.url + "/api/v1" + path).c_str());
    if (made == nullptr) {
        throw std::runtime_error("not a URL: " + options_.url);
    }
    g_signal_connect(made, "accept-certificate", G_CALLBACK(on_certificate_met), this);
    if (!options_.token.empty()) {
        soup_message_headers_replace(soup_message_get_request_headers(made), "Authorization",
                                     ("Bearer " + options_.token).c_str());
    }
    return GPtr<SoupMessage>::adopt(made);
}

Answer Client::request(const std::string& method, const std::string& path, const json& body) {
    const auto sent = message(method, path);
    if (!body.is_null()) {
        const std::string text = body.dump();
        GBytes* bytes = g_bytes_new(text.data(), text.size());
        soup_message_set_request_body_from_bytes(sent.get(), "application/json", bytes);
        g_bytes_unref(bytes);
    }
    GError* error = nullptr;
    GBytes* received = soup_session_send_and_read(session_.get(), sent.get(), nullptr, &error);
    Answer answer;
    if (received == nullptr) {
        answer.problem = options_.url + ": " + take(error);
        return answer;
    }
    gsize size = 0;
    const auto* data = static_cast<const char*>(g_bytes_get_data(received, &size));
    answer.status = static_cast<int>(soup_message_get_status(sent.get()));
    answer.body = size > 0 ? json::parse(data, data + size, nullptr, false) : json();
    g_bytes_unref(received);
    if (answer.exit_code() != kDone) {
        answer.problem = problem_text(answer.body, sent.get());
    }
    return answer;
}

Answer Client::events(const std::string& room, const std::string& since,
                      const std::function<bool(const json&)>& on_event) {
    std::string path = "/events?";
    path += room.empty() ? "" : "room=" + escape(room);
    path += since.empty() ? "" : "&since=" + escape(since);
    const auto sent = message("GET", path);
    EventLoop loop;
    loop.on_event = &on_event;
    char protocol[] = "vmr.events";
    char* protocols[] = {protocol, nullptr};
    soup_session_websocket_connect_async(session_.get(), sent.get(), nullptr, protocols, G_PRIORITY_DEFAULT,
                                         nullptr, on_events_connected, &loop);
    g_main_loop_run(loop.loop);
    if (loop.socket) {
        g_signal_handlers_disconnect_by_data(loop.socket.get(), &loop);
    }
    Answer answer;
    answer.status = loop.socket && !loop.done ? 0 : static_cast<int>(soup_message_get_status(sent.get()));
    answer.problem = loop.problem;
    return answer;
}

}  // namespace vmr::ctl
