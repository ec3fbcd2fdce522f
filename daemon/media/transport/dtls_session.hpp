// One DTLS-SRTP handshake (RFC 5764) without I/O: datagrams and time go in, datagrams
// and at last the SRTP keys come out. The peer's certificate must have one of the
// signalled fingerprints, or there are no keys (RFC 5763 section 5).
#pragma once
#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "daemon/media/transport/channel.hpp"
#include "daemon/media/transport/dtls_certificate.hpp"
#include "daemon/media/transport/srtp.hpp"

namespace vmr::media {

class DtlsEvents {
public:
    virtual ~DtlsEvents() = default;
    virtual void on_dtls_datagram_made(Bytes datagram) = 0;
    virtual void on_dtls_keyed(const SrtpKeys& keys) = 0;
    virtual void on_dtls_failed(const std::string& reason) = 0;
    virtual void on_dtls_closed() = 0;  // close_notify from the peer
};

class DtlsSession {
public:
    DtlsSession(std::shared_ptr<DtlsCertificate> certificate, DtlsParams params, DtlsEvents& events);
    ~DtlsSession();
    DtlsSession(const DtlsSession&) = delete;
    DtlsSession& operator=(const DtlsSession&) = delete;

    void start();  // a client says hello, a server waits
    void feed(Bytes datagram);
    // When handle_timeout() is due, from now; empty: no retransmission is pending.
    std::optional<std::chrono::microseconds> timeout() const;
    void handle_timeout();
    void close();  // sends close_notify

    bool finished() const { return state_ != State::handshake; }
    static int on_certificate_received(X509_STORE_CTX* store, void* unused);

private:
    enum class State { handshake, keyed, failed, closed };

    static BIO* make_output(DtlsSession* self);
    static int on_output_written(BIO* bio, const char* data, int size);
    static long on_output_controlled(BIO* bio, int command, long number, void* pointer);
    bool matches(X509* certificate) const;
    void step();
    void export_keys();
    void read_application_data();
    void fail(const std::string& reason);

    std::shared_ptr<DtlsCertificate> certificate_;
    DtlsParams params_;
    DtlsEvents& events_;
    SSL* ssl_;
    BIO* input_;  // owned by ssl_
    State state_ = State::handshake;
    bool mismatched_ = false;
};

}  // namespace vmr::media
