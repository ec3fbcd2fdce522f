// What both kinds of floor path are made of.
#pragma once
#include <gio/gio.h>

#include "base/gst_ptr.hpp"
#include "daemon/bfcp/message.hpp"
#include "daemon/media/floor_path.hpp"

namespace vmr::media {

// A GSource of a socket on the default main context, that goes with its owner.
class SocketWatch {
public:
    SocketWatch() = default;
    SocketWatch(GSocket* socket, GSocketSourceFunc callback, gpointer data) {
        source_ = g_socket_create_source(socket, G_IO_IN, nullptr);
        g_source_set_callback(source_, G_SOURCE_FUNC(callback), data, nullptr);
        g_source_attach(source_, nullptr);
    }
    SocketWatch(SocketWatch&& other) noexcept : source_(std::exchange(other.source_, nullptr)) {}
    SocketWatch& operator=(SocketWatch&& other) noexcept {
        std::swap(source_, other.source_);
        return *this;
    }
    ~SocketWatch() {
        if (source_ != nullptr) {
            g_source_destroy(source_);
            g_source_unref(source_);
        }
    }

private:
    GSource* source_ = nullptr;
};

inline bool is_peers(const FloorPathParams& params, std::string_view message) {
    const auto header = bfcp::parse_header(message);
    return header && header->conference == params.conference && header->user == params.user;
}

// Tries ports of the range from a random one on; null: none is free.
GPtr<GSocket> bind_in_range(const FloorPathParams& params, GSocketType type, std::uint16_t& port);

}  // namespace vmr::media
