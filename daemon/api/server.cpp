#include "daemon/api/server.hpp"

#include "base/guard.hpp"
#include "base/main_context.hpp"
#include "daemon/api/portal_files.hpp"
#include "daemon/api/server_impl.hpp"
#include "schemas/validator.hpp"

namespace vmr::api {

namespace {

constexpr unsigned kRefusalSeconds = 3;     // libsoup reads a refused body to its end before it answers
constexpr unsigned kResponseSeconds = 120;  // for a slow reader of a file

void on_early(SoupServer*, SoupServerMessage* message, const char* path, GHashTable*, gpointer self) {
    guard(nullptr, [&] { static_cast<Server::Impl*>(self)->on_headers_read(message, path); });
}

void on_request(SoupServer*, SoupServerMessage* message, const char* path, GHashTable*, gpointer self) {
    guard(nullptr, [&] { static_cast<Server::Impl*>(self)->on_request_read(message, path); });
}

void on_websocket(SoupServer*, SoupServerMessage* message, const char* path, SoupWebsocketConnection* socket,
                  gpointer self) {
    guard(nullptr, [&] { static_cast<Server::Impl*>(self)->on_websocket_opened(message, path, socket); });
}

// The Host header goes into the policy: only what a host may look like.
bool plain_host(std::string_view host) {
    return !host.empty() && host.size() <= 255 &&
           host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") ==
               std::string_view::npos;
}

}  // namespace

std::string header_of(SoupServerMessage* message, const char* name) {
    const char* value = soup_message_headers_get_one(soup_server_message_get_request_headers(message), name);
    return value != nullptr ? value : "";
}

Server::Server(ServerOptions options, Control& control, TokenStore& tokens, EventHub& events,
               SignallingHandler* signalling)
    : impl_(std::make_unique<Impl>(std::move(options), control, tokens, events, signalling)) {}

Server::~Server() = default;

Status Server::start() {
    return impl_->start();
}

Status Server::reload_certificate() {
    if (impl_->options_.certificate_file.empty()) {
        return Ok{};
    }
    return impl_->listener_->load_certificate(impl_->options_.certificate_file, impl_->options_.key_file);
}

void Server::set_draining(bool draining) {
    impl_->draining_ = draining;
}

void Server::stop() {
    impl_->stop();
}

std::vector<std::string> Server::urls() const {
    return impl_->listener_->urls();
}

void Server::set_metrics_provider(std::function<std::string()> provider) {
    impl_->metrics_ = std::move(provider);
}

void Server::set_device_login(std::function<bool(const std::string& name, const std::string& secret)> login) {
    impl_->device_login_ = std::move(login);
}

Server::Impl::Impl(ServerOptions options, Control& control, TokenStore& tokens, EventHub& events,
                   SignallingHandler* signalling)
    : options_(std::move(options)),
      control_(control),
      tokens_(tokens),
      events_(events),
      signalling_(signalling),
      router_(schema::embedded("api/openapi.json")),
      // raw-paths: the router decodes each segment by itself, so that %2F does not split one.
      soup_(GPtr<SoupServer>::adopt(soup_server_new("raw-paths", TRUE, nullptr))),
      listener_(std::make_unique<Listener>(soup_.get(), options_)),
      requests_(options_.requests_per_second, options_.request_burst),
      wrong_logins_(kWrongLoginsPerSecond, kWrongLoginBurst),
      self_(std::make_shared<Impl*>(this)) {
    // From the main loop: who revokes may have something to say on the socket first.
    tokens_.set_on_revoked([server = std::weak_ptr(self_)] {
        call_on_main([server] {
            if (const auto alive = server.lock()) {
                (*alive)->check_bearers();
            }
        });
    });
    // No compression of messages: it could be bombed, and secrets beside chosen text leak by length.
    soup_server_remove_websocket_extension(soup_.get(), SOUP_TYPE_WEBSOCKET_EXTENSION_DEFLATE);
    soup_server_add_early_handler(soup_.get(), nullptr, on_early, this, nullptr);
    soup_server_add_handler(soup_.get(), nullptr, on_request, this, nullptr);
    char events_protocol[] = "vmr.events";
    char signalling_protocol[] = "vmr.webrtc";
    char* for_events[] = {events_protocol, nullptr};
    char* for_signalling[] = {signalling_protocol, nullptr};
    for (const auto& [path, protocols] :
         {std::pair("/api/v1/events", for_events), std::pair("/api/v1/legs/webrtc", for_signalling)}) {
        soup_server_add_early_handler(soup_.get(), path, on_early, this, nullptr);
        soup_server_add_websocket_handler(soup_.get(), path, nullptr, protocols, on_websocket, this, nullptr);
    }
}

Server::Impl::~Impl() {
    tokens_.set_on_revoked(nullptr);
    stop();
}

Status Server::Impl::start() {
    if (!options_.certificate_file.empty()) {
        if (Status loaded = listener_->load_certificate(options_.certificate_file, options_.key_file);
            !loaded) {
            return loaded;
        }
    }
    for (const ListenAddress& address : options_.listen) {
        if (address.tls && options_.certificate_file.empty()) {
            return Error{"HTTPS on " + address.address + " needs a certificate"};
        }
        if (Status listening = listener_->listen(address); !listening) {
            return listening;
        }
    }
    return Ok{};
}

void Server::Impl::stop() {
    const auto sockets = websockets_;
    for (const auto& socket : sockets) {
        socket->close_with(SOUP_WEBSOCKET_CLOSE_GOING_AWAY, "the server stops");
        socket->on_socket_closed();
    }
    websockets_.clear();
    listener_->stop();
    soup_server_disconnect(soup_.get());
}

void Server::Impl::set_headers(SoupServerMessage* message, const ConnectionPtr& connection) const {
    SoupMessageHeaders* headers = soup_server_message_get_response_headers(message);
    // libsoup 3.2 leaks a descriptor for each kept connection that the client closes.
    soup_message_headers_replace(headers, "Connection", "close");
    const std::string host = header_of(message, "Host");
    const std::string sockets = plain_host(host) ? " ws://" + host + " wss://" + host : "";
    const std::string policy =
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "media-src 'self' blob: mediastream:; worker-src 'self' blob:; connect-src 'self'" +
        sockets + "; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    soup_message_headers_replace(headers, "Content-Security-Policy", policy.c_str());
    soup_message_headers_replace(headers, "X-Content-Type-Options", "nosniff");
    soup_message_headers_replace(headers, "X-Frame-Options", "DENY");
    soup_message_headers_replace(headers, "Referrer-Policy", "no-referrer");
    soup_message_headers_replace(headers, "Cross-Origin-Opener-Policy", "same-origin");
    soup_message_headers_replace(headers, "Cross-Origin-Resource-Policy", "same-origin");
    soup_message_headers_replace(
        headers, "Permissions-Policy",
        "camera=(self), microphone=(self), display-capture=(self), "
        "speaker-selection=(self), fullscreen=(self), geolocation=(), payment=(), usb=()");
    if (connection && connection->secure) {
        soup_message_headers_replace(headers, "Strict-Transport-Security", "max-age=31536000");
    }
}

void Server::Impl::on_headers_read(SoupServerMessage* message, std::string_view path) {
    const ConnectionPtr connection = listener_->find(message);
    set_headers(message, connection);
    if (!connection) {
        answer(message, problem(503));
        return;
    }
    if (!requests_.take(connection->source, std::chrono::steady_clock::now())) {
        ++rate_limited_;
        soup_message_headers_replace(soup_server_message_get_response_headers(message), "Retry-After", "2");
        answer(message, problem(429, "too many requests from this address"));
        return;
    }
    SoupMessageHeaders* headers = soup_server_message_get_request_headers(message);
    if (soup_message_headers_get_encoding(headers) == SOUP_ENCODING_CHUNKED) {
        connection->set_deadline(kRefusalSeconds);
        answer(message, problem(411, "send a Content-Length"));
        return;
    }
    const goffset length = soup_message_headers_get_content_length(headers);
    if (length < 0 || static_cast<std::uint64_t>(length) > options_.max_body) {
        connection->set_deadline(kRefusalSeconds);
        connection->budget->read_left = 2 * 1024 * 1024;  // a client that sends on must still see the answer
        answer(message, problem(413, "the body is over " + std::to_string(options_.max_body) + " bytes"));
        return;
    }
    if (path == "/api/v1/events" || path == "/api/v1/legs/webrtc") {
        if (const auto refused = check_websocket(message, path, connection)) {
            answer(message, *refused);
        }
    }
}

void Server::Impl::on_request_read(SoupServerMessage* message, std::string_view path) {
    const ConnectionPtr connection = listener_->find(message);
    if (!connection) {
        answer(message, problem(503));
        return;
    }
    connection->set_deadline(kResponseSeconds);
    if (path.starts_with(std::string(kApiPrefix) + "/")) {
        handle_api(message, path.substr(kApiPrefix.size()), connection);
    } else if (path == "/api" || path.starts_with("/api/")) {
        answer(message, problem(404));  // another version, or none: no page of the portal
    } else if (refuses_method(message)) {
        return;
    } else if (path == "/healthz") {
        soup_server_message_set_status(message, draining_ ? 503 : 200, nullptr);
        const std::string_view text = draining_ ? "draining\n" : "ok\n";
        soup_server_message_set_response(message, "text/plain", SOUP_MEMORY_COPY, text.data(), text.size());
    } else if (path == "/metrics") {
        handle_metrics(message, connection);
    } else {
        handle_portal(message, path);
    }
}

// What is not of the API is only read.
bool Server::Impl::refuses_method(SoupServerMessage* message) {
    const std::string_view method = soup_server_message_get_method(message);
    if (method == "GET" || method == "HEAD") {
        return false;
    }
    soup_message_headers_replace(soup_server_message_get_response_headers(message), "Allow", "GET, HEAD");
    answer(message, problem(405));
    return true;
}

void Server::Impl::handle_portal(SoupServerMessage* message, std::string_view path) {
    const auto file = find_portal_file(options_.portal_prefix, path);
    if (!file) {
        answer(message, problem(404));
        return;
    }
    SoupMessageHeaders* headers = soup_server_message_get_response_headers(message);
    soup_message_headers_replace(headers, "Cache-Control",
                                 file->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    soup_message_headers_set_content_type(headers, file->type.c_str(), nullptr);
    soup_server_message_set_status(message, 200, nullptr);
    soup_message_body_append_bytes(soup_server_message_get_response_body(message), file->content.get());
}

}  // namespace vmr::api
