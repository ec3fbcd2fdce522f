#include "daemon/ops/service.hpp"

#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace vmr::ops {

namespace {

gboolean on_signal_raised(gpointer data) {
    (*static_cast<std::function<void()>*>(data))();
    return G_SOURCE_CONTINUE;
}

}  // namespace

Signals::Signals(std::function<void()> on_stop_asked, std::function<void()> on_reload_asked)
    : stop_(std::move(on_stop_asked)), reload_(std::move(on_reload_asked)) {
    std::signal(SIGPIPE, SIG_IGN);
    sources_[0] = g_unix_signal_add(SIGTERM, on_signal_raised, &stop_);
    sources_[1] = g_unix_signal_add(SIGINT, on_signal_raised, &stop_);
    sources_[2] = g_unix_signal_add(SIGHUP, on_signal_raised, &reload_);
}

Signals::~Signals() {
    for (const guint source : sources_) {
        g_source_remove(source);
    }
}

bool notify_service_manager(std::string_view state) {
    const char* path = std::getenv("NOTIFY_SOCKET");
    if (path == nullptr || (path[0] != '/' && path[0] != '@')) {
        return true;
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t length = std::strlen(path);
    if (length >= sizeof address.sun_path) {
        return false;
    }
    std::memcpy(address.sun_path, path, length);
    if (path[0] == '@') {
        address.sun_path[0] = '\0';  // abstract
    }
    std::string text(state);
    if (text.starts_with("RELOADING=1")) {
        timespec now{};
        clock_gettime(CLOCK_MONOTONIC, &now);
        text += "\nMONOTONIC_USEC=" + std::to_string(now.tv_sec * 1000000LL + now.tv_nsec / 1000);
    }
    const int socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_fd < 0) {
        return false;
    }
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    const bool sent =
        sendto(socket_fd, text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
               size) == static_cast<ssize_t>(text.size());
    close(socket_fd);
    return sent;
}

Watchdog::Watchdog() {
    const char* limit = std::getenv("WATCHDOG_USEC");
    const long long microseconds = limit != nullptr ? std::atoll(limit) : 0;
    if (microseconds > 0) {
        source_ = g_timeout_add(
            static_cast<guint>(microseconds / 1000 / 2),
            [](gpointer) -> gboolean {
                notify_service_manager("WATCHDOG=1");
                return G_SOURCE_CONTINUE;
            },
            nullptr);
    }
}

Watchdog::~Watchdog() {
    if (source_ != 0) {
        g_source_remove(source_);
    }
}

}  // namespace vmr::ops
