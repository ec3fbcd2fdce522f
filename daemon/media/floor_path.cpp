#include "daemon/media/floor_path.hpp"

#include <array>

#include "base/guard.hpp"
#include "daemon/media/floor_path_parts.hpp"

namespace vmr::media {

GPtr<GSocket> bind_in_range(const FloorPathParams& params, GSocketType type, std::uint16_t& port) {
    const auto address =
        GPtr<GInetAddress>::adopt(g_inet_address_new_from_string(params.local_address.c_str()));
    if (!address || params.port_min > params.port_max) {
        return nullptr;
    }
    const unsigned ports = params.port_max - params.port_min + 1U;
    const unsigned start = static_cast<unsigned>(g_random_int_range(0, static_cast<gint32>(ports)));
    for (unsigned i = 0; i < ports; ++i) {
        auto socket = GPtr<GSocket>::adopt(
            g_socket_new(g_inet_address_get_family(address.get()), type, G_SOCKET_PROTOCOL_DEFAULT, nullptr));
        if (!socket) {
            return nullptr;
        }
        g_socket_set_blocking(socket.get(), FALSE);
        port = static_cast<std::uint16_t>(params.port_min + (start + i) % ports);
        const auto local = GPtr<GSocketAddress>::adopt(g_inet_socket_address_new(address.get(), port));
        if (g_socket_bind(socket.get(), local.get(), FALSE, nullptr)) {
            return socket;
        }
    }
    return nullptr;
}

namespace {

constexpr unsigned kPauseMs = 50;
constexpr double kMostStrange = 2000;  // a second: datagrams that are only looked at

class UdpFloorPath final : public FloorPath {
public:
    UdpFloorPath(const FloorPathParams& params, Receive receive)
        : params_(params), receive_(std::move(receive)) {}
    ~UdpFloorPath() override {
        if (pause_ != 0) {
            g_source_remove(pause_);
        }
    }

    bool open() {
        socket_ = bind_in_range(params_, G_SOCKET_TYPE_DATAGRAM, port_);
        if (socket_) {
            watch();
        }
        return static_cast<bool>(socket_);
    }

    std::uint16_t port() const override { return port_; }

    void set_remote(const std::string& address, std::uint16_t port, bool) override {
        peer_ = GPtr<GSocketAddress>::adopt(g_inet_socket_address_new_from_string(address.c_str(), port));
    }

    void send(const std::string& bytes) override {
        if (peer_) {
            // Lost where it cannot be sent now: it is repeated until acknowledged.
            g_socket_send_to(socket_.get(), peer_.get(), bytes.data(), bytes.size(), nullptr, nullptr);
        }
    }

private:
    void watch() { watch_ = SocketWatch(socket_.get(), on_readable, this); }

    static gboolean on_readable(GSocket*, GIOCondition, gpointer self) {
        guard(nullptr, [self] { static_cast<UdpFloorPath*>(self)->read(); });
        return G_SOURCE_CONTINUE;
    }

    // A flood costs the control thread no more than the rate; what comes meanwhile is the kernel's to drop.
    void pause() {
        watch_ = {};
        pause_ = g_timeout_add(
            kPauseMs,
            [](gpointer data) -> gboolean {
                auto* self = static_cast<UdpFloorPath*>(data);
                self->pause_ = 0;
                guard(nullptr, [self] { self->watch(); });
                return G_SOURCE_REMOVE;
            },
            this);
    }

    void read() {
        std::array<char, bfcp::kMaxMessage + 1> bytes;
        GSocketAddress* from = nullptr;
        const gssize size =
            g_socket_receive_from(socket_.get(), &from, bytes.data(), bytes.size(), nullptr, nullptr);
        const auto source = GPtr<GSocketAddress>::adopt(from);
        const bool fits = size > 0 && static_cast<std::size_t>(size) <= bfcp::kMaxMessage && source;
        const std::string_view message(bytes.data(), fits ? static_cast<std::size_t>(size) : 0);
        const bool ours = fits && is_peers(params_, message);
        if (!(ours ? rate_ : strangers_).take(SteadyTime::clock::now())) {
            return pause();
        }
        if (ours) {
            peer_ = source;  // behind a NAT it is not where signalling said
            receive_(message);
        }
    }

    const FloorPathParams params_;
    const Receive receive_;
    GPtr<GSocket> socket_;
    SocketWatch watch_;
    unsigned pause_ = 0;
    std::uint16_t port_ = 0;
    GPtr<GSocketAddress> peer_;
    TokenBucket rate_ = floor_rate(SteadyTime::clock::now());
    TokenBucket strangers_{kMostStrange, kMostStrange, SteadyTime::clock::now()};
};

}  // namespace

Result<std::unique_ptr<FloorPath>> open_udp_floor_path(const FloorPathParams& params,
                                                       FloorPath::Receive receive) {
    auto path = std::make_unique<UdpFloorPath>(params, std::move(receive));
    if (!path->open()) {
        return Error{"no free UDP port for floor control"};
    }
    return std::unique_ptr<FloorPath>(std::move(path));
}

}  // namespace vmr::media
