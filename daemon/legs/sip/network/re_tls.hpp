// TLS for the libre stack: the native SSL_CTX behind a `struct tls`.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/legs/sip/network/server_names.hpp"
#include "daemon/legs/sip/network/stack.hpp"

struct tls;

namespace vmr::sip {

// The handshake that OpenSSL finished last on this thread; libre tells of an
// established connection from within the same call.
struct HandshakeResult {
    std::string protection;        // "TLSv1.3 TLS_AES_256_GCM_SHA384"
    std::string peer_certificate;  // subject, or empty
    // SIP domains of the peer's certificate (RFC 5922 section 7.1) and its addresses; empty if not verified.
    std::vector<std::string> domains;
};
HandshakeResult take_last_handshake();

// For connections that we open: the chain is verified by `ca_file` (empty: the system's); our certificate is
// shown to who asks for one.
Result<struct tls*> make_client_tls(const TlsConfig& config, const std::string& ca_file);
// RFC 5922 section 7.2: exact, without wildcards.
bool is_certificate_of(const std::vector<std::string>& domains, const std::string& host);

// The contexts of TLS listeners: TLS 1.2 or later, forward secrecy, no renegotiation. On the sip thread only.
class ServerTls {
public:
    explicit ServerTls(const TlsConfig& config) : config_(config) {}
    ~ServerTls() { clear(); }
    ServerTls(const ServerTls&) = delete;
    ServerTls& operator=(const ServerTls&) = delete;

    // `required_client_ca`: who connects must show a certificate that this file vouches for; empty: as the
    // configuration has it. Borrowed; an error when a file is bad.
    Result<struct tls*> context_for(const std::string& required_client_ca);
    // Puts the files as they are now into the same contexts: open connections keep what they have. The files
    // are tried in a context of their own first, so that an error changes nothing there.
    Status replace();
    void clear();

private:
    const TlsConfig& config_;
    ServerNames names_;                       // the contexts point to it
    std::map<std::string, struct tls*> tls_;  // by the client CA that is required, if any
};

}  // namespace vmr::sip
