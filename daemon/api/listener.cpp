#include "daemon/api/listener.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

#include "base/guard.hpp"
#include "base/source_network.hpp"

namespace vmr::api {

namespace {

constexpr unsigned kHandshakeSeconds = 10;  // TLS
constexpr unsigned kRequestSeconds = 15;    // from then to the whole request
constexpr std::uint64_t kHeaderBytes = 32 * 1024;
constexpr int kBacklog = 512;
constexpr const char* kTlsMark = "vmr-tls";

std::string text_of(GSocketAddress* address) {
    if (address == nullptr || !G_IS_INET_SOCKET_ADDRESS(address)) {
        return "?";
    }
    auto* inet = G_INET_SOCKET_ADDRESS(address);
    const GCharPtr host(g_inet_address_to_string(g_inet_socket_address_get_address(inet)));
    return std::string(host.get()) + "#" + std::to_string(g_inet_socket_address_get_port(inet));
}

std::string host_of(const std::string& text) {
    return text.substr(0, text.find('#'));
}

// Null, with `error` set, if the address is in use. IPv6 sockets take IPv6 alone: 0.0.0.0 and [::] can have
// one port.
GPtr<GSocket> listening_socket(GSocketAddress* address, GError** error) {
    const GSocketFamily family = g_socket_address_get_family(address);
    auto socket =
        GPtr<GSocket>::adopt(g_socket_new(family, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error));
    if (!socket) {
        return nullptr;
    }
    if (family == G_SOCKET_FAMILY_IPV6 &&
        !g_socket_set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, TRUE, error)) {
        return nullptr;
    }
    g_socket_set_listen_backlog(socket.get(), kBacklog);
    if (!g_socket_bind(socket.get(), address, TRUE, error) || !g_socket_listen(socket.get(), error)) {
        return nullptr;
    }
    return socket;
}

// GLib takes any pair, and then no handshake succeeds.
bool is_key_of(GTlsCertificate* certificate) {
    GByteArray *public_part = nullptr, *private_part = nullptr;
    g_object_get(certificate, "certificate", &public_part, "private-key", &private_part, nullptr);
    bool fits = false;
    if (public_part != nullptr && private_part != nullptr) {
        const unsigned char *encoded = public_part->data, *encoded_key = private_part->data;
        const std::unique_ptr<X509, decltype(&X509_free)> x509(
            d2i_X509(nullptr, &encoded, static_cast<long>(public_part->len)), X509_free);
        const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
            d2i_AutoPrivateKey(nullptr, &encoded_key, static_cast<long>(private_part->len)), EVP_PKEY_free);
        fits = x509 && key && X509_check_private_key(x509.get(), key.get()) == 1;
        ERR_clear_error();
    }
    if (private_part != nullptr) {
        OPENSSL_cleanse(private_part->data, private_part->len);
    }
    g_clear_pointer(&public_part, g_byte_array_unref);
    g_clear_pointer(&private_part, g_byte_array_unref);
    return fits;
}

const char* version_text(GTlsProtocolVersion version) {
    switch (version) {
        case G_TLS_PROTOCOL_VERSION_TLS_1_2:
            return "TLSv1.2";
        case G_TLS_PROTOCOL_VERSION_TLS_1_3:
            return "TLSv1.3";
        default:
            return "TLS";
    }
}

gboolean on_incoming(GSocketService*, GSocketConnection* connection, GObject* source, gpointer listener) {
    guard(nullptr, [&] {
        const bool tls = g_object_get_data(source, kTlsMark) != nullptr;
        static_cast<Listener*>(listener)->on_connection_accepted(connection, tls);
    });
    return TRUE;
}

struct Handshake {
    std::weak_ptr<Listener*> listener;
    std::string key;
};

void on_handshake_done(GObject* tls, GAsyncResult* result, gpointer data) {
    const std::unique_ptr<Handshake> handshake(static_cast<Handshake*>(data));
    const bool ok = g_tls_connection_handshake_finish(G_TLS_CONNECTION(tls), result, nullptr);
    if (const auto listener = handshake->listener.lock()) {
        guard(nullptr,
              [&] { (*listener)->on_handshake_finished(handshake->key, G_TLS_CONNECTION(tls), ok); });
    }
}

struct Watch {
    std::weak_ptr<Listener*> listener;
    std::string key;
    const Connection* connection;
};

// May run on any thread (the last reference decides): hop to the main context.
void on_stream_gone(gpointer data, GObject*) {
    g_idle_add_full(
        G_PRIORITY_DEFAULT,
        [](gpointer watch_data) -> gboolean {
            const auto* watch = static_cast<Watch*>(watch_data);
            if (const auto listener = watch->listener.lock()) {
                (*listener)->on_stream_finalized(watch->key, watch->connection);
            }
            return G_SOURCE_REMOVE;
        },
        data, [](gpointer watch_data) { delete static_cast<Watch*>(watch_data); });
}

}  // namespace

Connection::~Connection() {
    set_deadline(0);
}

void Connection::abort() {
    g_socket_shutdown(socket.get(), TRUE, TRUE, nullptr);
}

void Connection::set_deadline(unsigned seconds) {
    if (deadline_ != nullptr) {
        g_source_destroy(deadline_);
        g_source_unref(deadline_);
        deadline_ = nullptr;
    }
    if (seconds == 0) {
        return;
    }
    deadline_ = g_timeout_source_new_seconds(seconds);
    g_source_set_callback(
        deadline_,
        [](gpointer data) -> gboolean {
            auto& connection = *static_cast<Connection*>(data);
            connection.listener_->on_deadline_passed(connection);
            return G_SOURCE_REMOVE;
        },
        this, nullptr);
    g_source_attach(deadline_, nullptr);
}

Listener::Listener(SoupServer* server, const ServerOptions& options)
    : server_(server),
      options_(options),
      service_(GPtr<GSocketService>::adopt(g_socket_service_new())),
      self_(std::make_shared<Listener*>(this)) {
    incoming_ = SignalConnection(service_.get(), "incoming", G_CALLBACK(on_incoming), this);
}

Listener::~Listener() {
    stop();
}

void Listener::stop() {
    g_socket_service_stop(service_.get());
    g_socket_listener_close(G_SOCKET_LISTENER(service_.get()));
    const auto connections = std::move(connections_);
    connections_.clear();
    per_source_.clear();
    for (const auto& [key, connection] : connections) {
        connection->set_deadline(0);
        connection->abort();
    }
}

Status Listener::load_certificate(const std::string& certificate_file, const std::string& key_file) {
    GError* error = nullptr;
    auto certificate = GPtr<GTlsCertificate>::adopt(
        g_tls_certificate_new_from_files(certificate_file.c_str(), key_file.c_str(), &error));
    if (!certificate) {
        const std::string message = certificate_file + ": " + error->message;
        g_error_free(error);
        return Error{message};
    }
    if (!is_key_of(certificate.get())) {
        return Error{key_file + ": not the key of " + certificate_file};
    }
    certificate_ = std::move(certificate);
    return Ok{};
}

Status Listener::listen(const ListenAddress& address) {
    GInetAddress* inet = g_inet_address_new_from_string(address.address.c_str());
    if (inet == nullptr) {
        return Error{"not an IP address: " + address.address};
    }
    const auto wanted = GPtr<GSocketAddress>::adopt(g_inet_socket_address_new(inet, address.port));
    g_object_unref(inet);
    const auto mark = GPtr<GObject>::adopt(G_OBJECT(g_object_new(G_TYPE_OBJECT, nullptr)));
    g_object_set_data(mark.get(), kTlsMark, address.tls ? this : nullptr);
    GError* error = nullptr;
    const auto socket = listening_socket(wanted.get(), &error);
    if (!socket ||
        !g_socket_listener_add_socket(G_SOCKET_LISTENER(service_.get()), socket.get(), mark.get(), &error)) {
        const std::string message =
            address.address + " port " + std::to_string(address.port) + ": " + error->message;
        g_error_free(error);
        return Error{message};
    }
    const auto effective = GPtr<GSocketAddress>::adopt(g_socket_get_local_address(socket.get(), nullptr));
    const int port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(effective.get()));
    const bool v6 = address.address.find(':') != std::string::npos;
    urls_.push_back((address.tls ? "https://" : "http://") +
                    (v6 ? "[" + address.address + "]" : address.address) + ":" + std::to_string(port));
    return Ok{};
}

void Listener::on_connection_accepted(GSocketConnection* accepted, bool tls) {
    const auto remote =
        GPtr<GSocketAddress>::adopt(g_socket_connection_get_remote_address(accepted, nullptr));
    const auto local = GPtr<GSocketAddress>::adopt(g_socket_connection_get_local_address(accepted, nullptr));
    auto connection = std::make_shared<Connection>();
    connection->address = host_of(text_of(remote.get()));
    connection->source = source_network(connection->address);
    connection->key = text_of(remote.get()) + " " + text_of(local.get());
    connection->socket = GPtr<GSocket>::ref(g_socket_connection_get_socket(accepted));
    connection->budget = std::make_shared<StreamBudget>();
    connection->budget->read_left = kHeaderBytes + options_.max_body;
    connection->listener_ = this;
    if (const auto before = connections_.find(connection->key); before != connections_.end()) {
        on_stream_finalized(connection->key, before->second.get());  // reset, and not yet noticed
    }
    std::size_t& of_source = per_source_[connection->source];
    if (!remote || connections_.size() >= options_.max_connections ||
        of_source >= options_.max_connections_per_source || (tls && !certificate_)) {
        ++refused_;
        if (of_source == 0) {
            per_source_.erase(connection->source);
        }
        g_io_stream_close(G_IO_STREAM(accepted), nullptr, nullptr);
        return;
    }
    ++of_source;
    g_socket_set_option(connection->socket.get(), IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
    connections_[connection->key] = connection;
    connection->set_deadline(tls ? kHandshakeSeconds : kRequestSeconds);
    if (!tls) {
        hand_over(connection, G_IO_STREAM(accepted));
        return;
    }
    const auto stream = GPtr<GIOStream>::adopt(
        g_tls_server_connection_new(G_IO_STREAM(accepted), certificate_.get(), nullptr));
    if (!stream) {
        on_stream_finalized(connection->key, connection.get());
        return;
    }
    const char* protocols[] = {"http/1.1", nullptr};
    g_tls_connection_set_advertised_protocols(G_TLS_CONNECTION(stream.get()), protocols);
    g_tls_connection_handshake_async(G_TLS_CONNECTION(stream.get()), G_PRIORITY_DEFAULT, nullptr,
                                     on_handshake_done, new Handshake{self_, connection->key});
}

void Listener::on_handshake_finished(const std::string& key, GTlsConnection* tls, bool ok) {
    const auto found = connections_.find(key);
    if (found == connections_.end()) {
        return;
    }
    const ConnectionPtr connection = found->second;
    if (!ok || connection->expired_) {
        connection->abort();
        on_stream_finalized(key, connection.get());
        return;
    }
    connection->secure = true;
    connection->tls_version = version_text(g_tls_connection_get_protocol_version(tls));
    const GCharPtr suite(g_tls_connection_get_ciphersuite_name(tls));
    connection->tls_suite = suite ? suite.get() : "";
    connection->set_deadline(kRequestSeconds);
    hand_over(connection, G_IO_STREAM(tls));
}

void Listener::hand_over(const ConnectionPtr& connection, GIOStream* base) {
    const auto stream = make_limited_stream(base, connection->budget);
    g_object_weak_ref(G_OBJECT(stream.get()), on_stream_gone,
                      new Watch{self_, connection->key, connection.get()});
    const auto remote =
        GPtr<GSocketAddress>::adopt(g_socket_get_remote_address(connection->socket.get(), nullptr));
    const auto local =
        GPtr<GSocketAddress>::adopt(g_socket_get_local_address(connection->socket.get(), nullptr));
    if (!remote || !local ||
        !soup_server_accept_iostream(server_, stream.get(), local.get(), remote.get(), nullptr)) {
        connection->abort();
    }
}

void Listener::on_stream_finalized(const std::string& key, const Connection* connection) {
    const auto found = connections_.find(key);
    if (found == connections_.end() || found->second.get() != connection) {
        return;
    }
    const auto source = per_source_.find(connection->source);
    if (source != per_source_.end() && --source->second == 0) {
        per_source_.erase(source);
    }
    connections_.erase(found);
}

void Listener::on_deadline_passed(Connection& connection) {
    connection.expired_ = true;
    connection.abort();
}

ConnectionPtr Listener::find(SoupServerMessage* message) const {
    const std::string key = text_of(soup_server_message_get_remote_address(message)) + " " +
                            text_of(soup_server_message_get_local_address(message));
    const auto found = connections_.find(key);
    return found != connections_.end() ? found->second : nullptr;
}

}  // namespace vmr::api
