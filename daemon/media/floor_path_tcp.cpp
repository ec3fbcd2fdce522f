// BFCP over TCP (RFC 8855 section 6.2): messages follow one another on the connection.
#include <algorithm>
#include <array>
#include <list>

#include "base/guard.hpp"
#include "daemon/media/floor_path_parts.hpp"

namespace vmr::media {
namespace {

constexpr guint kConnectSeconds = 10;
constexpr std::size_t kMaxConnections = 4;  // that have not shown yet whose they are

class TcpFloorPath final : public FloorPath {
public:
    TcpFloorPath(const FloorPathParams& params, Receive receive)
        : params_(params), receive_(std::move(receive)) {}
    ~TcpFloorPath() override { g_cancellable_cancel(connecting_.get()); }

    bool listen() {
        listener_ = bind_in_range(params_, G_SOCKET_TYPE_STREAM, port_);
        if (!listener_ || !g_socket_listen(listener_.get(), nullptr)) {
            return false;
        }
        listening_ = SocketWatch(listener_.get(), on_acceptable, this);
        return true;
    }
    void be_active() {
        active_ = true;
        port_ = 9;  // RFC 4145 section 4.1: we do not listen
    }

    std::uint16_t port() const override { return port_; }

    bool connected() const override { return peer_ != nullptr; }

    void set_remote(const std::string& address, std::uint16_t port, bool keep) override {
        if (!active_ || (keep && (peer_ != nullptr || connecting_))) {
            return;
        }
        const auto remote =
            GPtr<GSocketAddress>::adopt(g_inet_socket_address_new_from_string(address.c_str(), port));
        if (!remote) {
            return;
        }
        g_cancellable_cancel(connecting_.get());
        peer_ = nullptr;
        connections_.clear();
        const auto client = GPtr<GSocketClient>::adopt(g_socket_client_new());
        g_socket_client_set_enable_proxy(client.get(), FALSE);
        g_socket_client_set_timeout(client.get(), kConnectSeconds);
        connecting_ = GPtr<GCancellable>::adopt(g_cancellable_new());
        g_socket_client_connect_async(client.get(), G_SOCKET_CONNECTABLE(remote.get()), connecting_.get(),
                                      on_connected, this);
    }

    void send(const std::string& bytes) override {
        if (peer_ == nullptr) {
            return;
        }
        // Messages are small: a peer whose window is full does not read.
        const gssize sent = g_socket_send(peer_->socket.get(), bytes.data(), bytes.size(), nullptr, nullptr);
        if (sent != static_cast<gssize>(bytes.size())) {
            drop(*peer_);
        }
    }

private:
    struct Connection {
        TcpFloorPath* path;
        GPtr<GSocket> socket;
        SocketWatch watch;
        std::string unread;
        bool dropped = false;
    };

    static gboolean on_acceptable(GSocket*, GIOCondition, gpointer data) {
        auto* self = static_cast<TcpFloorPath*>(data);
        guard(nullptr, [self] {
            const auto socket =
                GPtr<GSocket>::adopt(g_socket_accept(self->listener_.get(), nullptr, nullptr));
            if (socket) {
                self->add(socket);
            }
        });
        return G_SOURCE_CONTINUE;
    }

    static void on_connected(GObject* client, GAsyncResult* result, gpointer data) {
        GError* error = nullptr;
        const auto connection = GPtr<GSocketConnection>::adopt(
            g_socket_client_connect_finish(G_SOCKET_CLIENT(client), result, &error));
        auto* self = static_cast<TcpFloorPath*>(data);
        if (!connection) {
            if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {  // else the path may be gone
                g_info("floor control: no connection: %s", error->message);
                self->connecting_.reset();
            }
            g_error_free(error);
            return;
        }
        guard(nullptr, [&] {
            self->connecting_.reset();
            g_socket_set_timeout(g_socket_connection_get_socket(connection.get()), 0);
            self->add(GPtr<GSocket>::ref(g_socket_connection_get_socket(connection.get())));
            self->peer_ = &self->connections_.back();
        });
    }

    void add(const GPtr<GSocket>& socket) {
        if (connections_.size() >= kMaxConnections) {
            const auto oldest = std::ranges::find_if(connections_, [this](auto& c) { return &c != peer_; });
            connections_.erase(oldest);
        }
        g_socket_set_blocking(socket.get(), FALSE);
        Connection& connection = connections_.emplace_back(Connection{this, socket, {}, {}});
        connection.watch = SocketWatch(socket.get(), on_readable, &connection);
    }

    static gboolean on_readable(GSocket*, GIOCondition, gpointer data) {
        auto* connection = static_cast<Connection*>(data);
        guard(nullptr, [connection] { connection->path->read(*connection); });
        return G_SOURCE_CONTINUE;
    }

    void read(Connection& connection) {
        std::array<char, bfcp::kMaxMessage> bytes;
        const gssize size =
            g_socket_receive(connection.socket.get(), bytes.data(), bytes.size(), nullptr, nullptr);
        if (size > 0) {
            connection.unread.append(bytes.data(), static_cast<std::size_t>(size));
        }
        while (!connection.dropped && size > 0 && take_message(connection)) {
        }
        if (size <= 0) {
            drop(connection);
        }
        connections_.remove_if([](const Connection& one) { return one.dropped; });
    }

    // False: there is no whole one. Bytes that cannot be a message of the peer end the connection.
    bool take_message(Connection& connection) {
        const auto length = bfcp::message_length(connection.unread);
        if (!length) {
            return false;
        }
        if (*length > bfcp::kMaxMessage || !is_peers(params_, connection.unread) ||
            !rate_.take(SteadyTime::clock::now())) {
            drop(connection);
            return false;
        }
        if (connection.unread.size() < *length) {
            return false;
        }
        const std::string message = connection.unread.substr(0, *length);
        connection.unread.erase(0, *length);
        peer_ = &connection;  // the latest is the one in use
        receive_(message);
        return true;
    }

    void drop(Connection& connection) {
        connection.dropped = true;
        connection.watch = SocketWatch();
        if (peer_ == &connection) {
            peer_ = nullptr;
        }
    }

    const FloorPathParams params_;
    const Receive receive_;
    bool active_ = false;
    std::uint16_t port_ = 0;
    GPtr<GSocket> listener_;
    SocketWatch listening_;
    GPtr<GCancellable> connecting_;
    std::list<Connection> connections_;
    Connection* peer_ = nullptr;
    TokenBucket rate_ = floor_rate(SteadyTime::clock::now());
};

}  // namespace

Result<std::unique_ptr<FloorPath>> open_tcp_floor_path(const FloorPathParams& params, bool passive,
                                                       FloorPath::Receive receive) {
    auto path = std::make_unique<TcpFloorPath>(params, std::move(receive));
    if (!passive) {
        path->be_active();
    } else if (!path->listen()) {
        return Error{"no free TCP port for floor control"};
    }
    return std::unique_ptr<FloorPath>(std::move(path));
}

}  // namespace vmr::media
