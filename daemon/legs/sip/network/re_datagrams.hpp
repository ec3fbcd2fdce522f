// UDP sockets over libre. Everything runs on the sip thread.
#pragma once
#include "base/libre.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/legs/sip/network/stack.hpp"

namespace vmr::sip {

class Datagrams {
public:
    // local_of() tells the address it came to, which costs a look at the routes.
    using OnReceived = std::function<void(std::size_t socket, const sa& source, std::string_view bytes)>;
    explicit Datagrams(OnReceived on_received) : on_received_(std::move(on_received)) {}
    ~Datagrams();
    Datagrams(const Datagrams&) = delete;
    Datagrams& operator=(const Datagrams&) = delete;

    Result<Address> listen(const sa& local);
    // The address that answers to `source` come from.
    Address local_of(std::size_t socket, const sa& source);
    // A way to an address by a socket of its kind.
    Result<Flow> flow_to(const Address& to);
    void send(const Flow& flow, std::string_view bytes) const;

private:
    struct Socket {
        Datagrams* owner;
        std::size_t index;
        udp_sock* udp;
        Address local;
        bool any;  // bound to all addresses
        int family;
        int dscp = 0;
    };
    static void on_datagram_received(const sa* source, mbuf* data, void* arg);

    OnReceived on_received_;
    std::vector<std::unique_ptr<Socket>> sockets_;
    std::map<std::string, std::string> local_ips_;
};

}  // namespace vmr::sip
