#include "daemon/legs/sip/network/server_names.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "daemon/legs/sip/message/head.hpp"

namespace vmr::sip {
namespace {

constexpr std::size_t kMaxName = 253;
constexpr int kMaxChain = 16;

struct BioFree {
    void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioFree>;

}  // namespace

std::vector<std::string> dns_names_of(X509* certificate) {
    auto* names =
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    std::vector<std::string> hosts;
    for (int index = 0; names != nullptr && index < sk_GENERAL_NAME_num(names); ++index) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, index);
        if (name->type == GEN_DNS) {
            const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
            const std::string text(bytes, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
            if (!text.empty() && text.find('\0') == std::string::npos) {
                hosts.push_back(lower(text));
            }
        }
    }
    GENERAL_NAMES_free(names);
    return hosts;
}

bool names_host(std::string_view pattern, std::string_view host) {
    if (!pattern.starts_with("*.")) {
        return pattern == host;
    }
    const auto dot = host.find('.');
    return dot != std::string_view::npos && dot > 0 && host.substr(dot) == pattern.substr(1);
}

Result<ServerNames::Entry> ServerNames::read(const CertificateFiles& files) {
    const auto refuse = [](const std::string& path) {
        ERR_clear_error();
        return Error{"cannot use " + path};
    };
    Entry entry;
    const BioPtr certificates(BIO_new_file(files.chain.c_str(), "r"));
    if (certificates) {
        entry.certificate.reset(PEM_read_bio_X509_AUX(certificates.get(), nullptr, nullptr, nullptr));
    }
    if (!entry.certificate) {
        return refuse(files.chain);
    }
    entry.chain.reset(sk_X509_new_null());
    while (X509* next = PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr)) {
        if (sk_X509_num(entry.chain.get()) == kMaxChain || sk_X509_push(entry.chain.get(), next) == 0) {
            X509_free(next);
            return refuse(files.chain);
        }
    }
    const BioPtr key(BIO_new_file(files.key.c_str(), "r"));
    entry.key.reset(key ? PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr) : nullptr);
    if (!entry.key || X509_check_private_key(entry.certificate.get(), entry.key.get()) != 1) {
        return refuse(files.key);
    }
    ERR_clear_error();  // the end of a PEM file is an error of its own
    entry.names = dns_names_of(entry.certificate.get());
    if (entry.names.empty()) {
        return Error{files.chain + " names no host (subjectAltName)"};
    }
    return entry;
}

Status ServerNames::load(const std::vector<CertificateFiles>& files) {
    std::vector<Entry> entries;
    for (const CertificateFiles& one : files) {
        auto entry = read(one);
        if (!entry) {
            return Error{entry.error()};
        }
        entries.push_back(std::move(*entry));
    }
    entries_ = std::move(entries);
    return Ok{};
}

void ServerNames::serve(SSL_CTX* context) {
    SSL_CTX_set_tlsext_servername_callback(context, on_name_asked);
    SSL_CTX_set_tlsext_servername_arg(context, this);
}

// The exact name before a wildcard.
const ServerNames::Entry* ServerNames::find(std::string_view host) const {
    const Entry* found = nullptr;
    for (const Entry& entry : entries_) {
        if (std::ranges::find(entry.names, host) != entry.names.end()) {
            return &entry;
        }
        const bool matches = std::ranges::any_of(
            entry.names, [host](const std::string& pattern) { return names_host(pattern, host); });
        found = found == nullptr && matches ? &entry : found;
    }
    return found;
}

int ServerNames::on_name_asked(SSL* ssl, int* /*alert*/, void* self) {
    const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const std::string_view name = asked == nullptr ? "" : asked;
    if (name.empty() || name.size() > kMaxName) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    const Entry* entry = static_cast<const ServerNames*>(self)->find(lower(name));
    if (entry == nullptr) {
        return SSL_TLSEXT_ERR_NOACK;  // the listener's own: not every device asks for what it verifies
    }
    SSL_certs_clear(ssl);  // the listener's own would be preferred if its key is of a kind that is
    return SSL_use_cert_and_key(ssl, entry->certificate.get(), entry->key.get(), entry->chain.get(), 1) == 1
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace vmr::sip
