// The self-signed EC P-256 certificate that DTLS-SRTP shows, made at start. Its
// fingerprint in the SDP is what the peer checks (RFC 5763).
#pragma once
#include <memory>
#include <string>

#include "base/result.hpp"
#include "daemon/media/transport/types.hpp"

using SSL_CTX = struct ssl_ctx_st;
using X509 = struct x509_st;

namespace vmr::media {

class DtlsCertificate {
public:
    static Result<std::shared_ptr<DtlsCertificate>> generate();
    ~DtlsCertificate();
    DtlsCertificate(const DtlsCertificate&) = delete;
    DtlsCertificate& operator=(const DtlsCertificate&) = delete;

    // Hex pairs with colons, upper case, as in a=fingerprint.
    std::string fingerprint(FingerprintHash hash = FingerprintHash::sha256) const;
    SSL_CTX* context() const { return context_; }

private:
    explicit DtlsCertificate(SSL_CTX* context) : context_(context) {}

    SSL_CTX* context_;
};

// The fingerprint of any certificate; empty if it cannot be computed.
std::string certificate_fingerprint(X509* certificate, FingerprintHash hash);

}  // namespace vmr::media
