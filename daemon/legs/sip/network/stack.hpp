// What a SIP stack must do for us: sockets, TLS, framing and parsing on a thread of its
// own. Transactions and dialogs are ours and live above it. libre sits behind this
// (docs/decisions/0004-sip-stack.md); nothing above may know.
#pragma once
#include <glib.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/legs/sip/message/message.hpp"
#include "daemon/legs/sip/network/bans.hpp"
#include "daemon/legs/sip/network/resolver.hpp"

namespace vmr::sip {

struct ListenAddress {
    Transport transport = Transport::udp;
    Address address;  // port 0: any free one, reported back by start()
    // TLS: PEM of who vouches for those that may connect; without a certificate of theirs nobody does. Empty:
    // as TlsConfig::client_ca_file has it.
    std::string required_client_ca_file = {};
};

struct CertificateFiles {  // PEM
    std::string chain, key;
};

struct TlsConfig {
    std::string certificate_chain_file;  // PEM
    std::string private_key_file;        // PEM
    std::string client_ca_file;  // asks for (and, if given, verifies) a client certificate; may be empty
    std::vector<CertificateFiles> more = {};  // shown to who asks for one of their names (SNI)
};

// Calls that we place.
struct OutboundConfig {
    std::vector<Address> name_servers;  // empty: the system's
    std::string ca_file;         // PEM, whom servers' certificates are verified by; empty: the system's
    int open_timeout_ms = 5000;  // TCP connect and TLS handshake, each target
};

struct StackConfig {
    std::vector<ListenAddress> listen;
    TlsConfig tls;
    OutboundConfig outbound;
    int max_connections = 2000;
    int max_connections_per_source = 200;
    // TLS handshakes, each costs a signature: per source address; as many at once as it may have connections.
    double handshakes_per_second = 20;
    int first_message_timeout_ms = 15000;  // includes the TLS handshake
    int idle_timeout_ms = 3 * 3600 * 1000;
    // Per source address, of datagrams and of streams; the burst is twice that. Of streams those beyond it
    // wait.
    double messages_per_second = 1000;
    int max_queued = 4096;  // parsed messages that wait for the control thread
    BanRules bans;
    bool answer_stun = false;  // keep-alives of clients that register over UDP
    // What each message says to be made by; empty: nothing.
    std::string software;
};

struct StackStatistics {
    std::uint64_t received = 0;  // handed up
    std::uint64_t malformed = 0;
    std::uint64_t rate_limited = 0;  // datagrams dropped, and what came by streams that was refused with 503
    std::uint64_t bans = 0;          // pronounced
    std::uint64_t banned = 0;        // datagrams, messages and connections that were not heard for one
    std::uint64_t queue_full = 0;    // datagrams dropped
    std::uint64_t connections_refused = 0;
    std::uint64_t handshakes_failed = 0;
    int connections = 0;
};

// Called on the control context.
class StackHandler {
public:
    virtual ~StackHandler() = default;
    virtual void on_message_received(Message message) = 0;
    virtual void on_connection_closed(std::uint64_t connection) = 0;
    // Answers to resolve() and open(), with their `id`.
    virtual void on_resolved(std::uint64_t id, const Result<std::vector<Target>>& targets) = 0;
    virtual void on_flow_opened(std::uint64_t id, const Result<Flow>& flow) = 0;
};

class Stack {
public:
    virtual ~Stack() = default;
    // Binds and starts the thread; returns the addresses with their real ports.
    virtual Result<std::vector<ListenAddress>> start() = 0;
    virtual void stop() = 0;  // joins the thread; nothing is delivered afterwards
    // Sends along a flow. A datagram goes to flow.remote; a stream message goes to the
    // flow's connection, and is dropped when that is gone (the transaction times out).
    virtual void send(const Flow& flow, std::string bytes) = 0;
    // Counts an offence by the other end of a flow, as a message that cannot be read is one. Too many of them
    // ban the source: what came by datagrams, which may be forged, its datagrams only.
    virtual void punish(const Flow& flow, double weight) = 0;
    // Addresses for which `trusted` holds are never banned. Called on the stack's thread.
    virtual void set_trusted(std::function<bool(const std::string& ip)> trusted) = 0;
    // RFC 3263; the one place where a name is looked up: for a call that we place.
    virtual void resolve(std::uint64_t id, const Destination& destination) = 0;
    // A way to a target. TLS verifies the chain and that the certificate is `host`'s (RFC 5922), the name
    // that was dialled. A connection that we opened there before, for the same name, is used again.
    virtual void open(std::uint64_t id, const Target& target, const std::string& host) = 0;
    // The connection is closed when nothing comes for so long; in place of idle_timeout_ms.
    virtual void limit_idle(std::uint64_t connection, int timeout_ms) = 0;
    // New handshakes use the new files; open connections stay. An error keeps the old ones.
    virtual Status reload_certificate() = 0;
    virtual StackStatistics statistics() const = 0;
};

// `context` is the control context on which the handler runs.
std::unique_ptr<Stack> make_stack(StackConfig config, GMainContext* context, StackHandler& handler);

}  // namespace vmr::sip
