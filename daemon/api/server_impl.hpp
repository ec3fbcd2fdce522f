// What is inside Server; split over server.cpp, server_rest.cpp and server_websockets.cpp.
#pragma once
#include <libsoup/soup.h>

#include <map>
#include <set>
#include <variant>

#include "base/source_limiter.hpp"
#include "daemon/api/listener.hpp"
#include "daemon/api/router.hpp"
#include "daemon/api/server.hpp"
#include "daemon/api/web_socket.hpp"

namespace vmr::api {

class Server::Impl {
public:
    Impl(ServerOptions options, Control& control, TokenStore& tokens, EventHub& events,
         SignallingHandler* signalling);
    ~Impl();

    Status start();
    void stop();

    // Before the body: headers, limits, draining, and who may open a WebSocket.
    void on_headers_read(SoupServerMessage* message, std::string_view path);
    void on_request_read(SoupServerMessage* message, std::string_view path);
    void on_websocket_opened(SoupServerMessage* message, std::string_view path,
                             SoupWebsocketConnection* socket);

    void handle_api(SoupServerMessage* message, std::string_view path, const ConnectionPtr& connection);
    bool refuses_method(SoupServerMessage* message);
    void handle_portal(SoupServerMessage* message, std::string_view path);
    void handle_metrics(SoupServerMessage* message, const ConnectionPtr& connection);
    std::optional<Caller> authenticate(SoupServerMessage* message);
    // A device that shows its name and secret (HTTP Basic), or why not.
    std::variant<Caller, Response> log_in_device(SoupServerMessage* message, const ConnectionPtr& connection);
    static std::string bearer_of(SoupServerMessage* message);
    std::optional<Response> create_session(const nlohmann::json& params);
    void perform(SoupServerMessage* message, const Operation& operation, const Caller& caller,
                 const nlohmann::json& params);

    // Null when the WebSocket may be opened; else why not.
    std::optional<Response> check_websocket(SoupServerMessage* message, std::string_view path,
                                            const ConnectionPtr& connection);
    std::optional<Response> check_events(SoupServerMessage* message);
    void subscribe(SoupServerMessage* message, const ConnectionPtr& connection,
                   SoupWebsocketConnection* socket);
    bool may_follow_events(const Caller& caller) const;
    bool origin_allowed(SoupServerMessage* message, const ConnectionPtr& connection) const;
    void add_websocket(std::shared_ptr<WebSocket> socket);
    // Closes WebSockets whose bearer is no longer valid.
    void check_bearers();
    void set_headers(SoupServerMessage* message, const ConnectionPtr& connection) const;
    void answer(SoupServerMessage* message, const Response& response);

    ServerOptions options_;
    Control& control_;
    TokenStore& tokens_;
    EventHub& events_;
    SignallingHandler* signalling_;
    Router router_;
    GPtr<SoupServer> soup_;
    std::unique_ptr<Listener> listener_;
    SourceLimiter requests_;
    static constexpr double kWrongLoginsPerSecond = 0.1;
    static constexpr double kWrongLoginBurst = 10;
    SourceLimiter wrong_logins_;
    std::function<bool(const std::string&, const std::string&)> device_login_;
    std::set<std::shared_ptr<WebSocket>> websockets_;
    std::function<std::string()> metrics_;
    std::map<std::pair<std::string, int>, std::uint64_t> answered_;  // by operation and status
    std::uint64_t rate_limited_ = 0;
    bool draining_ = false;
    std::shared_ptr<Impl*> self_;  // for replies that come after us
};

std::string header_of(SoupServerMessage* message, const char* name);

}  // namespace vmr::api
