#include "daemon/legs/sip/network/re_tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/libre.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <memory>

#include "daemon/legs/sip/message/uri.hpp"

namespace vmr::sip {
namespace {

thread_local HandshakeResult last_handshake;

struct NamesFree {
    void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
};

std::string text_of(const ASN1_STRING* string) {
    const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
    std::string text(bytes, static_cast<std::size_t>(ASN1_STRING_length(string)));
    return text.find('\0') == std::string::npos ? text : std::string();  // "good.example\0.evil.example"
}

std::string address_of(const ASN1_STRING* string) {
    const int size = ASN1_STRING_length(string);
    char text[INET6_ADDRSTRLEN] = {};
    if ((size != 4 && size != 16) || inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(string),
                                               text, sizeof text) == nullptr) {
        return {};
    }
    return text;
}

// SIP URIs if there are any, else DNS names (RFC 5922 section 7.1); addresses for who is dialled by one.
std::vector<std::string> domains_of(X509* certificate) {
    const std::unique_ptr<GENERAL_NAMES, NamesFree> names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    std::vector<std::string> uris, hosts = dns_names_of(certificate), addresses;
    const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
    for (int index = 0; index < count; ++index) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), index);
        if (name->type == GEN_URI) {
            const auto uri = parse_uri(text_of(name->d.uniformResourceIdentifier));
            if (uri && uri->scheme == "sip" && uri->user.empty()) {
                uris.push_back(uri->host);
            }
        } else if (name->type == GEN_IPADD) {
            addresses.push_back(address_of(name->d.iPAddress));
        }
    }
    std::vector<std::string>& domains = uris.empty() ? hosts : uris;
    domains.insert(domains.end(), addresses.begin(), addresses.end());
    std::erase(domains, std::string());
    return domains;
}

void on_handshake_state_changed(const SSL* ssl, int where, int /*value*/) {
    if (where == SSL_CB_ACCEPT_EXIT) {
        last_handshake.declined = (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
    }
    if ((where & SSL_CB_HANDSHAKE_DONE) == 0) {
        return;
    }
    last_handshake.protection = std::string(SSL_get_version(ssl)) + " " + SSL_get_cipher_name(ssl);
    last_handshake.peer_certificate.clear();
    last_handshake.domains.clear();
    X509* certificate = SSL_get0_peer_certificate(ssl);
    if (certificate != nullptr && SSL_get_verify_result(ssl) == X509_V_OK) {
        char name[256] = {};
        X509_NAME_oneline(X509_get_subject_name(certificate), name, sizeof name);
        last_handshake.peer_certificate = name;
        last_handshake.domains = domains_of(certificate);
    }
}

Status load_certificate(SSL_CTX* context, const TlsConfig& config) {
    if (SSL_CTX_use_certificate_chain_file(context, config.certificate_chain_file.c_str()) != 1) {
        return Error{"cannot read the certificate chain " + config.certificate_chain_file};
    }
    if (SSL_CTX_use_PrivateKey_file(context, config.private_key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        return Error{"the private key " + config.private_key_file +
                     " cannot be read or is not the certificate's"};
    }
    return Ok{};
}

Status load_files(SSL_CTX* context, const TlsConfig& config, const std::string& required_client_ca) {
    const bool required = !required_client_ca.empty();
    const std::string& file = required ? required_client_ca : config.client_ca_file;
    if (!file.empty()) {
        if (SSL_CTX_load_verify_locations(context, file.c_str(), nullptr) != 1) {
            return Error{"cannot read the client CA file " + file};
        }
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(file.c_str()));
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                           nullptr);
    }
    return load_certificate(context, config);
}

// TLS 1.2 or later, forward secrecy, no renegotiation; null when there is no memory. No session is resumed:
// each handshake shows whose certificate it is, by the CA files as they are now.
TlsPtr make_tls() {
    struct tls* made = nullptr;
    if (tls_alloc(&made, TLS_METHOD_SSLV23, nullptr, nullptr) != 0) {
        return nullptr;
    }
    TlsPtr tls(made);
    SSL_CTX* context = tls_openssl_context(made);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE+AES:!aNULL:!SHA1");
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // most connections are idle: devices keep theirs
    SSL_CTX_set_info_callback(context, on_handshake_state_changed);
    return tls;
}

}  // namespace

void TlsFree::operator()(struct tls* tls) const {
    mem_deref(tls);
}

HandshakeResult take_last_handshake() {
    return std::exchange(last_handshake, {});
}

bool is_certificate_of(const std::vector<std::string>& domains, const std::string& host) {
    return !host.empty() && std::ranges::any_of(domains, [&host](const std::string& domain) {
        return equal_nocase(domain, host);
    });
}

Result<TlsPtr> make_client_tls(const TlsConfig& config, const std::string& ca_file) {
    TlsPtr tls = make_tls();
    if (!tls) {
        return Error{"cannot make a TLS context"};
    }
    SSL_CTX* context = tls_openssl_context(tls.get());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    const bool trusts = ca_file.empty()
                            ? SSL_CTX_set_default_verify_paths(context) == 1
                            : SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) == 1;
    Status loaded = trusts ? Status(Ok{}) : Status(Error{"cannot read the CA file " + ca_file});
    if (loaded && !config.certificate_chain_file.empty()) {
        loaded = load_certificate(context, config);
    }
    ERR_clear_error();
    if (!loaded) {
        return Error{loaded.error()};
    }
    return tls;
}

Result<TlsPtr> ServerTls::make(const std::string& required_client_ca) {
    TlsPtr tls = make_tls();
    if (!tls) {
        return Error{"cannot make a TLS context"};
    }
    SSL_CTX* context = tls_openssl_context(tls.get());
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    const Status loaded = load_files(context, config_, required_client_ca);
    ERR_clear_error();
    if (!loaded) {
        return Error{loaded.error()};
    }
    names_.serve(context);
    return tls;
}

Status ServerTls::add(const std::string& required_client_ca) {
    if (contexts_.contains(required_client_ca)) {
        return Ok{};
    }
    if (Status named = contexts_.empty() ? names_.load(config_.more) : Status(Ok{}); !named) {
        return named;
    }
    Result<TlsPtr> tls = make(required_client_ca);
    if (!tls) {
        return Error{tls.error()};
    }
    contexts_[required_client_ca] = std::move(*tls);
    return Ok{};
}

struct tls* ServerTls::context_for(const std::string& required_client_ca) const {
    return contexts_.at(required_client_ca).get();
}

Result<ServerTls::Files> ServerTls::read() {
    Files files;
    if (contexts_.empty()) {
        return files;
    }
    if (const Status named = files.names.load(config_.more); !named) {
        return Error{named.error()};
    }
    for (const auto& [required_client_ca, old] : contexts_) {
        Result<TlsPtr> tls = make(required_client_ca);
        if (!tls) {
            return Error{tls.error()};
        }
        files.contexts[required_client_ca] = std::move(*tls);
    }
    return files;
}

void ServerTls::use(Files files) {
    names_ = std::move(files.names);
    contexts_ = std::move(files.contexts);
}

}  // namespace vmr::sip
