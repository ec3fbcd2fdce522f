#include "bench/costs/registering_devices.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <vector>

#include "bench/process.hpp"
#include "daemon/legs/sip/message/digest.hpp"

namespace vmr::bench {
namespace {

using sip::digest_ha1;
using sip::DigestAlgorithms;
using sip::hash_hex;

constexpr unsigned kAtOnce = 32;  // devices that have asked and not been answered

// A device's connection, in the process of the devices.
class Connection {
public:
    Connection(std::uint16_t port, SSL_CTX* tls) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int at_once = 1;
        (void)::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
        if (socket_ < 0 || ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
            throw std::runtime_error("no connection");
        }
        if (tls != nullptr) {
            ssl_ = SSL_new(tls);
            SSL_set_fd(ssl_, socket_);
            if (SSL_connect(ssl_) != 1) {
                throw std::runtime_error("no TLS");
            }
        }
    }
    ~Connection() {
        SSL_free(ssl_);
        ::close(socket_);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void put(const std::string& bytes) {
        const auto size = static_cast<int>(bytes.size());
        if ((ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), size)
                             : ::write(socket_, bytes.data(), bytes.size())) != size) {
            throw std::runtime_error("not sent");
        }
    }
    std::string get() {
        std::string answer;
        char buffer[8192];
        while (answer.find("\r\n\r\n") == std::string::npos) {
            const auto got = ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer)
                                             : static_cast<int>(::read(socket_, buffer, sizeof buffer));
            if (got <= 0) {
                throw std::runtime_error("no answer");
            }
            answer.append(buffer, static_cast<std::size_t>(got));
        }
        return answer;
    }
    std::string nonce;

private:
    int socket_;
    SSL* ssl_ = nullptr;
};

void tell(int descriptor) {
    const char step = 's';
    if (::write(descriptor, &step, 1) != 1) {
        throw std::runtime_error("the other process has gone");
    }
}

// `steps`: where they are told to go on; `done`: where they say that they did.
void run_devices(const Registering::Load& load, int steps, int done) {
    raise_file_limit();
    std::uint16_t port = 0;
    if (::read(steps, &port, sizeof port) != sizeof port) {
        throw std::runtime_error("no server");
    }
    SSL_CTX* tls = load.tls ? SSL_CTX_new(TLS_client_method()) : nullptr;
    const char* transport = tls != nullptr ? "TLS" : "TCP";
    std::vector<std::unique_ptr<Connection>> connections;
    for (unsigned device = 0; device < load.devices; ++device) {
        connections.push_back(std::make_unique<Connection>(port, tls));
    }
    tell(done);
    (void)told(steps);
    const auto in_turn = [&](unsigned first, const auto& what) {
        for (unsigned device = first; device < std::min(first + kAtOnce, load.devices); ++device) {
            what(device, *connections[device]);
        }
    };
    for (unsigned first = 0; first < load.devices; first += kAtOnce) {
        in_turn(first, [&](unsigned device, Connection& one) { one.put(request(device, 1, transport, "")); });
        in_turn(first, [](unsigned, Connection& one) { one.nonce = nonce_of(one.get()); });
        in_turn(first, [&](unsigned device, Connection& one) {
            one.put(request(device, 2, transport, credentials(device, one.nonce, 1)));
        });
        in_turn(first, [](unsigned, Connection& one) { expect_ok(one.get()); });
    }
    tell(done);
    (void)told(steps);
    for (unsigned round = 0; round < load.refreshes; ++round) {
        for (unsigned first = 0; first < load.devices; first += kAtOnce) {
            in_turn(first, [&](unsigned device, Connection& one) {
                one.put(request(device, round + 3, transport, credentials(device, one.nonce, round + 2)));
            });
            in_turn(first, [](unsigned, Connection& one) { expect_ok(one.get()); });
        }
    }
    tell(done);
    (void)told(steps);
    connections.clear();
    SSL_CTX_free(tls);
}

}  // namespace

std::string name_of(unsigned device) {
    return "room-system-" + std::to_string(device);
}

std::string request(unsigned device, unsigned cseq, const std::string& transport,
                    const std::string& authorization) {
    const std::string name = name_of(device);
    const std::string id = std::to_string(device);
    return "REGISTER sip:" + std::string(kDomain) + ";transport=tls SIP/2.0\r\nVia: SIP/2.0/" + transport +
           " 192.168.12.34:41234;branch=z9hG4bK" + id + "x" + std::to_string(cseq) +
           ";rport\r\nContact: <sip:" + name +
           "@192.168.12.34:41234;transport=tls>;expires=3600;"
           "+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\";reg-id=1\r\nMax-Forwards: "
           "70\r\nTo: <sip:" +
           name + "@" + kDomain + ">\r\nFrom: \"" + name + "\" <sip:" + name + "@" + kDomain + ">;tag=" + id +
           "f\r\nCall-ID: 5f3a9c0d1e2b4a68-" + id + "\r\nCSeq: " + std::to_string(cseq) +
           " REGISTER\r\nUser-Agent: Acme VC9/3.10.1.4711\r\nSupported: gruu, outbound, path\r\n"
           "Allow: INVITE,ACK,BYE,CANCEL,OPTIONS,NOTIFY,INFO,MESSAGE,UPDATE,REFER\r\n" +
           (authorization.empty() ? "" : "Authorization: " + authorization + "\r\n") +
           "Content-Length: 0\r\n\r\n";
}

std::string nonce_of(const std::string& answer) {
    const std::size_t at = answer.find("nonce=\"");
    if (!answer.starts_with("SIP/2.0 401") || at == std::string::npos) {
        throw std::runtime_error("no challenge: " + answer.substr(0, 200));
    }
    return answer.substr(at + 7, answer.find('"', at + 7) - at - 7);
}

std::string credentials(unsigned device, const std::string& nonce, unsigned count) {
    char nc[9];
    std::snprintf(nc, sizeof nc, "%08x", count);
    const std::string uri = std::string("sip:") + kDomain;
    const std::string ha1 = digest_ha1(DigestAlgorithms::sha256, name_of(device), kDomain, kSecret);
    const std::string response = hash_hex(
        "SHA-256", ha1 + ":" + nonce + ":" + nc + ":c0ffee:auth:" + hash_hex("SHA-256", "REGISTER:" + uri));
    return "Digest username=\"" + name_of(device) + "\", realm=\"" + kDomain + "\", nonce=\"" + nonce +
           "\", uri=\"" + uri + "\", response=\"" + response +
           "\", algorithm=SHA-256, cnonce=\"c0ffee\", qop=auth, nc=" + nc;
}

void expect_ok(const std::string& answer) {
    if (!answer.starts_with("SIP/2.0 200")) {
        throw std::runtime_error("not registered: " + answer.substr(0, 300));
    }
}

bool told(int descriptor) {
    char step = 0;
    return ::read(descriptor, &step, 1) == 1;
}

Registering::Registering(const Load& load) {
    int steps[2], done[2];
    if (::pipe(steps) != 0 || ::pipe(done) != 0) {
        throw std::runtime_error("no pipes");
    }
    pid_ = ::fork();
    if (pid_ == 0) {
        ::close(steps[1]);
        ::close(done[0]);
        try {
            run_devices(load, steps[0], done[1]);
        } catch (const std::exception& problem) {
            std::cerr << "devices: " << problem.what() << "\n";
            _exit(1);
        }
        _exit(0);
    }
    ::close(steps[0]);
    ::close(done[1]);
    to_ = steps[1];
    from_ = done[0];
}

void Registering::connect(std::uint16_t port) {
    if (::write(to_, &port, sizeof port) != sizeof port) {
        throw std::runtime_error("the devices have gone");
    }
}

void Registering::go_on() {
    tell(to_);
}

void Registering::join() {
    int status = 0;
    (void)::waitpid(pid_, &status, 0);
    if (status != 0) {
        throw std::runtime_error("the devices failed");
    }
}

}  // namespace vmr::bench
