// Who may open a WebSocket, and what is behind it.
#include <algorithm>
#include <charconv>

#include "daemon/api/server_impl.hpp"

namespace vmr::api {

namespace {

constexpr std::string_view kBearerProtocol = "vmr.bearer.";
constexpr const char* kSubscription = "vmr-subscription";

struct Subscription {
    std::string room;
    std::optional<std::uint64_t> since;
    Caller caller;
    TokenStore::Lease lease;
};

// The offered subprotocols (RFC 6455 section 4.1: a comma-separated list of tokens).
std::vector<std::string> offered_protocols(SoupServerMessage* message) {
    std::vector<std::string> list;
    const char* value = soup_message_headers_get_list(soup_server_message_get_request_headers(message),
                                                      "Sec-WebSocket-Protocol");
    std::string_view rest = value != nullptr ? value : "";
    while (!rest.empty() && list.size() < 8) {
        const std::size_t end = std::min(rest.find(','), rest.size());
        std::string_view item = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        while (!item.empty() && item.front() == ' ') {
            item.remove_prefix(1);
        }
        while (!item.empty() && item.back() == ' ') {
            item.remove_suffix(1);
        }
        list.emplace_back(item);
    }
    return list;
}

bool is_admin(const Caller& caller) {
    return caller.kind == Caller::Kind::admin;
}

bool offers(const std::vector<std::string>& protocols, std::string_view name) {
    return std::find(protocols.begin(), protocols.end(), name) != protocols.end();
}

}  // namespace

// A browser always sends Origin: another site's page must not use this one's API. What sends
// none is no browser, and is bound by its bearer alone.
bool Server::Impl::origin_allowed(SoupServerMessage* message, const ConnectionPtr& connection) const {
    const std::string origin = header_of(message, "Origin");
    if (origin.empty()) {
        return true;
    }
    const std::string own = (connection->secure ? "https://" : "http://") + header_of(message, "Host");
    const auto& others = options_.allowed_origins;
    return origin == own || std::find(others.begin(), others.end(), origin) != others.end();
}

std::optional<Response> Server::Impl::check_websocket(SoupServerMessage* message, std::string_view path,
                                                      const ConnectionPtr& connection) {
    if (std::string_view(soup_server_message_get_method(message)) != "GET") {
        soup_message_headers_replace(soup_server_message_get_response_headers(message), "Allow", "GET");
        return problem(405);
    }
    if (draining_) {
        return problem(503, "the server is draining");
    }
    if (!soup_message_headers_header_contains(soup_server_message_get_request_headers(message), "Upgrade",
                                              "websocket")) {
        return problem(426, "a WebSocket handshake is needed");
    }
    if (!origin_allowed(message, connection)) {
        return problem(403, "pages of this origin may not connect");
    }
    const bool is_events = path == "/api/v1/events";
    if (!offers(offered_protocols(message), is_events ? "vmr.events" : "vmr.webrtc")) {
        return problem(400, "the subprotocol is missing");
    }
    if (is_events) {
        return check_events(message);
    }
    return signalling_ != nullptr ? std::nullopt : std::optional(problem(503));
}

std::optional<Response> Server::Impl::check_events(SoupServerMessage* message) {
    std::vector<std::string> bearers{bearer_of(message)};
    for (const std::string& protocol : offered_protocols(message)) {
        if (protocol.starts_with(kBearerProtocol)) {
            bearers.push_back(protocol.substr(kBearerProtocol.size()));
        }
    }
    const auto bearer = std::ranges::find_if(
        bearers, [&](const std::string& token) { return tokens_.find(token).has_value(); });
    const std::optional<Caller> caller =
        bearer != bearers.end() ? tokens_.find(*bearer) : std::optional<Caller>();
    if (!caller) {
        return problem(401);
    }
    const char* raw_query = g_uri_get_query(soup_server_message_get_uri(message));
    const auto query = parse_query(raw_query != nullptr ? raw_query : "");
    if (!query) {
        return problem(400, "the query is malformed");
    }
    const Router::Params params = Router::params(router_.match("GET", "/events"), *query, "", "");
    if (params.refused) {
        return params.refused;
    }
    auto subscription = std::make_unique<Subscription>();
    subscription->caller = *caller;
    subscription->lease = tokens_.lease(*bearer);
    subscription->room = params.values.value("room", caller->room);
    if (caller->kind == Caller::Kind::participant && subscription->room != caller->room) {
        return problem(403);
    }
    if (!may_follow_events(*caller)) {
        return problem(403, "not in the room yet");
    }
    // Without a room an admin follows the devices.
    if (!events_.room_exists(subscription->room)) {
        return problem(404);
    }
    if (params.values.contains("since")) {
        const std::string since = params.values["since"];
        std::uint64_t id = 0;
        std::from_chars(since.data(), since.data() + since.size(), id);
        subscription->since = id;
    }
    g_object_set_data_full(G_OBJECT(message), kSubscription, subscription.release(),
                           [](gpointer data) { delete static_cast<Subscription*>(data); });
    return std::nullopt;
}

void Server::Impl::on_websocket_opened(SoupServerMessage* message, std::string_view path,
                                       SoupWebsocketConnection* socket) {
    const ConnectionPtr connection = listener_->find(message);
    if (!connection) {
        soup_websocket_connection_close(socket, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, nullptr);
        return;
    }
    if (path == "/api/v1/events") {
        subscribe(message, connection, socket);
        return;
    }
    auto channel = std::make_shared<SignallingSocket>(
        socket, connection, options_, tokens_, *signalling_,
        SignallingSocket::Origin{header_of(message, "User-Agent").substr(0, 256),
                                 header_of(message, "Origin")});
    add_websocket(channel);
    signalling_->on_open(channel);
}

void Server::Impl::subscribe(SoupServerMessage* message, const ConnectionPtr& connection,
                             SoupWebsocketConnection* socket) {
    const auto* subscription =
        static_cast<Subscription*>(g_object_get_data(G_OBJECT(message), kSubscription));
    if (subscription == nullptr) {
        soup_websocket_connection_close(socket, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, nullptr);
        return;
    }
    auto subscriber = std::make_shared<EventsSocket>(
        socket, connection, options_, tokens_, events_,
        EventsSocket::Rights{[this, caller = subscription->caller] { return may_follow_events(caller); },
                             [this, caller = subscription->caller] {
                                 return is_admin(caller) ? 0 : control_.events_hidden_until(caller);
                             }});
    subscriber->bind_bearer(subscription->lease);
    add_websocket(subscriber);
    switch (events_.subscribe(subscription->room, subscription->since, subscriber)) {
        case EventHub::Subscribed::ok:
            return;
        case EventHub::Subscribed::no_such_room:
            return subscriber->close_with(SOUP_WEBSOCKET_CLOSE_GOING_AWAY, "no such room");
        case EventHub::Subscribed::full:
            return subscriber->close_with(SOUP_WEBSOCKET_CLOSE_GOING_AWAY, "too many subscribers");
        case EventHub::Subscribed::not_allowed:
            return subscriber->on_dropped(EventHub::Dropped::not_allowed);
    }
}

bool Server::Impl::may_follow_events(const Caller& caller) const {
    return is_admin(caller) || control_.may_follow_events(caller);
}

void Server::Impl::check_bearers() {
    events_.drop_unallowed();
    const auto sockets = websockets_;  // closing one takes it out
    for (const auto& socket : sockets) {
        socket->check_bearer();
    }
}

void Server::Impl::add_websocket(std::shared_ptr<WebSocket> socket) {
    socket->set_gone([server = std::weak_ptr(self_)](WebSocket* gone) {
        const auto alive = server.lock();
        if (!alive) {
            return;
        }
        auto& sockets = (*alive)->websockets_;
        const auto found =
            std::find_if(sockets.begin(), sockets.end(), [&](const auto& s) { return s.get() == gone; });
        if (found != sockets.end()) {
            // The caller is inside the socket: let go from the main loop.
            auto* last = new std::shared_ptr<WebSocket>(*found);
            sockets.erase(found);
            g_idle_add_full(
                G_PRIORITY_DEFAULT, [](gpointer) -> gboolean { return G_SOURCE_REMOVE; }, last,
                [](gpointer data) { delete static_cast<std::shared_ptr<WebSocket>*>(data); });
        }
    });
    websockets_.insert(std::move(socket));
}

}  // namespace vmr::api
