#include "daemon/media/local_address.hpp"

#include <gio/gio.h>

#include <algorithm>

#include "base/gst_ptr.hpp"

namespace vmr::media {

std::string route_to(const std::string& remote) {
    auto address = GPtr<GSocketAddress>::adopt(g_inet_socket_address_new_from_string(remote.c_str(), 9));
    if (!address) {
        return "127.0.0.1";
    }
    auto socket = GPtr<GSocket>::adopt(g_socket_new(g_socket_address_get_family(address.get()),
                                                    G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, nullptr));
    if (!socket || !g_socket_connect(socket.get(), address.get(), nullptr, nullptr)) {
        return "127.0.0.1";
    }
    auto local = GPtr<GSocketAddress>::adopt(g_socket_get_local_address(socket.get(), nullptr));
    const GCharPtr text(
        g_inet_address_to_string(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(local.get()))));
    return text.get();
}

std::vector<std::string> AdvertisedAddresses::all() const {
    std::vector<std::string> addresses{ipv4, ipv6};
    std::erase(addresses, "");
    return addresses;
}

std::string AdvertisedAddresses::for_peer(const std::string& heard_from, const std::string& described) const {
    const std::string& peer = described.empty() ? heard_from : described;
    const std::string& ours = address_bytes(peer).size() == 16 ? ipv6 : ipv4;
    return ours.empty() || (is_local(heard_from) && is_local(peer)) ? route_to(peer) : ours;
}

bool AdvertisedAddresses::is_local(const std::string& address) const {
    return std::ranges::any_of(local_networks,
                               [&](const Cidr& network) { return network.contains(address); });
}

}  // namespace vmr::media
