// REST: authenticate → validate → Control::perform → response; and /metrics.
#include <sstream>

#include "base/guard.hpp"
#include "daemon/api/server_impl.hpp"
#include "schemas/time_text.hpp"

namespace vmr::api {

using nlohmann::json;

namespace {

constexpr std::string_view kBearer = "Bearer ";

// A request that waits for Control's reply; whichever comes first of reply, timeout and
// the client's leaving settles it.
struct Pending {
    GPtr<SoupServerMessage> message;
    SignalConnection finished;
    guint timeout = 0;
    bool settled = false;

    void settle() {
        settled = true;
        finished.disconnect();
        if (timeout != 0) {
            g_source_remove(timeout);
            timeout = 0;
        }
    }
};

void on_message_finished(SoupServerMessage*, gpointer pending) {
    static_cast<Pending*>(pending)->settle();
}

struct Timeout {
    std::shared_ptr<Pending> pending;
    std::weak_ptr<Server::Impl*> server;
};

gboolean on_operation_timeout(gpointer data) {
    auto* timeout = static_cast<Timeout*>(data);
    const auto pending = timeout->pending;
    const auto server = timeout->server.lock();
    pending->timeout = 0;
    if (!pending->settled && server) {
        pending->settle();
        (*server)->answer(pending->message.get(), problem(504, "the operation took too long"));
        soup_server_message_unpause(pending->message.get());
    }
    return G_SOURCE_REMOVE;
}

std::string media_type(const std::string& content_type) {
    std::string type = content_type.substr(0, content_type.find(';'));
    while (!type.empty() && type.back() == ' ') {
        type.pop_back();
    }
    return type;
}

std::string_view body_of(SoupServerMessage* message) {
    SoupMessageBody* body = soup_server_message_get_request_body(message);
    g_bytes_unref(soup_message_body_flatten(body));
    return body->length > 0 ? std::string_view(body->data, static_cast<std::size_t>(body->length))
                            : std::string_view();
}

}  // namespace

void Server::Impl::answer(SoupServerMessage* message, const Response& response) {
    SoupMessageHeaders* headers = soup_server_message_get_response_headers(message);
    soup_message_headers_replace(headers, "Cache-Control", "no-store");
    if (response.status == 401) {
        soup_message_headers_append(headers, "WWW-Authenticate", "Bearer");
    }
    if (response.status == 429 && soup_message_headers_get_one(headers, "Retry-After") == nullptr) {
        soup_message_headers_append(headers, "Retry-After", "10");
    }
    if (response.status == 426) {  // RFC 9110 section 15.5.22; section 7.8: Connection names it
        soup_message_headers_replace(headers, "Upgrade", "websocket");
        soup_message_headers_replace(headers, "Connection", "close, Upgrade");
    }
    soup_server_message_set_status(message, static_cast<guint>(response.status), phrase_of(response.status));
    if (!response.body.is_null() && response.status != 204) {
        const std::string text = response.body.dump(-1, ' ', false, json::error_handler_t::replace);
        soup_server_message_set_response(
            message, response.status >= 400 ? "application/problem+json" : "application/json",
            SOUP_MEMORY_COPY, text.data(), text.size());
    }
}

std::string Server::Impl::bearer_of(SoupServerMessage* message) {
    const std::string header = header_of(message, "Authorization");
    return header.starts_with(kBearer) ? header.substr(kBearer.size()) : std::string();
}

std::optional<Caller> Server::Impl::authenticate(SoupServerMessage* message) {
    return tokens_.find(bearer_of(message));
}

void Server::Impl::handle_api(SoupServerMessage* message, std::string_view path,
                              const ConnectionPtr& connection) {
    const Router::Match match = router_.match(soup_server_message_get_method(message), path);
    if (match.operation == nullptr) {
        if (!match.allowed.empty()) {
            soup_message_headers_replace(soup_server_message_get_response_headers(message), "Allow",
                                         match.allowed.c_str());
        }
        answer(message, match.allowed.empty() ? problem(404) : problem(405, "allowed: " + match.allowed));
        return;
    }
    const Operation& operation = *match.operation;
    const auto refuse = [&](const Response& response) {
        ++answered_[{operation.id, response.status}];
        answer(message, response);
    };
    if (draining_) {
        return refuse(problem(503, "the server is draining"));
    }
    if (operation.websocket) {
        return refuse(problem(426, "a WebSocket handshake is needed"));
    }
    std::optional<Caller> known = authenticate(message);
    if (!known && operation.devices) {
        auto login = log_in_device(message, connection);
        if (const auto* refusal = std::get_if<Response>(&login)) {
            return refuse(*refusal);
        }
        known = std::get<Caller>(login);
    }
    Caller caller = known.value_or(Caller{});
    caller.address = connection->address;
    if (!known && !operation.anonymous) {
        return refuse(problem(401));
    }
    const bool allowed = operation.anonymous || (caller.kind == Caller::Kind::admin && operation.admins) ||
                         (caller.kind == Caller::Kind::participant && operation.participants) ||
                         (caller.kind == Caller::Kind::device && operation.devices);
    const auto room = match.path.find("room");
    const bool own_room =
        caller.kind != Caller::Kind::participant || room == match.path.end() || room->second == caller.room;
    const auto device = match.path.find("device");
    const bool own_device = caller.kind != Caller::Kind::device || device == match.path.end() ||
                            g_ascii_strcasecmp(device->second.c_str(), caller.device.c_str()) == 0;
    if (!allowed || !own_room || !own_device) {
        return refuse(problem(403));
    }
    const char* raw_query = g_uri_get_query(soup_server_message_get_uri(message));
    const auto query = parse_query(raw_query != nullptr ? raw_query : "");
    if (!query) {
        return refuse(problem(400, "the query is malformed"));
    }
    const Router::Params params =
        Router::params(match, *query, media_type(header_of(message, "Content-Type")), body_of(message));
    if (params.refused) {
        return refuse(*params.refused);
    }
    perform(message, operation, caller, params.values);
}

std::optional<Response> Server::Impl::create_session(const json& params) {
    const auto session =
        tokens_.redeem(params.at("token").get_ref<const std::string&>(), options_.session_lifetime);
    if (!session) {
        return problem(401, "the token is unknown, used or expired");
    }
    return Response{
        201,
        {{"token", session->token}, {"expires_at", schema::rfc3339(session->expires)}, {"kind", "admin"}}};
}

void Server::Impl::perform(SoupServerMessage* message, const Operation& operation, const Caller& caller,
                           const json& params) {
    std::optional<Response> own;
    if (operation.id == "createSession") {
        own = create_session(params);
    } else if (operation.id == "deleteSession") {
        own = tokens_.revoke(bearer_of(message))
                  ? Response{204, nullptr}
                  : problem(403, "the token of the configuration cannot be revoked");
    }
    if (own) {
        ++answered_[{operation.id, own->status}];
        answer(message, *own);
        return;
    }
    auto pending = std::make_shared<Pending>();
    pending->message = GPtr<SoupServerMessage>::ref(message);
    pending->finished = SignalConnection(message, "finished", G_CALLBACK(on_message_finished), pending.get());
    pending->timeout = g_timeout_add_seconds_full(
        G_PRIORITY_DEFAULT, static_cast<guint>(options_.operation_timeout.count()), on_operation_timeout,
        new Timeout{pending, self_}, [](gpointer data) { delete static_cast<Timeout*>(data); });
    soup_server_message_pause(message);
    const auto reply = [pending, server = std::weak_ptr(self_), id = operation.id](Response response) {
        const auto alive = server.lock();
        if (pending->settled || !alive) {
            return;
        }
        pending->settle();
        ++(*alive)->answered_[{id, response.status}];
        (*alive)->answer(pending->message.get(), response);
        soup_server_message_unpause(pending->message.get());
    };
    try {
        control_.perform(caller, operation.id, params, reply);
    } catch (const std::exception& problem_found) {
        g_critical("operation %s failed: %s", operation.id.c_str(), problem_found.what());
        reply(problem(500));
    }
}

// Numbers of a server are for its operators: the machine itself, or an admin's bearer.
void Server::Impl::handle_metrics(SoupServerMessage* message, const ConnectionPtr& connection) {
    const auto caller = authenticate(message);
    const bool local = connection->address == "127.0.0.1" || connection->address == "::1";
    if (!local && !(caller && caller->kind == Caller::Kind::admin)) {
        answer(message, problem(401));
        return;
    }
    std::ostringstream text;
    text << "# HELP vmr_api_requests_total API requests by operation and status.\n"
            "# TYPE vmr_api_requests_total counter\n";
    for (const auto& [key, count] : answered_) {
        text << "vmr_api_requests_total{operation=\"" << key.first << "\",status=\"" << key.second << "\"} "
             << count << "\n";
    }
    text << "# TYPE vmr_http_connections gauge\nvmr_http_connections " << listener_->size() << "\n"
         << "# TYPE vmr_http_connections_refused_total counter\nvmr_http_connections_refused_total "
         << listener_->refused() << "\n"
         << "# TYPE vmr_http_rate_limited_total counter\nvmr_http_rate_limited_total " << rate_limited_
         << "\n"
         << "# TYPE vmr_websockets gauge\nvmr_websockets " << websockets_.size() << "\n"
         << "# TYPE vmr_event_subscribers gauge\nvmr_event_subscribers " << events_.subscriber_count()
         << "\n";
    if (metrics_) {
        text << metrics_();
    }
    const std::string result = text.str();
    soup_server_message_set_status(message, 200, nullptr);
    soup_server_message_set_response(message, "text/plain; version=0.0.4", SOUP_MEMORY_COPY, result.data(),
                                     result.size());
}

}  // namespace vmr::api
