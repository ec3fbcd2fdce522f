#include "daemon/legs/sip/network/re_listeners.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace vmr::sip {
namespace {

// Every device of a site comes back at once after a power cut; who finds no place waits a second or more for
// its next SYN. The kernel takes no more than net.core.somaxconn. libre's own listen() call asks for 5.
constexpr int kBacklog = 4096;

sa free_port_of_loopback() {
    sa local{};
    (void)sa_set_str(&local, "::1", 0);
    return local;
}

// A socket of ours in place of `descriptor`, which nobody waits for yet.
int replace_by_ipv6_alone(int descriptor, int type, const sa& local) {
    const int on = 1;
    const int fresh = ::socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = 0;
    if (descriptor < 0 || fresh < 0 || ::setsockopt(fresh, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0 ||
        (type == SOCK_STREAM && ::setsockopt(fresh, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) ||
        ::bind(fresh, &local.u.sa, local.len) != 0 || ::dup3(fresh, descriptor, O_CLOEXEC) < 0) {
        error = descriptor < 0 ? EBADF : errno;
    }
    if (fresh >= 0) {
        ::close(fresh);
    }
    return error;
}

// libre 1.1 does not tell a listener's descriptor: it is the one that has this address, and no other has.
int descriptor_of(const sa& bound) {
    const long limit = ::sysconf(_SC_OPEN_MAX);
    for (int descriptor = 0; descriptor < limit; ++descriptor) {
        sa local{};
        local.len = sizeof local.u;
        int type = 0;
        socklen_t size = sizeof type;
        if (::getsockname(descriptor, &local.u.sa, &local.len) == 0 && sa_cmp(&local, &bound, SA_ALL) &&
            ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM) {
            return descriptor;
        }
    }
    return -1;
}

}  // namespace

int listen_udp(udp_sock** socket, const sa& local, udp_recv_h* on_received, void* arg) {
    if (sa_af(&local) != AF_INET6) {
        return udp_listen(socket, &local, on_received, arg);
    }
    const sa first = free_port_of_loopback();
    if (const int error = udp_listen(socket, &first, on_received, arg); error != 0) {
        return error;
    }
    udp_thread_detach(*socket);
    const int error = replace_by_ipv6_alone(udp_sock_fd(*socket, AF_INET6), SOCK_DGRAM, local);
    return error != 0 ? error : udp_thread_attach(*socket);
}

int listen_tcp(tcp_sock** socket, const sa& local, tcp_conn_h* on_accepted, void* arg) {
    const bool ipv6 = sa_af(&local) == AF_INET6;
    const sa first = ipv6 ? free_port_of_loopback() : local;
    int error = tcp_sock_alloc(socket, &first, on_accepted, arg);
    error = error != 0 ? error : tcp_sock_bind(*socket, &first);
    if (error == 0 && ipv6) {
        sa bound{};
        error = tcp_sock_local_get(*socket, &bound);
        error = error != 0 ? error : replace_by_ipv6_alone(descriptor_of(bound), SOCK_STREAM, local);
    }
    return error != 0 ? error : tcp_sock_listen(*socket, kBacklog);
}

}  // namespace vmr::sip
