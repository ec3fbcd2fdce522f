// SIP transactions (RFC 3261 section 17, with RFC 6026's Accepted state). Pure: time is
// an argument, in milliseconds on any monotonic clock; sending is a function.
#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "daemon/legs/sip/message/message.hpp"
#include "daemon/legs/sip/message/writer.hpp"

namespace vmr::sip {

inline constexpr std::int64_t kT1 = 500;
inline constexpr std::int64_t kT2 = 4000;
inline constexpr std::int64_t kT4 = 5000;
inline constexpr std::int64_t kTimeout = 64 * kT1;  // timers B, F, H, J, L

using Sender = std::function<void(const Flow& flow, const std::string& bytes)>;

class TransactionUser {
public:
    virtual ~TransactionUser() = default;
    // The refusal of a request that may cost no transaction (stateless, RFC 3261 section 8.2.7: it is asked
    // again for each retransmission); of status 0: no answer; nothing for one that may go on.
    virtual std::optional<Reply> refusal_of(const Message& /*request*/) { return std::nullopt; }
    // A new request; `transaction` answers it. Empty for an ACK to a 2xx.
    virtual void on_request_received(const std::string& transaction, const Message& request) = 0;
    // CANCEL matched this INVITE; the CANCEL itself was answered.
    virtual void on_invite_cancelled(const std::string& transaction) = 0;
    virtual void on_response_received(std::uint64_t id, const Message& response) = 0;
    virtual void on_request_timed_out(std::uint64_t id) = 0;
};

class Transactions {
public:
    Transactions(Sender send, TransactionUser& user, std::size_t max_server)
        : send_(std::move(send)), user_(user), max_server_(max_server) {}

    void receive(const Message& message, std::int64_t now);
    // Sends a response and keeps it for retransmissions of the request. A no-op once final.
    void respond(const std::string& transaction, int status, const std::string& bytes, std::int64_t now);
    // Starts a client transaction. `ack` answers a refusal of an INVITE, with the refusal's To. `call`: in
    // whose dialog it is. `id`: that of a request of ours whose place it takes; 0: it gets one of its own.
    std::uint64_t request(const Flow& flow, const std::string& method, const std::string& branch,
                          const std::string& bytes, const std::string& ack, std::int64_t now,
                          const std::string& call = {}, std::uint64_t id = 0);
    // A request of this call went along this connection, waits for its answer and may be sent again.
    bool awaits_answer(const std::string& call, std::uint64_t connection) const;
    // The connection is gone: requests of the call go out by another way, in the time that they have left.
    // What went by TLS goes by nothing less.
    void send_again(const std::string& call, std::uint64_t connection, const Flow& to, std::int64_t now);
    // An answered request: a copy of it is a new one.
    void forget(const std::string& transaction);
    void tick(std::int64_t now);
    std::optional<std::int64_t> next_deadline() const;
    std::size_t servers() const { return servers_.size(); }
    std::size_t answered() const { return answered_.size(); }
    // Of one source_of().
    std::size_t servers_of(const std::string& source) const;

private:
    struct Server {
        enum class State { proceeding, completed, confirmed, accepted } state = State::proceeding;
        bool invite = false;
        Flow flow;
        std::string response;
        std::int64_t retransmit_at = -1;  // timer G
        std::int64_t interval = kT1;
        std::int64_t ends_at = -1;                                 // timers H, I, J, L
        std::optional<std::list<std::string>::iterator> answered;  // where it is among those
    };
    struct Client {
        std::uint64_t id = 0;
        bool invite = false;
        bool answered = false;    // a final response came
        bool proceeding = false;  // a provisional one
        std::string call;
        int moves = 0;  // to another way
        Flow flow;
        std::string bytes, ack;
        bool is_left_on(const std::string& which, std::uint64_t connection) const;
        std::int64_t retransmit_at = -1;  // timers A, E
        std::int64_t interval = kT1;
        std::int64_t ends_at = -1;  // timers B, D, F, K
    };
    Server& add_server(const std::string& key, const Flow& flow);
    std::map<std::string, Server>::iterator erase_server(std::map<std::string, Server>::iterator server);
    bool make_place();
    static std::string server_key(const Message& request, const std::string& method);
    void receive_request(const Message& request, std::int64_t now);
    void receive_ack(const Message& ack, std::int64_t now);
    void receive_cancel(const Message& cancel, const std::string& key, std::int64_t now);
    void receive_response(const Message& response, std::int64_t now);
    void tick_servers(std::int64_t now);
    void tick_clients(std::int64_t now);

    Sender send_;
    TransactionUser& user_;
    std::size_t max_server_;
    std::map<std::string, Server> servers_;
    std::unordered_map<std::string, std::size_t> servers_by_source_;
    std::list<std::string> answered_;        // keys of servers, oldest first
    std::map<std::string, Client> clients_;  // by branch
    std::uint64_t next_id_ = 1;
};

}  // namespace vmr::sip
