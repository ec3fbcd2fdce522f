#include "daemon/media/transport/dtls_certificate.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "daemon/media/transport/dtls_session.hpp"

namespace vmr::media {

namespace {

// Strongest first: as the DTLS server we choose (RFC 5764 section 4.1.2).
constexpr const char* kSrtpProfiles =
    "SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80:SRTP_AES128_CM_SHA1_32";
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr long kValidFrom = -24L * 3600;  // s: for clocks that disagree
constexpr long kValidTo = 365L * 24 * 3600;

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;

CertificatePtr self_signed(EVP_PKEY* key) {
    CertificatePtr certificate(X509_new(), X509_free);
    uint64_t serial = 0;
    if (!certificate || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) {
        return {nullptr, X509_free};
    }
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), kValidFrom);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kValidTo);
    X509_NAME* name = X509_get_subject_name(certificate.get());
    // Says nothing about this host or its software, but what browsers say, too: anyone on the path sees it.
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("WebRTC"), -1,
                               -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    if (X509_set_pubkey(certificate.get(), key) != 1 ||
        X509_sign(certificate.get(), key, EVP_sha256()) == 0) {
        return {nullptr, X509_free};
    }
    return certificate;
}

bool configure(SSL_CTX* context, X509* certificate, EVP_PKEY* key) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(context, DtlsSession::on_certificate_received, nullptr);
    return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, kCiphers) == 1 &&
           SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1 &&
           SSL_CTX_set_tlsext_use_srtp(context, kSrtpProfiles) == 0;  // 0 is success here
}

const EVP_MD* digest_of(FingerprintHash hash) {
    switch (hash) {
        case FingerprintHash::sha384:
            return EVP_sha384();
        case FingerprintHash::sha512:
            return EVP_sha512();
        case FingerprintHash::sha256:
            break;
    }
    return EVP_sha256();
}

}  // namespace

std::string certificate_fingerprint(X509* certificate, FingerprintHash hash) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (certificate == nullptr || X509_digest(certificate, digest_of(hash), digest, &size) != 1) {
        return {};
    }
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string text;
    for (unsigned i = 0; i < size; i++) {
        if (i > 0) {
            text += ':';
        }
        text += kHex[digest[i] >> 4];
        text += kHex[digest[i] & 15];
    }
    return text;
}

Result<std::shared_ptr<DtlsCertificate>> DtlsCertificate::generate() {
    KeyPtr key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    CertificatePtr certificate = key ? self_signed(key.get()) : CertificatePtr(nullptr, X509_free);
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(DTLS_method()), SSL_CTX_free);
    if (!certificate || !context || !configure(context.get(), certificate.get(), key.get())) {
        return Error{"cannot make the DTLS certificate"};
    }
    return std::shared_ptr<DtlsCertificate>(new DtlsCertificate(context.release()));
}

DtlsCertificate::~DtlsCertificate() {
    SSL_CTX_free(context_);
}

std::string DtlsCertificate::fingerprint(FingerprintHash hash) const {
    return certificate_fingerprint(SSL_CTX_get0_certificate(context_), hash);
}

}  // namespace vmr::media
