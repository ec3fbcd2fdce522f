#include "wire.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <stdexcept>

namespace vmr::bench {
namespace {

constexpr int kReceiveBuffer = 4 << 20;
constexpr std::size_t kBatch = 64;
constexpr std::size_t kLongest = 2048;

sockaddr_in loopback(unsigned port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

std::int64_t nanoseconds(const timespec& time) {
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

std::int64_t arrival_of(msghdr& message) {
    for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr;
         control = CMSG_NXTHDR(&message, control)) {
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS) {
            timespec time{};
            std::memcpy(&time, CMSG_DATA(control), sizeof time);
            return nanoseconds(time);
        }
    }
    return now_ns();
}

}  // namespace

std::int64_t now_ns() {
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return nanoseconds(time);
}

Wire::Wire() {
    for (int& socket_fd : sockets_) {
        socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_in local = loopback(0);
        if (socket_fd < 0 || bind(socket_fd, reinterpret_cast<sockaddr*>(&local), sizeof local) != 0) {
            throw std::runtime_error("no UDP socket");
        }
        const int on = 1;
        setsockopt(socket_fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
        setsockopt(socket_fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    }
}

Wire::~Wire() {
    for (const int socket_fd : sockets_) {
        close(socket_fd);
    }
}

unsigned Wire::port(std::size_t socket) const {
    sockaddr_in local{};
    socklen_t length = sizeof local;
    getsockname(sockets_[socket], reinterpret_cast<sockaddr*>(&local), &length);
    return ntohs(local.sin_port);
}

void Wire::send(std::size_t socket, unsigned to_port, Bytes packet) {
    waiting_[socket].push_back({loopback(to_port), std::move(packet)});
}

void Wire::flush() {
    for (std::size_t s = 0; s < kSockets; ++s) {
        std::vector<Waiting>& waiting = waiting_[s];
        for (std::size_t start = 0; start < waiting.size();) {
            std::array<mmsghdr, kBatch> messages{};
            std::array<iovec, kBatch> parts{};
            const std::size_t count = std::min(kBatch, waiting.size() - start);
            for (std::size_t i = 0; i < count; ++i) {
                Waiting& each = waiting[start + i];
                parts[i] = {each.bytes.data(), each.bytes.size()};
                messages[i].msg_hdr = {&each.to, sizeof each.to, &parts[i], 1, nullptr, 0, 0};
            }
            const int sent = sendmmsg(sockets_[s], messages.data(), static_cast<unsigned>(count), 0);
            start += sent > 0 ? static_cast<std::size_t>(sent) : 1;  // what the system refuses is lost
        }
        waiting.clear();
    }
}

void Wire::receive(const std::function<void(unsigned, std::span<std::uint8_t>, std::int64_t)>& each) {
    static thread_local std::array<std::array<std::uint8_t, kLongest>, kBatch> space;
    static thread_local std::array<std::array<char, 64>, kBatch> controls;
    for (const int socket_fd : sockets_) {
        for (int got = static_cast<int>(kBatch); got == static_cast<int>(kBatch);) {
            std::array<mmsghdr, kBatch> messages{};
            std::array<iovec, kBatch> parts{};
            std::array<sockaddr_in, kBatch> from{};
            for (std::size_t i = 0; i < kBatch; ++i) {
                parts[i] = {space[i].data(), kLongest};
                messages[i].msg_hdr = {&from[i],           sizeof from[i],     &parts[i], 1,
                                       controls[i].data(), controls[i].size(), 0};
            }
            got = recvmmsg(socket_fd, messages.data(), kBatch, 0, nullptr);
            for (int i = 0; i < got; ++i) {
                const auto at = static_cast<std::size_t>(i);
                each(ntohs(from[at].sin_port), {space[at].data(), messages[at].msg_len},
                     arrival_of(messages[at].msg_hdr));
            }
        }
    }
}

}  // namespace vmr::bench
