#include "daemon/legs/sip/network/re_streams.hpp"

#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "base/guard.hpp"
#include "base/source_network.hpp"
#include "daemon/legs/sip/network/marking.hpp"
#include "daemon/legs/sip/network/re_listeners.hpp"
#include "daemon/legs/sip/network/re_tls.hpp"

namespace vmr::sip {
namespace {
constexpr std::size_t kMaxUnsent = 524288;  // bytes that a peer who does not read may pin
}  // namespace

Address to_address(const sa& address) {
    char text[64] = {};
    (void)sa_ntop(&address, text, sizeof text);
    return {text, sa_port(&address)};
}

std::string source_address_for(const sa& remote) {
    const int descriptor = ::socket(sa_af(&remote), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return {};
    }
    sa local{};
    local.len = sizeof local.u;
    const bool known = ::connect(descriptor, &remote.u.sa, remote.len) == 0 &&
                       ::getsockname(descriptor, &local.u.sa, &local.len) == 0;
    ::close(descriptor);
    return known ? to_address(local).ip : std::string();
}

Streams::Streams(const StackConfig& config, StackStatistics& statistics, Handlers handlers)
    : config_(config),
      statistics_(statistics),
      handlers_(std::move(handlers)),
      handshakes_(config.handshakes_per_second,
                  std::max<double>(config.max_connections_per_source, config.handshakes_per_second)) {
    tmr_init(&held_timer_);
}

Streams::~Streams() {
    tmr_cancel(&held_timer_);
    for (const auto& listener : listeners_) {
        mem_deref(listener->socket);
    }
    while (!connections_.empty()) {
        erase(connections_.begin()->first);
    }
}

Result<Address> Streams::listen(const sa& local, Transport transport, TlsContext tls) {
    auto listener = std::make_unique<Listener>(Listener{this, transport, std::move(tls), nullptr, {}});
    int error = listen_tcp(&listener->socket, local, on_tcp_accepted, listener.get());
    sa bound{};
    error = error != 0 ? error : tcp_sock_local_get(listener->socket, &bound);
    if (error != 0) {
        mem_deref(listener->socket);
        return Error{"cannot listen on " + to_address(local).text() + ": " + g_strerror(error)};
    }
    listener->bound = to_address(bound);
    listeners_.push_back(std::move(listener));
    return to_address(bound);
}

void Streams::on_tcp_accepted(const sa* peer, void* arg) {
    auto* listener = static_cast<Listener*>(arg);
    guard(nullptr, [&] { listener->owner->accept(*listener, *peer); });
}

bool Streams::has_place(const Listener& listener, const Address& remote) {
    const std::string source = source_network(remote.ip);
    const auto known = per_source_.find(source);
    return !handlers_.is_banned(remote.ip) &&
           connections_.size() < static_cast<std::size_t>(config_.max_connections) &&
           (known == per_source_.end() || known->second < config_.max_connections_per_source) &&
           (!listener.tls || handlers_.is_trusted(remote.ip) ||
            handshakes_.take(source, std::chrono::steady_clock::now()));
}

// Before TLS: tells who began a handshake from who only looked whether the port is open.
bool Streams::on_bytes_received(int* /*error*/, mbuf* /*data*/, bool* /*established*/, void* arg) {
    static_cast<Connection*>(arg)->began = true;
    return false;
}

int Streams::start_tls(Connection& connection, struct tls* tls) {
    constexpr int kBelowTls = -1;  // libre's is 0
    const int error = tls_start_tcp(&connection.tls, tls, connection.tcp, 0);
    return error != 0 ? error
                      : tcp_register_helper(nullptr, connection.tcp, kBelowTls, nullptr, nullptr,
                                            on_bytes_received, &connection);
}

void Streams::fail_handshake(const Connection& connection, bool declined) {
    if (connection.established || connection.closing) {
        return;
    }
    ++statistics_.handshakes_failed;
    if (!connection.ours && connection.began && !declined) {
        handlers_.on_handshake_failed(connection.flow);
    }
}

void Streams::accept(Listener& listener, const sa& peer) {
    const Address remote = to_address(peer);
    if (!has_place(listener, remote)) {
        ++statistics_.connections_refused;
        tcp_reject(listener.socket);
        return;
    }
    auto connection = std::make_unique<Connection>();
    connection->owner = this;
    connection->idle_timeout_ms = config_.idle_timeout_ms;
    connection->flow.transport = listener.transport;
    connection->flow.remote = remote;
    connection->flow.connection = next_id_++;
    int error = tcp_accept(&connection->tcp, listener.socket, on_established, on_data_received, on_closed,
                           connection.get());
    if (error != 0) {
        ++statistics_.connections_refused;
        tcp_reject(listener.socket);
        return;
    }
    if (listener.tls) {
        error = start_tls(*connection, listener.tls());
    } else {
        connection->established = true;
    }
    sa local{};
    if (error != 0 || tcp_conn_local_get(connection->tcp, &local) != 0) {
        mem_deref(connection->tls);
        mem_deref(connection->tcp);
        return;
    }
    const int at_once = 1;  // a 100 and a 200 in a row must not wait for each other (Nagle)
    (void)::setsockopt(tcp_conn_fd(connection->tcp), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    connection->flow.local = to_address(local);
    tcp_conn_txqsz_set(connection->tcp, kMaxUnsent);
    tmr_init(&connection->timer);
    tmr_start(&connection->timer, static_cast<std::uint64_t>(config_.first_message_timeout_ms),
              on_timer_expired, connection.get());
    ++per_source_[source_network(remote.ip)];
    const std::uint64_t id = connection->flow.connection;
    connections_.emplace(id, std::move(connection));
    statistics_.connections = static_cast<int>(connections_.size());
}

void Streams::on_established(void* arg) {
    auto* connection = static_cast<Connection*>(arg);
    guard(nullptr, [&] {
        Streams* owner = connection->owner;
        if (connection->tls != nullptr && !owner->take_handshake(*connection)) {
            owner->fail_handshake(*connection, false);
            owner->tell_waiting(*connection, Error{"the certificate is not " + connection->host + "'s"});
            owner->close_later(*connection);
            return;
        }
        connection->established = true;
        if (connection->ours) {
            tmr_start(&connection->timer, static_cast<std::uint64_t>(connection->idle_timeout_ms),
                      on_timer_expired, connection);
            owner->tell_waiting(*connection, connection->flow);
        }
    });
}

// False: it is not who was called.
bool Streams::take_handshake(Connection& connection) {
    HandshakeResult handshake = take_last_handshake();
    connection.flow.protection = std::move(handshake.protection);
    connection.flow.peer_certificate = std::move(handshake.peer_certificate);
    connection.flow.peer_domains = std::move(handshake.domains);
    return !connection.ours || is_certificate_of(connection.flow.peer_domains, connection.host);
}

void Streams::tell_waiting(Connection& connection, const Result<Flow>& outcome) {
    const std::vector<OnOpened> waiting = std::exchange(connection.waiting, {});
    for (const OnOpened& on_opened : waiting) {
        on_opened(outcome);
    }
}

// Where the other side can open a connection to us: the port that we listen on, not the one that we called
// from.
Address Streams::reachable_at(Transport transport, const Address& local) const {
    for (const auto& listener : listeners_) {
        if (listener->transport == transport) {
            return {local.ip, listener->bound.port};
        }
    }
    return local;
}

void Streams::open(const Target& target, const std::string& host, struct tls* tls, OnOpened on_opened) {
    for (const auto& [id, known] : connections_) {
        if (known->ours && known->can_send() && known->flow.transport == target.transport &&
            known->flow.remote == target.address && known->host == host) {
            if (known->established) {
                on_opened(known->flow);
            } else {
                known->waiting.push_back(std::move(on_opened));
            }
            return;
        }
    }
    if (connections_.size() >= static_cast<std::size_t>(config_.max_connections)) {
        on_opened(Error{"too many connections"});
        return;
    }
    auto fresh = std::make_unique<Connection>();
    fresh->owner = this;
    fresh->ours = true;
    fresh->idle_timeout_ms = config_.idle_timeout_ms;
    fresh->host = host;
    fresh->flow.transport = target.transport;
    fresh->flow.remote = target.address;
    fresh->flow.opened_by_us = true;
    fresh->flow.connection = next_id_++;
    tmr_init(&fresh->timer);
    Connection& connection = *fresh;
    connections_.emplace(connection.flow.connection, std::move(fresh));
    statistics_.connections = static_cast<int>(connections_.size());
    const Status connecting = connect(connection, tls);
    if (!connecting) {
        on_opened(Error{connecting.error()});
        close_later(connection);
        return;
    }
    connection.waiting.push_back(std::move(on_opened));
    tmr_start(&connection.timer, static_cast<std::uint64_t>(config_.outbound.open_timeout_ms),
              on_timer_expired, &connection);
}

Status Streams::connect(Connection& connection, struct tls* tls) {
    const Address& to = connection.flow.remote;
    sa remote{};
    if (sa_set_str(&remote, to.ip.c_str(), to.port) != 0 ||
        tcp_connect(&connection.tcp, &remote, on_established, on_data_received, on_closed, &connection) !=
            0) {
        return Error{"cannot connect"};
    }
    sa local{};
    if (tcp_conn_local_get(connection.tcp, &local) != 0) {
        return Error{"cannot connect"};
    }
    const int at_once = 1;
    (void)::setsockopt(tcp_conn_fd(connection.tcp), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    tcp_conn_txqsz_set(connection.tcp, kMaxUnsent);
    connection.flow.local = reachable_at(connection.flow.transport, to_address(local));
    sa literal{};
    if (tls == nullptr) {
        return Ok{};
    }
    if (tls_start_tcp(&connection.tls, tls, connection.tcp, 0) != 0 ||
        (sa_set_str(&literal, connection.host.c_str(), 0) != 0 &&
         tls_set_servername(connection.tls, connection.host.c_str()) != 0)) {
        return Error{"cannot start TLS"};
    }
    return Ok{};
}

void Streams::on_closed(int error, void* arg) {
    auto* connection = static_cast<Connection*>(arg);
    // Who closes while some of our certificate is unread resets the connection, and with it the alert that
    // may have been under way.
    const bool reset = error == ECONNRESET || error == EPIPE;
    const bool declined = take_last_handshake().declined || reset;
    guard(nullptr, [&] {
        connection->owner->fail_handshake(*connection, declined);
        connection->owner->end(*connection);
    });
}

void Streams::on_timer_expired(void* arg) {
    auto* connection = static_cast<Connection*>(arg);
    guard(nullptr, [&] {
        connection->owner->fail_handshake(*connection, false);
        connection->owner->erase(connection->flow.connection);
    });
}

void Streams::send(std::uint64_t id, std::string_view bytes, int dscp) {
    const auto found = connections_.find(id);
    if (found == connections_.end() || !found->second->can_send()) {
        return;
    }
    Connection& connection = *found->second;
    if (dscp >= 0 && dscp != connection.dscp) {
        mark_socket(tcp_conn_fd(connection.tcp), connection.flow.remote.ip.find(':') != std::string::npos,
                    dscp);
        connection.dscp = dscp;
    }
    mbuf* data = mbuf_alloc(bytes.size());
    if (data == nullptr) {
        return;
    }
    int error = mbuf_write_mem(data, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    mbuf_set_pos(data, 0);
    error = error != 0 ? error : tcp_send(found->second->tcp, data);
    mem_deref(data);
    if (error != 0) {
        close_later(*found->second);  // a part may be out: the stream cannot be used again
    }
}

void Streams::limit_idle(std::uint64_t id, int timeout_ms) {
    const auto found = connections_.find(id);
    if (found == connections_.end() || !found->second->can_send()) {
        return;
    }
    found->second->idle_timeout_ms = timeout_ms;
    if (found->second->framer.empty()) {
        tmr_start(&found->second->timer, static_cast<std::uint64_t>(timeout_ms), on_timer_expired,
                  found->second.get());
    }
}

// What the peer had sent before, a BYE perhaps, has its turn yet.
void Streams::end(Connection& connection) {
    if (!connection.held || connection.closing) {
        close_later(connection);
        return;
    }
    connection.ended = true;
    tmr_start(&connection.timer, static_cast<std::uint64_t>(config_.first_message_timeout_ms),
              on_timer_expired, &connection);
}

// libre may still be inside this connection's socket: the timer closes it from the loop.
void Streams::close_later(Connection& connection) {
    connection.closing = true;
    tmr_start(&connection.timer, 0, on_timer_expired, &connection);
}

void Streams::erase(std::uint64_t id) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) {
        return;
    }
    const std::unique_ptr<Connection> connection = std::move(found->second);
    connections_.erase(found);
    waiting_ -= connection->counted;
    tmr_cancel(&connection->timer);
    mem_deref(connection->tls);
    mem_deref(connection->tcp);
    tell_waiting(*connection, Error{connection->flow.transport == Transport::tls
                                        ? "no connection, or no certificate that is trusted"
                                        : "no connection"});
    const std::string source = source_network(connection->flow.remote.ip);
    if (!connection->ours && --per_source_[source] <= 0) {
        per_source_.erase(source);
    }
    statistics_.connections = static_cast<int>(connections_.size());
    if (handlers_.on_connection_closed) {
        handlers_.on_connection_closed(id);
    }
}

}  // namespace vmr::sip
