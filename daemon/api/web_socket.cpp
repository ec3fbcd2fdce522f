#include "daemon/api/web_socket.hpp"

#include <algorithm>
#include <map>

#include "base/guard.hpp"
#include "schemas/validator.hpp"

namespace vmr::api {

using nlohmann::json;

namespace {

constexpr std::uint64_t kMaxMessage = 96 * 1024;        // bytes; an SDP is at most 64 KiB of it
constexpr std::uint64_t kReadBudget = 2 * kMaxMessage;  // bytes until a message is complete
// Beyond that a few connections at a time may read on, for the sake of a clear refusal: a peer
// that is cut off while it writes never sees our error and close code.
constexpr std::uint64_t kRefusedMessage = 1280 * 1024;  // bytes; what is longer is cut off
constexpr unsigned kRefusalSlots = 16;
constexpr std::uint64_t kPongBudget = 256;          // bytes that a pong gives back
constexpr std::uint64_t kMaxBacklog = 1024 * 1024;  // bytes that wait for a slow reader
constexpr unsigned kCloseSeconds = 5;
constexpr unsigned kMaxFaults = 20;

unsigned g_refusals = 0;  // slots in use; main context only

std::uint64_t frame_size(std::size_t payload) {
    return payload + (payload < 126 ? 2 : payload < 65536 ? 4 : 10);  // RFC 6455 section 5.2, unmasked
}

void on_message(SoupWebsocketConnection*, gint type, GBytes* message, gpointer self) {
    guard(nullptr, [&] {
        static_cast<WebSocket*>(self)->on_message_received(static_cast<SoupWebsocketDataType>(type), message);
    });
}
void on_error(SoupWebsocketConnection*, GError* error, gpointer self) {
    guard(nullptr, [&] { static_cast<WebSocket*>(self)->on_failed(error); });
}
void on_closed(SoupWebsocketConnection*, gpointer self) {
    guard(nullptr, [&] { static_cast<WebSocket*>(self)->on_socket_closed(); });
}
void on_pong_received(SoupWebsocketConnection*, GBytes*, gpointer self) {
    static_cast<WebSocket*>(self)->on_pong();
}

const std::map<std::string, schema::Validator>& client_messages() {
    static const std::map<std::string, schema::Validator> validators = [] {
        const json& document = schema::embedded("api/openapi.json");
        const json& schemas = document.at("components").at("schemas");
        std::map<std::string, schema::Validator> map;
        for (const json& option : schemas.at("SignalClientMessage").at("oneOf")) {
            const json message = schema::resolve(option, document);
            for (const json& type : message.at("properties").at("type").at("enum")) {
                map.emplace(type.get<std::string>(), schema::Validator(message));
            }
        }
        return map;
    }();
    return validators;
}

}  // namespace

WebSocket::WebSocket(SoupWebsocketConnection* socket, ConnectionPtr connection, const ServerOptions& options,
                     TokenStore& tokens)
    : socket_(GPtr<SoupWebsocketConnection>::ref(socket)),
      connection_(std::move(connection)),
      tokens_(tokens),
      messages_(options.messages_per_second, options.message_burst, std::chrono::steady_clock::now()) {
    soup_websocket_connection_set_max_incoming_payload_size(socket, kRefusedMessage);
    const auto seconds = static_cast<guint>(options.keepalive.count());
    soup_websocket_connection_set_keepalive_interval(socket, seconds);
    message_ = SignalConnection(socket, "message", G_CALLBACK(on_message), this);
    error_ = SignalConnection(socket, "error", G_CALLBACK(on_error), this);
    closed_signal_ = SignalConnection(socket, "closed", G_CALLBACK(on_closed), this);
    pong_ = SignalConnection(socket, "pong", G_CALLBACK(on_pong_received), this);
    connection_->set_deadline(0);
    connection_->budget->read_left = kReadBudget;
    connection_->budget->written = 0;
    connection_->budget->more = [this]() -> std::uint64_t {
        if (has_refusal_slot_ || g_refusals >= kRefusalSlots) {
            return 0;
        }
        has_refusal_slot_ = true;
        ++g_refusals;
        connection_->set_deadline(kCloseSeconds);
        return kRefusedMessage;
    };
    keepalive_ = g_timeout_add_seconds(
        seconds, [](gpointer self) -> gboolean { return static_cast<WebSocket*>(self)->on_keepalive_due(); },
        this);
}

WebSocket::~WebSocket() {
    connection_->budget->more = nullptr;
    give_slot_back();
    if (keepalive_ != 0) {
        g_source_remove(keepalive_);
    }
}

void WebSocket::give_slot_back() {
    if (has_refusal_slot_) {
        has_refusal_slot_ = false;
        --g_refusals;
    }
}

bool WebSocket::is_open() const {
    return soup_websocket_connection_get_state(socket_.get()) == SOUP_WEBSOCKET_STATE_OPEN;
}

bool WebSocket::send_text(const std::string& text) {
    if (!is_open()) {
        return true;  // on_closed is on its way
    }
    queued_ += frame_size(text.size());
    if (queued_ > connection_->budget->written + kMaxBacklog) {
        return false;
    }
    soup_websocket_connection_send_message(socket_.get(), SOUP_WEBSOCKET_DATA_TEXT,
                                           std::unique_ptr<GBytes, decltype(&g_bytes_unref)>(
                                               g_bytes_new(text.data(), text.size()), g_bytes_unref)
                                               .get());
    return true;
}

void WebSocket::close_with(unsigned short code, std::string_view reason) {
    if (is_open()) {
        connection_->set_deadline(kCloseSeconds);
        // RFC 6455 section 5.5: a control frame holds 125 bytes.
        soup_websocket_connection_close(socket_.get(), code, std::string(reason.substr(0, 120)).c_str());
    }
}

void WebSocket::check_bearer() {
    if (!has_valid_bearer()) {
        close_with(SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, "the bearer is no longer valid");
    }
}

void WebSocket::on_message_received(SoupWebsocketDataType type, GBytes* message) {
    silent_intervals_ = 0;
    connection_->budget->read_left = kReadBudget;
    check_bearer();
    if (!is_open()) {
        return;
    }
    if (!messages_.take(std::chrono::steady_clock::now())) {
        close_with(SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, "too many messages");
        return;
    }
    if (type != SOUP_WEBSOCKET_DATA_TEXT) {
        close_with(SOUP_WEBSOCKET_CLOSE_UNSUPPORTED_DATA, "text messages only");
        return;
    }
    gsize size = 0;
    const auto* data = static_cast<const char*>(g_bytes_get_data(message, &size));
    if (size > kMaxMessage) {
        too_big();
        close_with(SOUP_WEBSOCKET_CLOSE_TOO_BIG, "message too big");
        return;
    }
    text_received(std::string_view(data, size));
}

// libsoup closes by itself after this signal; what is sent here goes out before the close frame.
void WebSocket::on_failed(const GError* error) {
    connection_->set_deadline(kCloseSeconds);
    if (g_error_matches(error, SOUP_WEBSOCKET_ERROR, SOUP_WEBSOCKET_CLOSE_TOO_BIG)) {
        too_big();
    }
}

void WebSocket::on_socket_closed() {
    if (is_gone_) {
        return;
    }
    is_gone_ = true;
    give_slot_back();
    if (keepalive_ != 0) {
        g_source_remove(keepalive_);
        keepalive_ = 0;
    }
    connection_->abort();
    closed();
    if (gone_) {
        gone_(this);
    }
}

void WebSocket::on_pong() {
    silent_intervals_ = 0;
    auto& left = connection_->budget->read_left;
    left = std::min(left + kPongBudget, kReadBudget);
}

bool WebSocket::on_keepalive_due() {
    if (++silent_intervals_ > 1) {
        keepalive_ = 0;
        connection_->abort();  // libsoup then reports it closed
        return false;
    }
    check_bearer();
    return true;
}

EventsSocket::EventsSocket(SoupWebsocketConnection* socket, ConnectionPtr connection,
                           const ServerOptions& options, TokenStore& tokens, EventHub& hub, Rights rights)
    : WebSocket(socket, std::move(connection), options, tokens), hub_(hub), rights_(std::move(rights)) {}

bool EventsSocket::deliver(const std::string& text) {
    return send_text(text);
}

void EventsSocket::on_dropped(EventHub::Dropped reason) {
    switch (reason) {
        case EventHub::Dropped::too_slow:
            return cut();  // it would not get to a close frame either
        case EventHub::Dropped::not_allowed:
            return close_with(SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, "not in the room");
        case EventHub::Dropped::room_gone:
            return close_with(SOUP_WEBSOCKET_CLOSE_NORMAL, "the room is gone");
    }
}

void EventsSocket::text_received(std::string_view) {
    close_with(SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, "events are one way");
}

void EventsSocket::closed() {
    hub_.unsubscribe(*this);
}

SignallingSocket::SignallingSocket(SoupWebsocketConnection* socket, ConnectionPtr connection,
                                   const ServerOptions& options, TokenStore& tokens,
                                   SignallingHandler& handler, Origin from)
    : WebSocket(socket, std::move(connection), options, tokens), handler_(handler), from_(std::move(from)) {}

void SignallingSocket::send(const json& message) {
    if (!send_text(message.dump(-1, ' ', false, json::error_handler_t::replace))) {
        cut();
    }
}

void SignallingSocket::refuse(std::string_view code, std::string_view message) {
    send({{"type", "error"}, {"code", code}, {"message", message.substr(0, 256)}});
    if (++faults_ > kMaxFaults) {
        close_with(SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, "too many faulty messages");
    }
}

void SignallingSocket::text_received(std::string_view text) {
    const auto message = schema::parse_untrusted(text);
    if (!message) {
        refuse("bad_message", "the message is " + message.error());
        return;
    }
    const json type = message->is_object() ? message->value("type", json()) : json();
    const auto known =
        type.is_string() ? client_messages().find(type.get<std::string>()) : client_messages().end();
    if (known == client_messages().end()) {
        refuse("bad_message", "unknown message type");
        return;
    }
    const auto findings = known->second.check(*message);
    if (!findings.empty()) {
        refuse("bad_message", findings.front().pointer + ": " + findings.front().message);
        return;
    }
    handler_.on_message(*this, *message);
}

void SignallingSocket::too_big() {
    send({{"type", "error"}, {"code", "too_big"}, {"message", "messages are limited to 64 KiB"}});
}

void SignallingSocket::closed() {
    handler_.on_closed(*this);
}

}  // namespace vmr::api
