#include "daemon/legs/sip/dialog/transaction.hpp"

#include <algorithm>
#include <vector>

#include "daemon/legs/sip/message/writer.hpp"

namespace vmr::sip {
namespace {
// CANCEL has the branch of what it cancels (RFC 3261 section 9.1).
std::string client_key(const std::string& branch, const std::string& method) {
    return method == "CANCEL" ? branch + "|CANCEL" : branch;
}

// The ACK to a refusal has the refusal's To, tag and all (section 17.1.1.3).
std::string ack_of(const std::string& ack, const Message& refusal) {
    const std::string* to = refusal.header("to");
    const std::size_t start = ack.find("\r\nTo: ");
    if (to == nullptr || start == std::string::npos) {
        return ack;
    }
    const std::size_t value = start + 6;
    return ack.substr(0, value) + *to + ack.substr(ack.find("\r\n", value));
}

bool reliable(const Flow& flow) {
    return flow.transport != Transport::udp;
}
// Whoever closes each connection that is opened to them is not called for ever.
constexpr int kMaxMoves = 2;

// Retransmissions are for datagrams; RFC 3261 sets J, K, I and D to 0 on streams.
std::int64_t linger(const Flow& flow, std::int64_t duration) {
    return reliable(flow) ? 0 : duration;
}
}  // namespace

// RFC 3261 section 17.2.3. The source address is part of the key, so that nobody can
// touch another's transaction by copying its branch.
std::string Transactions::server_key(const Message& request, const std::string& method) {
    std::string key = request.flow.remote.ip + "|" + via_name(request.flow.transport) + "|" + method + "|";
    if (request.has_unique_branch()) {
        return key + request.branch + "|" + request.sent_by;
    }
    const std::string* via = request.header("via");  // RFC 2543 clients
    return key + request.call_id + "|" + request.from.tag + "|" + std::to_string(request.cseq) + "|" +
           (via != nullptr ? *via : std::string());
}

void Transactions::receive(const Message& message, std::int64_t now) {
    if (!message.request) {
        receive_response(message, now);
    } else if (message.method == "ACK") {
        receive_ack(message, now);
    } else {
        receive_request(message, now);
    }
}

void Transactions::receive_ack(const Message& ack, std::int64_t now) {
    const auto found = servers_.find(server_key(ack, "INVITE"));
    if (found != servers_.end() && found->second.state != Server::State::accepted) {
        Server& server = found->second;
        if (server.state == Server::State::completed) {
            server.state = Server::State::confirmed;
            server.retransmit_at = -1;
            server.ends_at = now + linger(server.flow, kT4);
        }
        return;
    }
    user_.on_request_received(std::string(), ack);
}

void Transactions::receive_request(const Message& request, std::int64_t now) {
    const std::string key = server_key(request, request.method);
    if (const auto found = servers_.find(key); found != servers_.end()) {
        const Server& known = found->second;
        if (!known.response.empty() && known.state != Server::State::accepted &&
            known.state != Server::State::confirmed) {
            send_(request.response_flow(), known.response);
        }
        return;
    }
    if (const std::optional<Reply> refusal = user_.refusal_of(request)) {
        if (refusal->status != 0) {
            send_(request.response_flow(), write_response(request, *refusal));
        }
        return;
    }
    if (servers_.size() >= max_server_ && !make_place()) {
        send_(request.response_flow(),
              write_response(request,
                             {.status = 503, .to_tag = "overload", .headers = {{"Retry-After", "10"}}}));
        return;
    }
    if (request.method == "CANCEL") {
        receive_cancel(request, key, now);
        return;
    }
    Server& server = add_server(key, request.response_flow());
    server.invite = request.method == "INVITE";
    if (server.invite) {
        server.response = write_response(request, {.status = 100});
        send_(server.flow, server.response);
    } else {
        server.ends_at = now + kTimeout;  // the client has given up by then (timer F)
    }
    user_.on_request_received(key, request);
}

Transactions::Server& Transactions::add_server(const std::string& key, const Flow& flow) {
    Server& server = servers_[key];
    server.flow = flow;
    ++servers_by_source_[source_of(flow)];
    return server;
}

std::map<std::string, Transactions::Server>::iterator Transactions::erase_server(
    std::map<std::string, Server>::iterator server) {
    const auto source = servers_by_source_.find(source_of(server->second.flow));
    if (source != servers_by_source_.end() && --source->second == 0) {
        servers_by_source_.erase(source);
    }
    if (server->second.answered) {
        answered_.erase(*server->second.answered);
    }
    return servers_.erase(server);
}

void Transactions::forget(const std::string& transaction) {
    const auto found = servers_.find(transaction);
    if (found != servers_.end() && found->second.state != Server::State::proceeding) {
        erase_server(found);
    }
}

// What was answered longest ago is the least likely to be asked again.
bool Transactions::make_place() {
    while (!answered_.empty() && servers_.size() >= max_server_) {
        erase_server(servers_.find(answered_.front()));
    }
    return servers_.size() < max_server_;
}

std::size_t Transactions::servers_of(const std::string& source) const {
    const auto found = servers_by_source_.find(source);
    return found != servers_by_source_.end() ? found->second : 0;
}

void Transactions::receive_cancel(const Message& cancel, const std::string& key, std::int64_t now) {
    const std::string target = server_key(cancel, "INVITE");
    const auto invite = servers_.find(target);
    add_server(key, cancel.response_flow());
    const int status = invite == servers_.end() ? 481 : 200;
    respond(key, status, write_response(cancel, {.status = status, .to_tag = "cancel"}), now);
    if (invite != servers_.end() && invite->second.state == Server::State::proceeding) {
        user_.on_invite_cancelled(target);
    }
}

void Transactions::respond(const std::string& transaction, int status, const std::string& bytes,
                           std::int64_t now) {
    const auto found = servers_.find(transaction);
    if (found == servers_.end() || found->second.state != Server::State::proceeding) {
        return;
    }
    Server& server = found->second;
    server.response = bytes;
    send_(server.flow, bytes);
    if (status < 200) {
        return;
    }
    server.answered = answered_.insert(answered_.end(), transaction);
    if (!server.invite) {
        server.state = Server::State::completed;
        server.ends_at = now + linger(server.flow, kTimeout);
    } else if (status < 300) {
        server.state = Server::State::accepted;  // the session sends the 2xx again, not we
        server.ends_at = now + kTimeout;
    } else {
        server.state = Server::State::completed;
        server.ends_at = now + kTimeout;
        server.retransmit_at = reliable(server.flow) ? -1 : now + kT1;
    }
}

std::uint64_t Transactions::request(const Flow& flow, const std::string& method, const std::string& branch,
                                    const std::string& bytes, const std::string& ack, std::int64_t now,
                                    const std::string& call, std::uint64_t id) {
    id = id != 0 ? id : next_id_++;
    Client& client = clients_[client_key(branch, method)];
    client.id = id;
    client.call = call;
    client.invite = method == "INVITE";
    client.flow = flow;
    client.bytes = bytes;
    client.ack = ack;
    client.retransmit_at = reliable(flow) ? -1 : now + kT1;
    client.ends_at = now + kTimeout;
    send_(flow, bytes);
    return id;
}

bool Transactions::Client::is_left_on(const std::string& which, std::uint64_t connection) const {
    return !answered && connection != 0 && flow.connection == connection && call == which;
}

bool Transactions::awaits_answer(const std::string& call, std::uint64_t connection) const {
    return std::ranges::any_of(clients_, [&](const auto& entry) {
        return entry.second.is_left_on(call, connection) && entry.second.moves < kMaxMoves;
    });
}

// One that was answered provisionally did arrive: its answer comes by the other side's way.
void Transactions::send_again(const std::string& call, std::uint64_t connection, const Flow& to,
                              std::int64_t now) {
    for (auto& [branch, client] : clients_) {
        const bool falls = client.flow.transport == Transport::tls && to.transport != Transport::tls;
        if (!client.is_left_on(call, connection) || falls) {
            continue;
        }
        const int dscp = client.flow.dscp;
        client.flow = to;
        client.flow.dscp = dscp;
        client.bytes = with_via(client.bytes, to, branch);
        client.ack = with_via(client.ack, to, branch);
        if (!client.proceeding && client.moves++ < kMaxMoves) {
            client.retransmit_at = reliable(to) ? -1 : now + kT1;
            send_(client.flow, client.bytes);
        }
    }
}

void Transactions::receive_response(const Message& response, std::int64_t now) {
    const auto found = clients_.find(client_key(response.branch, response.method));
    if (found == clients_.end()) {
        return;  // late or forged; a 2xx to an INVITE that is over is the peer's to time out
    }
    Client& client = found->second;
    if (client.invite != (response.method == "INVITE") || response.flow.remote.ip != client.flow.remote.ip) {
        return;
    }
    const bool first = !client.answered;
    const std::uint64_t id = client.id;
    if (response.status < 200) {
        client.proceeding = true;
        client.interval = kT2;
        if (client.invite) {
            client.retransmit_at = -1;
            client.ends_at =
                first ? now + 180000 : client.ends_at;  // a re-INVITE that rings is not waited for longer
        }
    } else {
        client.answered = true;
        client.retransmit_at = -1;
        const bool refused_invite = client.invite && response.status >= 300;
        if (refused_invite) {
            send_(client.flow, ack_of(client.ack, response));  // again for each retransmission
        }
        if (first) {
            client.ends_at = now + (client.invite ? kTimeout : linger(client.flow, kT4));
        } else if (refused_invite || !client.invite) {
            return;
        }
    }
    if (first || client.invite) {
        user_.on_response_received(id, response);  // a repeated 2xx too: its ACK was lost
    }
}

void Transactions::tick(std::int64_t now) {
    tick_servers(now);
    tick_clients(now);
}

void Transactions::tick_servers(std::int64_t now) {
    for (auto entry = servers_.begin(); entry != servers_.end();) {
        Server& server = entry->second;
        if (server.ends_at >= 0 && now >= server.ends_at) {
            entry = erase_server(entry);
            continue;
        }
        if (server.retransmit_at >= 0 && now >= server.retransmit_at) {
            send_(server.flow, server.response);
            server.interval = std::min(server.interval * 2, kT2);
            server.retransmit_at = now + server.interval;
        }
        ++entry;
    }
}

void Transactions::tick_clients(std::int64_t now) {
    std::vector<std::uint64_t> timed_out;
    for (auto entry = clients_.begin(); entry != clients_.end();) {
        Client& client = entry->second;
        if (now >= client.ends_at) {
            if (!client.answered) {
                timed_out.push_back(client.id);
            }
            entry = clients_.erase(entry);
            continue;
        }
        if (client.retransmit_at >= 0 && now >= client.retransmit_at) {
            send_(client.flow, client.bytes);
            client.interval = client.invite ? client.interval * 2 : std::min(client.interval * 2, kT2);
            client.retransmit_at = now + client.interval;
        }
        ++entry;
    }
    for (const std::uint64_t id : timed_out) {
        user_.on_request_timed_out(id);
    }
}

std::optional<std::int64_t> Transactions::next_deadline() const {
    std::optional<std::int64_t> next;
    const auto consider = [&next](std::int64_t at) {
        if (at >= 0 && (!next || at < *next)) {
            next = at;
        }
    };
    for (const auto& [key, server] : servers_) {
        consider(server.ends_at);
        consider(server.retransmit_at);
    }
    for (const auto& [branch, client] : clients_) {
        consider(client.ends_at);
        consider(client.retransmit_at);
    }
    return next;
}

}  // namespace vmr::sip
