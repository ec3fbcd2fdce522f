#pragma once
#include <arpa/inet.h>
#include <gio/gio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "daemon/bfcp/message.hpp"

namespace vmr::media {

// A room system's end of floor control, on loopback.
class FloorClient {
public:
    FloorClient(int type, std::uint16_t port) : socket_(::socket(AF_INET, type | SOCK_NONBLOCK, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
        connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    ~FloorClient() { close(socket_); }
    FloorClient(const FloorClient&) = delete;
    FloorClient& operator=(const FloorClient&) = delete;

    void say(const std::string& bytes) const { ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
    // The next message, within ten seconds.
    std::optional<bfcp::Message> next() {
        const std::int64_t deadline = g_get_monotonic_time() + 10'000'000;
        while (g_get_monotonic_time() < deadline) {
            g_main_context_iteration(nullptr, FALSE);
            char bytes[2048];
            const ssize_t size = recv(socket_, bytes, sizeof bytes, 0);
            if (size > 0) {
                unread_.append(bytes, static_cast<std::size_t>(size));
            }
            const auto length = bfcp::message_length(unread_);
            if (length && unread_.size() >= *length) {
                const auto message = bfcp::parse(unread_.substr(0, *length));
                unread_.erase(0, *length);
                return message ? std::optional(*message) : std::nullopt;
            }
        }
        return {};
    }
    bool closed() {
        const std::int64_t deadline = g_get_monotonic_time() + 10'000'000;
        char byte = 0;
        while (g_get_monotonic_time() < deadline) {
            g_main_context_iteration(nullptr, FALSE);
            const ssize_t size = recv(socket_, &byte, 1, 0);
            if (size == 0 || (size < 0 && errno == ECONNRESET)) {
                return true;
            }
        }
        return false;
    }

private:
    int socket_;
    std::string unread_;
};

}  // namespace vmr::media
