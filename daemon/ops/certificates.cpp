#include "daemon/ops/certificates.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "daemon/ops/host_names.hpp"

namespace vmr::ops {

namespace {

constexpr long kValidSeconds = 397L * 24 * 3600;  // browsers refuse longer ones
constexpr auto kRenewBefore = std::chrono::hours(7 * 24);

template <auto Free>
struct OpenSslFree {
    template <typename T>
    void operator()(T* object) const {
        Free(object);
    }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using BioPtr = std::unique_ptr<BIO, OpenSslFree<BIO_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, OpenSslFree<GENERAL_NAMES_free>>;

Error openssl_error(const std::string& what) {
    char text[256];
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    ERR_clear_error();
    return Error{what + ": " + text};
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    const bool added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

CertificatePtr make_certificate(EVP_PKEY* key, const std::vector<std::string>& names) {
    CertificatePtr certificate(X509_new());
    unsigned char serial[16];
    RAND_bytes(serial, sizeof serial);
    serial[0] &= 0x7f;  // positive
    std::unique_ptr<BIGNUM, OpenSslFree<BN_free>> number(BN_bin2bn(serial, sizeof serial, nullptr));
    BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get()));
    X509_set_version(certificate.get(), X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -300);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kValidSeconds);
    X509_set_pubkey(certificate.get(), key);
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    const std::string common_name = names.empty() ? "vmr" : names.front().substr(0, 64);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    std::string alternatives;
    for (const std::string& name : names) {
        alternatives +=
            (alternatives.empty() ? "" : ",") + std::string(is_address(name) ? "IP:" : "DNS:") + name;
    }
    const bool complete = add_extension(certificate.get(), NID_subject_alt_name, alternatives) &&
                          add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                          add_extension(certificate.get(), NID_key_usage, "critical,digitalSignature") &&
                          add_extension(certificate.get(), NID_ext_key_usage, "serverAuth,clientAuth") &&
                          X509_sign(certificate.get(), key, EVP_sha256()) > 0;
    return complete ? std::move(certificate) : nullptr;
}

std::string pem_text(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

// Through a temporary file: a crash leaves the old one or the new one.
Status write_file(const std::string& path, const std::string& content, mode_t mode) {
    const std::string temporary = path + ".new";
    unlink(temporary.c_str());
    const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    const bool written =
        file >= 0 && write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
        fsync(file) == 0;
    const int problem = errno;
    if (file >= 0) {
        close(file);
    }
    if (!written || rename(temporary.c_str(), path.c_str()) != 0) {
        return Error{path + ": " + std::strerror(written ? errno : problem)};
    }
    return Ok{};
}

std::vector<std::string> names_of(X509* certificate) {
    std::vector<std::string> names;
    const NamesPtr list(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; list && i < sk_GENERAL_NAME_num(list.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), i);
        if (name->type == GEN_DNS) {
            names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                               static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
        } else if (name->type == GEN_IPADD) {
            char text[INET6_ADDRSTRLEN] = "";
            const int family = ASN1_STRING_length(name->d.iPAddress) == 4 ? AF_INET : AF_INET6;
            inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof text);
            names.emplace_back(text);
        }
    }
    return names;
}

std::string fingerprint_of(X509* certificate) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    X509_digest(certificate, EVP_sha256(), digest, &size);
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
        char pair[4];
        std::snprintf(pair, sizeof pair, i == 0 ? "%02X" : ":%02X", digest[i]);
        text += pair;
    }
    return text;
}

CertificateInfo info_of(X509* certificate) {
    std::tm expires{};
    ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &expires);
    char subject[256];
    X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof subject);
    return {subject, names_of(certificate), std::chrono::system_clock::from_time_t(timegm(&expires)),
            fingerprint_of(certificate)};
}

}  // namespace

Result<CertificateInfo> inspect_certificate(const TlsFiles& files) {
    const BioPtr certificate_file(BIO_new_file(files.certificate.c_str(), "r"));
    const CertificatePtr certificate(
        certificate_file ? PEM_read_bio_X509(certificate_file.get(), nullptr, nullptr, nullptr) : nullptr);
    if (!certificate) {
        return openssl_error(files.certificate);
    }
    const BioPtr key_file(BIO_new_file(files.key.c_str(), "r"));
    const KeyPtr key(key_file ? PEM_read_bio_PrivateKey(key_file.get(), nullptr, nullptr, nullptr) : nullptr);
    if (!key) {
        return openssl_error(files.key);
    }
    if (X509_check_private_key(certificate.get(), key.get()) != 1) {
        ERR_clear_error();
        return Error{files.key + ": not the key of " + files.certificate};
    }
    if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0) {
        return Error{files.certificate + ": has expired"};
    }
    return info_of(certificate.get());
}

Result<CertificateInfo> read_certificate(const std::string& path) {
    const BioPtr file(BIO_new_file(path.c_str(), "r"));
    const CertificatePtr certificate(file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr)
                                          : nullptr);
    return certificate ? Result<CertificateInfo>(info_of(certificate.get())) : openssl_error(path);
}

Result<TlsFiles> ensure_self_signed(const std::string& directory, const std::vector<std::string>& names) {
    const TlsFiles files{directory + "/vmr.crt", directory + "/vmr.key"};
    if (const auto present = inspect_certificate(files)) {
        const bool names_all = std::all_of(names.begin(), names.end(), [&](const std::string& name) {
            return std::find(present->names.begin(), present->names.end(), name) != present->names.end();
        });
        if (names_all && present->expires > std::chrono::system_clock::now() + kRenewBefore) {
            return files;
        }
    }
    const KeyPtr key(EVP_EC_gen("P-256"));
    const CertificatePtr certificate = key ? make_certificate(key.get(), names) : nullptr;
    if (!certificate) {
        return openssl_error("cannot make a certificate");
    }
    const BioPtr certificate_text(BIO_new(BIO_s_mem()));
    const BioPtr key_text(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1 ||
        PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        return openssl_error("cannot write a certificate");
    }
    if (Status stored = write_file(files.key, pem_text(key_text.get()), 0600); !stored) {
        return Error{stored.error()};
    }
    if (Status stored = write_file(files.certificate, pem_text(certificate_text.get()), 0644); !stored) {
        return Error{stored.error()};
    }
    return files;
}

}  // namespace vmr::ops
