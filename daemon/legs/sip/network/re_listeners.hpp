// Listening sockets over libre, which binds them itself and never with IPV6_V6ONLY: an IPv6 listener would
// take IPv4 too, by addresses that mean nothing further on, or its port beside an IPv4 one be taken. So libre
// binds to a free port of the loopback, and a socket of ours that takes IPv6 alone is put in that one's
// place.
#pragma once
#include "base/libre.hpp"

namespace vmr::sip {

// As udp_listen(), and tcp_listen() with a backlog. 0 or an error number.
int listen_udp(udp_sock** socket, const sa& local, udp_recv_h* on_received, void* arg);
int listen_tcp(tcp_sock** socket, const sa& local, tcp_conn_h* on_accepted, void* arg);

}  // namespace vmr::sip
