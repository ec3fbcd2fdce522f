// The process as a service: signals as callbacks on the main loop, and systemd's notifications.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include <glib.h>

namespace vmr::ops {

// SIGTERM and SIGINT ask to drain and stop, SIGHUP to reload; SIGPIPE is ignored.
class Signals {
public:
    Signals(std::function<void()> on_stop_asked, std::function<void()> on_reload_asked);
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

private:
    std::function<void()> stop_;
    std::function<void()> reload_;
    guint sources_[3] = {};
};

// sd_notify(3) without libsystemd: "READY=1", "RELOADING=1", "STOPPING=1", "STATUS=…". Does nothing
// outside systemd. False when the socket could not be written.
bool notify_service_manager(std::string_view state);

// Feeds systemd's watchdog ($WATCHDOG_USEC) from the main loop for as long as it lives.
class Watchdog {
public:
    Watchdog();
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;

private:
    guint source_ = 0;
};

}  // namespace vmr::ops
