// Certificates for TLS listeners: a self-made one for the self-contained mode, and what is
// wrong with a given one before a listener fails on it.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/ops/config.hpp"

namespace vmr::ops {

// An EC P-256 certificate and key below `directory` ("vmr.crt", "vmr.key", mode 0600), for these
// names and addresses. What is there is kept while it names them all and is valid for a week more.
Result<TlsFiles> ensure_self_signed(const std::string& directory, const std::vector<std::string>& names);

struct CertificateInfo {
    std::string subject;
    std::vector<std::string> names;  // subjectAltName: DNS names and addresses
    std::chrono::system_clock::time_point expires;
    std::string sha256;  // "AB:CD:…", as browsers show it
};
// Reads both files: an error when the key does not fit or the certificate has expired.
Result<CertificateInfo> inspect_certificate(const TlsFiles& files);
// The first certificate of a PEM file, expired or not.
Result<CertificateInfo> read_certificate(const std::string& path);

}  // namespace vmr::ops
