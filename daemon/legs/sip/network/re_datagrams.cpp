#include "daemon/legs/sip/network/re_datagrams.hpp"

#include <algorithm>

#include "base/guard.hpp"
#include "daemon/legs/sip/network/marking.hpp"
#include "daemon/legs/sip/network/re_listeners.hpp"
#include "daemon/legs/sip/network/re_streams.hpp"

namespace vmr::sip {

Datagrams::~Datagrams() {
    for (const auto& socket : sockets_) {
        mem_deref(socket->udp);
    }
}

Result<Address> Datagrams::listen(const sa& local) {
    auto socket = std::make_unique<Socket>(
        Socket{this, sockets_.size(), nullptr, {}, sa_is_any(&local), sa_af(&local)});
    sa bound{};
    int error = listen_udp(&socket->udp, local, on_datagram_received, socket.get());
    error = error != 0 ? error : udp_local_get(socket->udp, &bound);
    if (error != 0) {
        mem_deref(socket->udp);
        return Error{"cannot listen on " + to_address(local).text() + ": " + g_strerror(error)};
    }
    udp_rxsz_set(socket->udp, kMaxMessage);
    (void)udp_sockbuf_set(socket->udp, 1 << 20);
    socket->local = to_address(bound);
    sockets_.push_back(std::move(socket));
    return to_address(bound);
}

void Datagrams::on_datagram_received(const sa* source, mbuf* data, void* arg) {
    const auto* socket = static_cast<Socket*>(arg);
    const std::string_view bytes(reinterpret_cast<const char*>(mbuf_buf(data)), mbuf_get_left(data));
    guard(nullptr, [&] { socket->owner->on_received_(socket->index, *source, bytes); });
}

Address Datagrams::local_of(std::size_t index, const sa& source) {
    const Socket& socket = *sockets_.at(index);
    if (!socket.any) {
        return socket.local;
    }
    if (local_ips_.size() > 256) {
        local_ips_.clear();
    }
    std::string& known = local_ips_[to_address(source).ip];
    if (known.empty()) {
        known = source_address_for(source);
    }
    return {known, socket.local.port};
}

Result<Flow> Datagrams::flow_to(const Address& to) {
    sa remote{};
    if (sa_set_str(&remote, to.ip.c_str(), to.port) != 0) {
        return Error{"not an address: " + to.text()};
    }
    for (const auto& socket : sockets_) {
        if (socket->family != sa_af(&remote)) {
            continue;
        }
        Flow flow;
        flow.remote = to;
        flow.local = local_of(socket->index, remote);
        if (flow.local.ip.empty()) {
            return Error{"no route to " + to.ip};
        }
        return flow;
    }
    return Error{"no UDP socket of this kind"};
}

void Datagrams::send(const Flow& flow, std::string_view bytes) const {
    sa remote{};
    mbuf* data = mbuf_alloc(bytes.size());
    if (data == nullptr || sa_set_str(&remote, flow.remote.ip.c_str(), flow.remote.port) != 0) {
        mem_deref(data);
        return;
    }
    (void)mbuf_write_mem(data, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    mbuf_set_pos(data, 0);
    for (const auto& socket : sockets_) {
        // Those of both families may have the same port.
        if (socket->family == sa_af(&remote) && socket->local.port == flow.local.port &&
            (socket->any || socket->local.ip == flow.local.ip)) {
            if (const int dscp = std::max(flow.dscp, 0); dscp != socket->dscp) {
                mark_socket(udp_sock_fd(socket->udp, socket->family), socket->family == AF_INET6, dscp);
                socket->dscp = dscp;
            }
            (void)udp_send(socket->udp, &remote, data);
            break;
        }
    }
    mem_deref(data);
}

}  // namespace vmr::sip
