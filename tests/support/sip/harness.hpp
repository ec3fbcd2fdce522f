// SipLegs on a control thread of its own, over real loopback sockets, with a fake bridge;
// and a raw client that speaks UDP, TCP or TLS.
#pragma once
#include <glib.h>
#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "daemon/legs/sip/sip_legs.hpp"
#include "tests/support/sip/fakes.hpp"

namespace vmr::sip::test {

// A self-signed certificate and key in a fresh folder; `name` is the CN and the one DNS name.
enum class KeyKind { ec, rsa };
TlsConfig make_certificate(const std::string& name, KeyKind kind = KeyKind::ec);
void replace_certificate_files(const TlsConfig& files, const std::string& name, KeyKind kind = KeyKind::ec);

class Harness {
public:
    explicit Harness(SipConfig config = {});
    ~Harness();
    std::uint16_t port(Transport transport) const;
    // Runs on the control thread and waits.
    void run(const std::function<void()>& job);
    // Turns the control loop until `ready` (evaluated there) or the time is over.
    bool wait(const std::function<bool()>& ready, int timeout_ms = 30000);

    FakeObserver observer;
    std::unique_ptr<SipLegs> legs;
    std::vector<ListenAddress> bound;
    TlsConfig tls;

private:
    GMainContext* context_;
    GMainLoop* loop_;
    std::thread thread_;
};

class Client {
public:
    Client(Transport transport, std::uint16_t port);
    explicit Client(int accepted) : transport_(Transport::tcp), socket_(accepted) {}
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    bool send(const std::string& bytes);
    // The next message (a datagram, or one framed by Content-Length); empty after the time.
    std::string receive(int timeout_ms = 30000);
    std::string receive_raw(int timeout_ms = 30000);  // what comes, at least one byte
    // Skips others until one starts with `start`.
    std::string expect(const std::string& start, int timeout_ms = 30000);
    bool closed(int timeout_ms = 30000);  // the peer closed the stream
    std::uint16_t local_port() const { return local_port_; }
    const char* name() const;
    std::string peer_name() const;  // CN of the server's certificate
    int descriptor() const { return socket_; }

private:
    explicit Client(Transport transport) : transport_(transport) {}
    bool more(int timeout_ms);
    Transport transport_;
    int socket_ = -1;
    SSL_CTX* context_ = nullptr;
    SSL* ssl_ = nullptr;
    std::string buffer_;
    bool eof_ = false;
    std::uint16_t local_port_ = 0;
};

// Requests of one call, as a plain client writes them.
struct Caller {
    explicit Caller(Client& client, std::string number = "room");
    std::string request(const std::string& method, const std::string& extra = {},
                        const std::string& body = {}, const std::string& type = "application/sdp");
    std::string ack(const std::string& body = {});  // to the last INVITE's 2xx
    std::string cancel();                           // of the last INVITE
    void learn(const std::string& response);        // takes the To tag
    std::string answer(const std::string& request, const std::string& extra = {},
                       const std::string& body = {});

    Client& client;
    std::string user, call_id, tag, remote_tag, invite_branch, contact;
    std::string to_uri;
    int cseq = 0, invite_cseq = 0;
};

inline constexpr const char* kOffer =
    "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\n";

// Value of a header in a message's text; empty when absent.
std::string header(const std::string& message, const std::string& name);
// A healthy OPTIONS is answered with 200.
bool alive(const Harness& harness, Transport transport = Transport::udp);

}  // namespace vmr::sip::test
