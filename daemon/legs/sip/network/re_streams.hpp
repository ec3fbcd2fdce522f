// TCP and TLS connections over libre sockets: accept within limits, frame, write back.
// Everything runs on the sip thread.
#pragma once
#include "base/libre.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/source_limiter.hpp"
#include "daemon/legs/sip/network/framer.hpp"
#include "daemon/legs/sip/network/stack.hpp"

namespace vmr::sip {

Address to_address(const sa& address);
// The address that the kernel would send from; asks the routing table, sends nothing.
std::string source_address_for(const sa& remote);

class Streams {
public:
    enum class Verdict {
        taken,
        later,  // it waits here, and with it what comes behind: who speaks TCP sends nothing twice
        close,
    };
    struct Handlers {
        // One framed message. `crowded`: no more may wait.
        std::function<Verdict(std::string_view bytes, const Flow& flow, bool crowded)> on_frame_received;
        std::function<bool(const std::string& ip)> is_banned;
        // The limit of handshakes does not hold for these.
        std::function<bool(const std::string& ip)> is_trusted;
        // Of who connected here; not when it closes without a word, as a watchdog that asks for the port
        // does, nor when it does not take our certificate.
        std::function<void(const Flow& flow)> on_handshake_failed;
        // Bytes that end the stream: nobody knows where the next message would begin.
        std::function<void(std::string_view bytes, const Flow& flow)> on_malformed_received;
        std::function<void(std::uint64_t connection)> on_connection_closed;
    };
    Streams(const StackConfig& config, StackStatistics& statistics, Handlers handlers);
    ~Streams();
    Streams(const Streams&) = delete;
    Streams& operator=(const Streams&) = delete;

    // `tls` tells the context of the next handshake; empty for TCP.
    using TlsContext = std::function<struct tls*()>;
    Result<Address> listen(const sa& local, Transport transport, TlsContext tls);
    // `dscp`: of the connection from now on; -1: as it is.
    void send(std::uint64_t connection, std::string_view bytes, int dscp = -1);
    void limit_idle(std::uint64_t connection, int timeout_ms);

    using OnOpened = std::function<void(Result<Flow>)>;
    // A connection of ours to `target`; `tls` is borrowed, null for TCP. `on_opened` is called once, perhaps
    // from within.
    void open(const Target& target, const std::string& host, struct tls* tls, OnOpened on_opened);
    std::size_t size() const { return connections_.size(); }

private:
    struct Listener {
        Streams* owner;
        Transport transport;
        TlsContext tls;
        tcp_sock* socket;
        Address bound;
    };
    struct Connection {
        Streams* owner = nullptr;
        Flow flow;
        tcp_conn* tcp = nullptr;
        tls_conn* tls = nullptr;
        tmr timer{};
        Framer framer;
        std::size_t counted = 0;  // bytes of the framer in waiting_
        bool held = false;        // its next message waits: it is in held_
        int idle_timeout_ms = 0;
        bool began = false;  // TLS: bytes came
        bool established = false;
        bool closing = false;
        bool ended = false;  // by the peer, while what it had sent was held
        int dscp = 0;
        // Those that we opened.
        bool ours = false;
        bool spoke = false;             // a message came
        std::string host;               // TLS: whose certificate it must be
        std::vector<OnOpened> waiting;  // for it to be up
        bool can_send() const { return !closing && !ended; }
    };

    static void on_tcp_accepted(const sa* peer, void* arg);
    static void on_established(void* arg);
    static void on_data_received(mbuf* data, void* arg);
    static void on_closed(int error, void* arg);
    static void on_timer_expired(void* arg);
    static bool on_bytes_received(int* error, mbuf* data, bool* established, void* arg);
    void accept(Listener& listener, const sa& peer);
    bool has_place(const Listener& listener, const Address& remote);
    int start_tls(Connection& connection, struct tls* tls);
    // `declined`: by the peer.
    void fail_handshake(const Connection& connection, bool declined);
    Status connect(Connection& connection, struct tls* tls);
    bool take_handshake(Connection& connection);
    void tell_waiting(Connection& connection, const Result<Flow>& outcome);
    Address reachable_at(Transport transport, const Address& local) const;
    void take_frames(Connection& connection);
    bool take_frame(Connection& connection);
    void restart_timer(Connection& connection, bool any);
    void count(Connection& connection);
    void hold(Connection& connection);
    static void on_held_due(void* arg);
    void take_held();
    void end(Connection& connection);
    void close_later(Connection& connection);
    void erase(std::uint64_t id);

    const StackConfig& config_;
    StackStatistics& statistics_;
    Handlers handlers_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
    std::unordered_map<std::string, int> per_source_;
    SourceLimiter handshakes_;
    std::size_t waiting_ = 0;  // bytes in all framers
    std::vector<std::uint64_t> held_;
    tmr held_timer_{};
    std::uint64_t next_id_ = 1;
};

}  // namespace vmr::sip
