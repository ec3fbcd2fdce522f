// Accepts connections for a SoupServer: caps in all and per source, deadlines, TLS with a
// certificate that can be replaced, and the byte budget of each connection.
#pragma once
#include <libsoup/soup.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/gst_ptr.hpp"
#include "base/result.hpp"
#include "base/signal.hpp"
#include "daemon/api/limited_stream.hpp"
#include "daemon/api/server.hpp"

namespace vmr::api {

class Listener;

struct Connection {
    std::string address;  // of the peer, without the port
    std::string source;   // what is limited together: an IPv4 address or an IPv6 /64
    std::string key;      // peer and local address with ports
    bool secure = false;
    std::string tls_version;
    std::string tls_suite;
    GPtr<GSocket> socket;
    std::shared_ptr<StreamBudget> budget;

    // Cuts the connection off: libsoup sees the end of the stream.
    void abort();
    // Nothing is due until the peer is done with the response (or for ever: a WebSocket).
    void set_deadline(unsigned seconds);  // 0: none
    ~Connection();

private:
    friend class Listener;
    GSource* deadline_ = nullptr;
    bool expired_ = false;
    Listener* listener_ = nullptr;
};
using ConnectionPtr = std::shared_ptr<Connection>;

class Listener {
public:
    Listener(SoupServer* server, const ServerOptions& options);
    ~Listener();
    Listener(const Listener&) = delete;

    Status listen(const ListenAddress& address);
    Status load_certificate(const std::string& certificate_file, const std::string& key_file);
    void stop();
    ConnectionPtr find(SoupServerMessage* message) const;
    std::vector<std::string> urls() const { return urls_; }
    std::size_t size() const { return connections_.size(); }
    std::uint64_t refused() const { return refused_; }

    void on_connection_accepted(GSocketConnection* accepted, bool tls);
    void on_handshake_finished(const std::string& key, GTlsConnection* tls, bool ok);
    void on_stream_finalized(const std::string& key, const Connection* connection);
    void on_deadline_passed(Connection& connection);

private:
    void hand_over(const ConnectionPtr& connection, GIOStream* stream);

    SoupServer* server_;
    const ServerOptions& options_;
    GPtr<GSocketService> service_;
    SignalConnection incoming_;
    GPtr<GTlsCertificate> certificate_;
    std::map<std::string, ConnectionPtr> connections_;
    std::map<std::string, std::size_t> per_source_;
    std::vector<std::string> urls_;
    std::uint64_t refused_ = 0;
    std::shared_ptr<Listener*> self_;  // for callbacks that may come after us
};

}  // namespace vmr::api
