// A TCP listener on the loopback, as a client has that can be called back.
#pragma once
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "tests/support/loopback.hpp"
#include "tests/support/sip/harness.hpp"

namespace vmr::sip::test {

class Acceptor {
public:
    Acceptor() { listen(); }
    ~Acceptor() { ::close(socket_); }
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    // Nobody is answered there until it listens again; the port stays its.
    void stop() {
        ::close(socket_);
        socket_ = bound(port_);
    }
    void listen() { ::listen(socket_, 16); }

    std::uint16_t port() const { return port_; }
    std::string contact(const std::string& host = "127.0.0.1") const {
        return "<sip:alice@" + host + ":" + std::to_string(port_) + ";transport=tcp>";
    }
    // Null: nobody came.
    std::unique_ptr<Client> accept(int timeout_ms = 30000) {
        pollfd waiting{socket_, POLLIN, 0};
        if (::poll(&waiting, 1, timeout_ms) <= 0) {
            return nullptr;
        }
        return std::make_unique<Client>(::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC));
    }

private:
    static int bound(std::uint16_t& port) {
        const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int yes = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        port = vmr::test::bind_to(socket, "127.0.0.1", port);
        return socket;
    }

    std::uint16_t port_ = 0;  // 0: any, when it is bound first
    int socket_ = bound(port_);
};

}  // namespace vmr::sip::test
