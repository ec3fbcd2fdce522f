#include "daemon/legs/sip/re_tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include "base/libre.hpp"

#include <memory>

namespace vmr::sip {
namespace {

thread_local HandshakeResult last_handshake;

struct SslContextFree {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};

void on_handshake_state_changed(const SSL* ssl, int where, int /*value*/) {
    if ((where & SSL_CB_HANDSHAKE_DONE) == 0) {
        return;
    }
    last_handshake.protection = std::string(SSL_get_version(ssl)) + " " + SSL_get_cipher_name(ssl);
    last_handshake.peer_certificate.clear();
    X509* certificate = SSL_get0_peer_certificate(ssl);
    if (certificate != nullptr && SSL_get_verify_result(ssl) == X509_V_OK) {
        char name[256] = {};
        X509_NAME_oneline(X509_get_subject_name(certificate), name, sizeof name);
        last_handshake.peer_certificate = name;
    }
}

Status load_files(SSL_CTX* context, const TlsConfig& config) {
    if (SSL_CTX_use_certificate_chain_file(context, config.certificate_chain_file.c_str()) != 1) {
        return Error{"cannot read the certificate chain " + config.certificate_chain_file};
    }
    if (SSL_CTX_use_PrivateKey_file(context, config.private_key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        return Error{"the private key " + config.private_key_file +
                     " cannot be read or is not the certificate's"};
    }
    if (config.client_ca_file.empty()) {
        return Ok{};
    }
    if (SSL_CTX_load_verify_locations(context, config.client_ca_file.c_str(), nullptr) != 1) {
        return Error{"cannot read the client CA file " + config.client_ca_file};
    }
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(config.client_ca_file.c_str()));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);  // asked for, not demanded
    return Ok{};
}

}  // namespace

HandshakeResult take_last_handshake() {
    return std::exchange(last_handshake, {});
}

Result<struct tls*> make_server_tls(const TlsConfig& config) {
    struct tls* tls = nullptr;
    if (tls_alloc(&tls, TLS_METHOD_SSLV23, nullptr, nullptr) != 0) {
        return Error{"cannot make a TLS context"};
    }
    SSL_CTX* context = tls_openssl_context(tls);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE+AES:!aNULL:!SHA1");
    SSL_CTX_set_options(context,
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_info_callback(context, on_handshake_state_changed);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    const Status loaded = load_files(context, config);
    ERR_clear_error();
    if (!loaded) {
        mem_deref(tls);
        return Error{loaded.error()};
    }
    return tls;
}

Status replace_certificate(struct tls* tls, const TlsConfig& config) {
    const std::unique_ptr<SSL_CTX, SslContextFree> trial(SSL_CTX_new(TLS_server_method()));
    Status loaded = trial ? load_files(trial.get(), config) : Status(Error{"cannot make a TLS context"});
    if (loaded) {
        loaded = load_files(tls_openssl_context(tls), config);
    }
    ERR_clear_error();
    return loaded;
}

}  // namespace vmr::sip
