// UDP of a load generator: a few sockets for all participants, many packets a system call.
#pragma once
#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace vmr::bench {

using Bytes = std::vector<std::uint8_t>;

std::int64_t now_ns();  // CLOCK_REALTIME, as the kernel stamps arrivals

class Wire {
public:
    static constexpr std::size_t kSockets = 4;

    Wire();
    ~Wire();
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    unsigned port(std::size_t socket) const;
    // Sent with flush().
    void send(std::size_t socket, unsigned to_port, Bytes packet);
    void flush();
    // Calls for each packet that is there: the sender's port, the bytes (may be changed), the arrival.
    void receive(const std::function<void(unsigned, std::span<std::uint8_t>, std::int64_t)>& each);

private:
    struct Waiting {
        sockaddr_in to;
        Bytes bytes;
    };
    std::array<int, kSockets> sockets_{};
    std::array<std::vector<Waiting>, kSockets> waiting_;
};

}  // namespace vmr::bench
