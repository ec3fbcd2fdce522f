// A SIP server that answers what a test tells it to: UDP, or TLS with a certificate of its own. It remembers
// what it was sent, and how that was marked.
#pragma once
#include <openssl/ssl.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/legs/sip/network/stack.hpp"

namespace vmr::sip::test {

class ScriptedPeer {
public:
    // What goes back for a request, in order. Called on the peer's thread.
    using Script = std::function<std::vector<std::string>(const std::string& request)>;
    // TLS with `certificate`; UDP without.
    explicit ScriptedPeer(Script script, const TlsConfig* certificate = nullptr);
    ~ScriptedPeer();
    ScriptedPeer(const ScriptedPeer&) = delete;
    ScriptedPeer& operator=(const ScriptedPeer&) = delete;

    std::uint16_t port() const { return port_; }
    // The next message that begins so; others are skipped. Empty after 30 s.
    std::string expect(const std::string& start);
    std::size_t count(const std::string& start);  // of all that came
    bool send(const std::string& text);           // along the last way that something came by
    void hang_up();                               // closes all connections
    int dscp() const { return dscp_; }            // of the last datagram
    std::string client_name() const;  // CN of the last client's certificate; empty: none was shown

private:
    struct Connection;
    void run();
    void accept();
    bool read(Connection& connection);
    void read_datagram();
    void take(const std::string& text);

    Script script_;
    int socket_ = -1;
    SSL_CTX* context_ = nullptr;
    std::uint16_t port_ = 0;
    std::atomic<bool> over_{false};
    std::atomic<int> dscp_{-1};
    std::mutex write_;  // guards what follows, up to mutex_
    std::map<int, std::unique_ptr<Connection>> connections_;
    int last_ = -1;
    std::string source_;        // a sockaddr
    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    std::deque<std::string> waiting_;
    std::vector<std::string> all_;
    std::string client_name_;
    std::thread thread_;
};

// A response to `request`: its head copied, a To tag, then `extra`.
std::string response(const std::string& request, int status, const std::string& tag = "peer",
                     const std::string& extra = {}, const std::string& body = {});

}  // namespace vmr::sip::test
