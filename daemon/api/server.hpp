// The HTTP(S) server: REST by the OpenAPI document, WebSockets of events and browser
// legs, the portal's files, /healthz and /metrics. Runs on the default main context.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/api/control.hpp"
#include "daemon/api/event_hub.hpp"
#include "daemon/api/signalling.hpp"
#include "daemon/api/token_store.hpp"

namespace vmr::api {

struct ListenAddress {
    std::string address;     // IPv4 or IPv6, no name
    std::uint16_t port = 0;  // 0: any free one
    bool tls = false;
};

struct ServerOptions {
    std::vector<ListenAddress> listen;
    std::string certificate_file;  // PEM chain; needed when a listener has tls
    std::string key_file;          // PEM
    // Besides the request's own host, origins that WebSockets may come from ("https://meet.example").
    std::vector<std::string> allowed_origins;
    std::string portal_prefix = "/vmr/portal";  // GResource prefix
    std::size_t max_body = 64 * 1024;           // bytes
    std::size_t max_connections = 4000;
    std::size_t max_connections_per_source = 200;
    double requests_per_second = 50;  // per source address, with a burst of `request_burst`
    double request_burst = 200;
    double messages_per_second = 50;  // per signalling WebSocket, with a burst of `message_burst`
    double message_burst = 200;
    std::chrono::seconds keepalive{15};  // WebSocket ping; no pong until the next: dead
    std::chrono::seconds session_lifetime{12 * 3600};
    std::chrono::seconds operation_timeout{20};  // no reply of Control until then: 504
};

class Server {
public:
    // `signalling` may be null: browser legs are refused (503). All references outlive the server.
    Server(ServerOptions options, Control& control, TokenStore& tokens, EventHub& events,
           SignallingHandler* signalling);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    Status start();
    // Reads the certificate files again; connections that are open keep the old one.
    Status reload_certificate();
    // Draining: API requests and new WebSockets are answered 503, /healthz too.
    void set_draining(bool draining);
    // Closes all WebSockets (1001) and stops listening.
    void stop();

    // In the order of `options.listen`, with the real ports ("https://127.0.0.1:8443").
    std::vector<std::string> urls() const;
    // Whether a device's name and secret are right; without it no device may log in.
    void set_device_login(std::function<bool(const std::string& name, const std::string& secret)> login);
    // Prometheus text, added to the server's own.
    void set_metrics_provider(std::function<std::string()> provider);

    class Impl;  // server_impl.hpp

private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace vmr::api
