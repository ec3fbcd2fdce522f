// The certificates that TLS listeners show, by the name that a client asks for (SNI, RFC 6066 section 3).
#pragma once
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "daemon/legs/sip/network/stack.hpp"

namespace vmr::sip {

// DNS names of a certificate (subjectAltName), lower case.
std::vector<std::string> dns_names_of(X509* certificate);
// RFC 6125 section 6.4.3: "*." stands for one label, the left-most.
bool names_host(std::string_view pattern, std::string_view host);

// Used on the sip thread only. A listener's context keeps a pointer to it.
class ServerNames {
public:
    // All or nothing: an error keeps what there was.
    Status load(const std::vector<CertificateFiles>& files);
    // From now on `context` shows to each client what it asked for, and its own certificate to others.
    void serve(SSL_CTX* context);

private:
    struct CertificateFree {
        void operator()(X509* certificate) const { X509_free(certificate); }
        void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
        void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
    };
    struct Entry {
        std::vector<std::string> names;
        std::unique_ptr<X509, CertificateFree> certificate;
        std::unique_ptr<EVP_PKEY, CertificateFree> key;
        std::unique_ptr<STACK_OF(X509), CertificateFree> chain;
    };
    static Result<Entry> read(const CertificateFiles& files);
    static int on_name_asked(SSL* ssl, int* alert, void* self);
    const Entry* find(std::string_view host) const;

    std::vector<Entry> entries_;
};

}  // namespace vmr::sip
