#include "daemon/media/transport/udp_channel.hpp"

#include <netinet/in.h>
#include <netinet/ip.h>

#include <algorithm>
#include <cstring>

namespace vmr::media {

namespace {

constexpr int kReceiveBufferBytes = 512 * 1024;
constexpr size_t kMostChecked = 16;  // addresses of a peer that does ICE

// RFC 5761 section 4
bool is_rtcp_type(Bytes datagram) {
    return datagram.size() > 1 && datagram[0] >> 6 == 2 && datagram[1] >= 192 && datagram[1] <= 223;
}

void set_option(GSocket* socket, int level, int option, int value) {
    // Not fatal: a socket without its marking or its large buffer still works.
    if (setsockopt(g_socket_get_fd(socket), level, option, &value, sizeof value) != 0) {
        g_debug("setsockopt(%d, %d): %s", level, option, g_strerror(errno));
    }
}

}  // namespace

void UdpChannel::Address::set(const sockaddr_storage& from, socklen_t size) {
    length = std::min<socklen_t>(size, sizeof storage);
    std::memcpy(&storage, &from, length);
}

bool UdpChannel::Address::same_host(const Address& other) const {
    if (length == 0 || storage.ss_family != other.storage.ss_family) {
        return false;
    }
    if (storage.ss_family == AF_INET) {
        const auto& a = reinterpret_cast<const sockaddr_in&>(storage);
        const auto& b = reinterpret_cast<const sockaddr_in&>(other.storage);
        return a.sin_addr.s_addr == b.sin_addr.s_addr;
    }
    const auto& a = reinterpret_cast<const sockaddr_in6&>(storage);
    const auto& b = reinterpret_cast<const sockaddr_in6&>(other.storage);
    return std::memcmp(&a.sin6_addr, &b.sin6_addr, sizeof a.sin6_addr) == 0;
}

bool UdpChannel::Address::operator==(const Address& other) const {
    // sin_port and sin6_port are at the same place.
    return same_host(other) && reinterpret_cast<const sockaddr_in&>(storage).sin_port ==
                                   reinterpret_cast<const sockaddr_in&>(other.storage).sin_port;
}

UdpChannel::UdpChannel(std::shared_ptr<MediaIo> io, const UdpParams& params, ChannelEvents& events)
    : io_(std::move(io)), params_(params), events_(events), mux_(params.rtcp_mux) {
    if (params_.ice_lite) {
        responder_.emplace();
    }
}

UdpChannel::~UdpChannel() {
    stop();
}

Result<std::unique_ptr<UdpChannel>> UdpChannel::open(std::shared_ptr<MediaIo> io, const UdpParams& params,
                                                     ChannelEvents& events) {
    if (params.port_min > params.port_max || params.dscp > 63) {
        return Error{"bad UDP port range or DSCP"};
    }
    auto address = GPtr<GInetAddress>::adopt(g_inet_address_new_from_string(params.local_address.c_str()));
    if (!address) {
        return Error{"not an IP address: " + params.local_address};
    }
    std::unique_ptr<UdpChannel> channel(new UdpChannel(std::move(io), params, events));
    if (params.fixed_port != 0) {
        if (!channel->bind_pair(params.fixed_port, address.get()) || !channel->attach()) {
            return Error{"the UDP port is not free"};
        }
        return channel;
    }
    const unsigned first = (params.port_min + 1u) & ~1u;
    const unsigned pairs = params.port_max >= first ? (params.port_max - first + 2) / 2 : 0;
    // A random start: ports are neither predictable nor reused at once.
    const unsigned start = pairs == 0 ? 0 : g_random_int_range(0, static_cast<gint32>(pairs));
    for (unsigned i = 0; i < pairs; i++) {
        const unsigned port = first + 2 * ((start + i) % pairs);
        if ((params.rtcp_mux || port + 1 <= params.port_max) && channel->bind_pair(port, address.get())) {
            if (!channel->attach()) {
                return Error{"no more sockets can be watched"};
            }
            return channel;
        }
    }
    return Error{"no free UDP port in the configured range"};
}

GPtr<GSocket> UdpChannel::bind_socket(GInetAddress* address, uint16_t port) {
    const GSocketFamily family = g_inet_address_get_family(address);
    auto socket =
        GPtr<GSocket>::adopt(g_socket_new(family, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, nullptr));
    if (!socket) {
        return nullptr;
    }
    g_socket_set_blocking(socket.get(), FALSE);
    auto local = GPtr<GSocketAddress>::adopt(g_inet_socket_address_new(address, port));
    if (!g_socket_bind(socket.get(), local.get(), FALSE, nullptr)) {
        return nullptr;
    }
    set_option(socket.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBufferBytes);
    if (family == G_SOCKET_FAMILY_IPV4) {
        set_option(socket.get(), IPPROTO_IP, IP_TOS, params_.dscp << 2);
    } else {
        set_option(socket.get(), IPPROTO_IPV6, IPV6_TCLASS, params_.dscp << 2);
    }
    return socket;
}

bool UdpChannel::bind_pair(uint16_t rtp_port, GInetAddress* address) {
    GPtr<GSocket> rtp = bind_socket(address, rtp_port);
    GPtr<GSocket> rtcp;
    if (rtp && !params_.rtcp_mux) {
        rtcp = bind_socket(address, rtp_port + 1);
    }
    if (!rtp || (!params_.rtcp_mux && !rtcp)) {
        return false;
    }
    ports_ = {rtp_port, static_cast<uint16_t>(params_.rtcp_mux ? 0 : rtp_port + 1)};
    sockets_ = {rtp, rtcp};
    return true;
}

bool UdpChannel::attach() {
    bool attached = true;
    io_->run([&] {
        for (size_t i = 0; i < sockets_.size(); i++) {
            inlets_[i].channel = this;
            inlets_[i].index = i;
            attached = attached &&
                       (!sockets_[i] || io_->sockets().add(g_socket_get_fd(sockets_[i].get()), inlets_[i]));
        }
    });
    return attached;
}

void UdpChannel::stop() {
    io_->run([this] {
        for (const GPtr<GSocket>& socket : sockets_) {
            if (socket) {
                io_->sockets().remove(g_socket_get_fd(socket.get()));
            }
        }
    });
    std::lock_guard lock(mutex_);
    stopped_ = true;
}

Result<UdpChannel::Address> UdpChannel::resolve(const std::string& address, uint16_t port) {
    auto inet = GPtr<GInetAddress>::adopt(g_inet_address_new_from_string(address.c_str()));
    if (!inet || port == 0) {
        return Error{"the peer's media address is not an IP address with a port"};
    }
    auto socket_address = GPtr<GSocketAddress>::adopt(g_inet_socket_address_new(inet.get(), port));
    Address result;
    result.length = static_cast<socklen_t>(g_socket_address_get_native_size(socket_address.get()));
    if (!g_socket_address_to_native(socket_address.get(), &result.storage, sizeof result.storage, nullptr)) {
        return Error{"the peer's media address is not usable"};
    }
    return result;
}

std::pair<std::string, std::string> UdpChannel::ice_credentials() const {
    const std::lock_guard lock(mutex_);
    return responder_ ? std::pair(responder_->ufrag(), responder_->password())
                      : std::pair<std::string, std::string>();
}

Status UdpChannel::set_remote(const UdpRemote& remote) {
    const bool by_checks = responder_ && !remote.ice_ufrag.empty();
    const bool mux = remote.rtcp_mux || (by_checks && params_.rtcp_mux);  // checks find one socket only
    const uint16_t rtcp_port = remote.rtcp_port != 0 ? remote.rtcp_port : remote.rtp_port + 1;
    auto rtp = resolve(remote.address, remote.rtp_port);
    if (!rtp) {
        return Error{rtp.error()};
    }
    const int family = g_socket_get_family(sockets_[0].get());
    if (rtp->storage.ss_family != family && !by_checks) {
        return Error{"the peer's media address is of the other IP version"};
    }
    auto rtcp =
        mux ? rtp : resolve(remote.rtcp_address.empty() ? remote.address : remote.rtcp_address, rtcp_port);
    if (!rtcp || rtcp->storage.ss_family != family) {
        rtcp = Address{};  // that costs its reports, not the call
    }
    bool connected = true;
    {
        std::lock_guard lock(mutex_);
        mux_ = mux;
        comedia_ = remote.comedia;
        if (by_checks) {
            // A restart (RFC 8445 section 9): both sides change theirs; media goes on where it went.
            if (!peer_ufrag_.empty() && peer_ufrag_ != remote.ice_ufrag) {
                if (!remote.answers) {
                    responder_.emplace();
                }
                for (Peer& peer : peers_) {
                    peer.nominated_priority = 0;
                }
            }
            peer_ufrag_ = remote.ice_ufrag;
            connected = peers_[0].latched;
        } else {
            peer_ufrag_.clear();
            const std::array<Address, 2> addresses{*rtp, *rtcp};
            for (size_t i = 0; i < peers_.size(); i++) {
                if (!(peers_[i].signalled == addresses[i])) {
                    peers_[i] = {.signalled = addresses[i], .target = addresses[i]};
                }
            }
        }
    }
    if (connected) {
        io_->run([this] { events_.on_path_connected(); });
    }
    return Ok{};
}

bool UdpChannel::send(Component component, Bytes datagram) {
    Address target;
    size_t index = 0;
    {
        std::lock_guard lock(mutex_);
        index = index_of(component);
        target = peers_[index].target;
        if (stopped_ || target.length == 0) {
            return false;
        }
    }
    const GPtr<GSocket>& socket = sockets_[index] ? sockets_[index] : sockets_[0];
    // A full socket buffer loses the packet, as a full queue on the way would.
    return sendto(g_socket_get_fd(socket.get()), datagram.data(), datagram.size(),
                  MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&target.storage),
                  target.length) == static_cast<ssize_t>(datagram.size());
}

void UdpChannel::read(size_t index, const Datagram& datagram) {
    if (datagram.oversized) {
        events_.on_oversized_received();
        return;
    }
    if (datagram.bytes.empty()) {
        return;
    }
    current_index_ = index;
    current_.set(*datagram.from, datagram.from_length);
    if (params_.ice_lite && StunResponder::is_stun(datagram.bytes)) {
        take_check(datagram.bytes);
        return;
    }
    bool ours = false;
    {
        std::lock_guard lock(mutex_);
        // It does not tell where RTP comes from.
        current_index_ = !mux_ && is_rtcp_type(datagram.bytes) ? 1 : index;
        ours = is_peer(peers_[current_index_]);
    }
    if (ours) {
        events_.on_datagram_received(index == 0 ? Component::rtp : Component::rtcp, datagram.bytes);
    } else {
        events_.on_stranger_received();
    }
}

bool UdpChannel::is_peer(const Peer& peer) const {
    if (peer.target.length == 0) {
        return false;
    }
    if (peer.latched || !peer_ufrag_.empty()) {
        return current_ == peer.target || std::ranges::find(peer.checked, current_) != peer.checked.end();
    }
    return comedia_ || current_.same_host(peer.signalled);
}

// The first check that is the peer's tells where it is; which of its paths it takes, the one that nominates:
// of several, whose candidate has the highest priority (RFC 8445 section 8.1.1; who is older nominates all).
// Media may come from each of them (section 12).
void UdpChannel::take_check(Bytes datagram) {
    std::optional<StunResponder::Answer> answer;
    bool connected = false;
    {
        std::lock_guard lock(mutex_);
        answer = responder_->answer(datagram, peer_ufrag_, current_.storage);
        Peer& peer = peers_[current_index_];
        if (answer && answer->valid) {
            connected = !peer.latched && current_index_ == 0;
            note_check(peer, *answer);
        }
    }
    if (!answer) {
        events_.on_stranger_received();
        return;
    }
    sendto(g_socket_get_fd(sockets_[current_index_].get()), answer->bytes.data(), answer->bytes.size(),
           MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&current_.storage),
           current_.length);
    if (connected) {
        events_.on_path_connected();
    }
}

void UdpChannel::note_check(Peer& peer, const StunResponder::Answer& answer) {
    if (!peer.latched || (answer.nominated && answer.priority >= peer.nominated_priority)) {
        peer.signalled = peer.target = current_;
        peer.latched = true;
        peer.nominated_priority = answer.nominated ? answer.priority : 0;
    }
    if (std::ranges::find(peer.checked, current_) == peer.checked.end()) {
        if (peer.checked.size() >= kMostChecked) {
            peer.checked.erase(peer.checked.begin());
        }
        peer.checked.push_back(current_);
    }
}

void UdpChannel::accept_source() {
    std::lock_guard lock(mutex_);
    Peer& peer = peers_[current_index_];
    if (!peer.latched && peer_ufrag_.empty() && (comedia_ || current_.same_host(peer.signalled))) {
        peer.target = current_;
        peer.latched = true;
    }
}

bool UdpChannel::source_is_signalled() const {
    std::lock_guard lock(mutex_);
    return current_.same_host(peers_[current_index_].signalled);
}

}  // namespace vmr::media
