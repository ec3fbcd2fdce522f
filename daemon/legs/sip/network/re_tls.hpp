// TLS for the libre stack: the native SSL_CTX behind a `struct tls`.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/legs/sip/network/server_names.hpp"
#include "daemon/legs/sip/network/stack.hpp"

struct tls;

namespace vmr::sip {

// The handshake that OpenSSL finished last on this thread; libre tells of a connection that is established,
// or closed, from within the same call.
struct HandshakeResult {
    std::string protection;        // "TLSv1.3 TLS_AES_256_GCM_SHA384"
    std::string peer_certificate;  // subject, or empty
    // SIP domains of the peer's certificate (RFC 5922 section 7.1) and its addresses; empty if not verified.
    std::vector<std::string> domains;
    bool declined = false;  // by an alert: the other side does not take our certificate, say
};
HandshakeResult take_last_handshake();

struct TlsFree {
    void operator()(struct tls* tls) const;
};
using TlsPtr = std::unique_ptr<struct tls, TlsFree>;

// For connections that we open: the chain is verified by `ca_file` (empty: the system's); our certificate is
// shown to who asks for one.
Result<TlsPtr> make_client_tls(const TlsConfig& config, const std::string& ca_file);
// RFC 5922 section 7.2: exact, without wildcards.
bool is_certificate_of(const std::vector<std::string>& domains, const std::string& host);

// The contexts of TLS listeners: TLS 1.2 or later, forward secrecy, no renegotiation. On the sip thread only.
class ServerTls {
public:
    explicit ServerTls(const TlsConfig& config) : config_(config) {}
    ServerTls(const ServerTls&) = delete;
    ServerTls& operator=(const ServerTls&) = delete;

    // `required_client_ca`: who connects must show a certificate that this file vouches for; empty: as the
    // configuration has it. An error when a file is bad.
    Status add(const std::string& required_client_ca);
    // Of what was added, for the next handshake. Open connections hold what they need of an older one.
    struct tls* context_for(const std::string& required_client_ca) const;

    struct Files {
        ServerNames names;
        std::map<std::string, TlsPtr> contexts;  // by the client CA that is required, if any
    };
    // The files as they are now, all of them or an error; nothing is changed. In contexts of their own: an
    // old one would keep a certificate whose key is of another kind, and whom its CA file no longer names.
    Result<Files> read();
    void use(Files files);
    void clear() { contexts_.clear(); }

private:
    Result<TlsPtr> make(const std::string& required_client_ca);

    const TlsConfig& config_;
    ServerNames names_;  // the contexts point to it
    std::map<std::string, TlsPtr> contexts_;
};

}  // namespace vmr::sip
