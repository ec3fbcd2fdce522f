#include "daemon/media/transport/dtls_session.hpp"

#include <openssl/err.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>

namespace vmr::media {

namespace {

constexpr long kMtu = 1200;                                    // bytes of a datagram, safe on any path
constexpr long kMtuOverhead = 48;                              // IPv6 and UDP headers
constexpr const char* kExporterLabel = "EXTRACTOR-dtls_srtp";  // RFC 5764 section 4.2

// µs. RFC 6347 would start at 1 s, which is a long silence at the start of a call;
// OpenSSL gives up after 12 of these, about 30 s.
constexpr unsigned kFirstTimeout = 100'000, kLongestTimeout = 4'000'000;

unsigned next_timeout(SSL*, unsigned previous) {
    return previous == 0 ? kFirstTimeout : std::min(2 * previous, kLongestTimeout);
}

std::optional<SrtpSuite> suite_of(const SRTP_PROTECTION_PROFILE* profile) {
    switch (profile == nullptr ? 0 : profile->id) {
        case SRTP_AEAD_AES_256_GCM:
            return SrtpSuite::aead_aes_256_gcm;
        case SRTP_AEAD_AES_128_GCM:
            return SrtpSuite::aead_aes_128_gcm;
        case SRTP_AES128_CM_SHA1_80:
            return SrtpSuite::aes_cm_128_hmac_sha1_80;
        case SRTP_AES128_CM_SHA1_32:
            return SrtpSuite::aes_cm_128_hmac_sha1_32;
        default:
            return std::nullopt;
    }
}

}  // namespace

DtlsSession::DtlsSession(std::shared_ptr<DtlsCertificate> certificate, DtlsParams params, DtlsEvents& events)
    : certificate_(std::move(certificate)),
      params_(std::move(params)),
      events_(events),
      ssl_(SSL_new(certificate_->context())),
      input_(BIO_new(BIO_s_mem())) {
    // Empty is "try again", not end of file.
    BIO_set_mem_eof_return(input_, -1);
    SSL_set_bio(ssl_, input_, make_output(this));
    SSL_set_app_data(ssl_, this);
    SSL_set_options(ssl_, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(ssl_, kMtu);
    DTLS_set_timer_cb(ssl_, next_timeout);
    if (params_.role == DtlsParams::Role::client) {
        SSL_set_connect_state(ssl_);
    } else {
        SSL_set_accept_state(ssl_);
    }
}

DtlsSession::~DtlsSession() {
    SSL_free(ssl_);
}

// A memory BIO would run the datagrams of a flight together; this one keeps them apart.
BIO* DtlsSession::make_output(DtlsSession* self) {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "vmr datagrams");
        BIO_meth_set_write(made, on_output_written);
        BIO_meth_set_ctrl(made, on_output_controlled);
        return made;
    }();
    BIO* bio = BIO_new(method);
    BIO_set_data(bio, self);
    BIO_set_init(bio, 1);
    return bio;
}

int DtlsSession::on_output_written(BIO* bio, const char* data, int size) {
    auto* session = static_cast<DtlsSession*>(BIO_get_data(bio));
    session->events_.on_dtls_datagram_made(
        {reinterpret_cast<const uint8_t*>(data), static_cast<size_t>(size)});
    return size;
}

long DtlsSession::on_output_controlled(BIO*, int command, long, void*) {
    switch (command) {
        case BIO_CTRL_FLUSH:
            return 1;
        case BIO_CTRL_DGRAM_QUERY_MTU:
            return kMtu;
        case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
            return kMtuOverhead;
        default:
            return 0;
    }
}

bool DtlsSession::matches(X509* certificate) const {
    for (const Fingerprint& expected : params_.fingerprints) {
        const std::string actual = certificate_fingerprint(certificate, expected.hash);
        if (!actual.empty() && g_ascii_strcasecmp(actual.c_str(), expected.value.c_str()) == 0) {
            return true;
        }
    }
    return false;
}

// The certificate is self-signed: its fingerprint is all there is to verify.
int DtlsSession::on_certificate_received(X509_STORE_CTX* store, void*) {
    auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* session = static_cast<DtlsSession*>(SSL_get_app_data(ssl));
    if (session->matches(X509_STORE_CTX_get0_cert(store))) {
        return 1;
    }
    session->mismatched_ = true;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

void DtlsSession::start() {
    if (params_.role == DtlsParams::Role::client) {
        step();
    }
}

void DtlsSession::feed(Bytes datagram) {
    if (state_ == State::failed || state_ == State::closed) {
        return;
    }
    BIO_write(input_, datagram.data(), static_cast<int>(datagram.size()));
    if (state_ == State::handshake) {
        step();
    }
    if (state_ == State::keyed) {
        read_application_data();
    }
    BIO_reset(input_);  // what OpenSSL left of this datagram is not part of the next
}

void DtlsSession::step() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_);
    if (result == 1) {
        export_keys();
        return;
    }
    const int error = SSL_get_error(ssl_, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        const char* reason = ERR_reason_error_string(ERR_peek_error());
        fail(mismatched_ ? "the DTLS fingerprint is not the signalled one"
                         : std::string("DTLS handshake: ") + (reason != nullptr ? reason : "failed"));
    }
}

void DtlsSession::export_keys() {
    std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(ssl_), X509_free);
    // Checked during the handshake too; no path may lead here without it.
    if (!peer || !matches(peer.get())) {
        fail("the DTLS fingerprint is not the signalled one");
        return;
    }
    const auto suite = suite_of(SSL_get_selected_srtp_profile(ssl_));
    if (!suite) {
        fail("no common SRTP profile");
        return;
    }
    const srtp::SuiteInfo& info = srtp::info_of(*suite);
    unsigned char material[2 * (32 + 14)];
    const size_t size = 2 * (info.key_bytes + info.salt_bytes);
    if (SSL_export_keying_material(ssl_, material, size, kExporterLabel, std::strlen(kExporterLabel), nullptr,
                                   0, 0) != 1) {
        fail("the DTLS keys cannot be exported");
        return;
    }
    // client key, server key, client salt, server salt
    const auto* bytes = reinterpret_cast<const char*>(material);
    const auto part = [&](size_t index) {
        std::string both;
        both.reserve(info.key_bytes + info.salt_bytes);  // growing would leave a copy behind
        both.append(bytes + index * info.key_bytes, info.key_bytes);
        both.append(bytes + 2 * info.key_bytes + index * info.salt_bytes, info.salt_bytes);
        return both;
    };
    const bool client = params_.role == DtlsParams::Role::client;
    const SrtpKeys keys{*suite, part(client ? 0 : 1), part(client ? 1 : 0)};
    OPENSSL_cleanse(material, sizeof material);
    state_ = State::keyed;
    events_.on_dtls_keyed(keys);
}

// There is none in DTLS-SRTP; reading handles alerts and retransmitted flights.
void DtlsSession::read_application_data() {
    uint8_t unused[kMaxDatagram];
    int result = 0;
    do {
        ERR_clear_error();
        result = SSL_read(ssl_, unused, sizeof unused);
    } while (result > 0);
    const int error = SSL_get_error(ssl_, result);
    if (error == SSL_ERROR_ZERO_RETURN || (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0) {
        state_ = State::closed;
        events_.on_dtls_closed();
    } else if (error == SSL_ERROR_SSL) {
        fail("fatal DTLS alert");
    }
}

std::optional<std::chrono::microseconds> DtlsSession::timeout() const {
    timeval left{};
    if (state_ == State::failed || state_ == State::closed || DTLSv1_get_timeout(ssl_, &left) != 1) {
        return std::nullopt;
    }
    return std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
}

void DtlsSession::handle_timeout() {
    if (state_ == State::handshake && DTLSv1_handle_timeout(ssl_) < 0) {
        fail("the DTLS peer does not answer");
    }
}

void DtlsSession::close() {
    if (state_ == State::keyed) {
        state_ = State::closed;
        SSL_shutdown(ssl_);
    }
}

void DtlsSession::fail(const std::string& reason) {
    if (state_ != State::failed) {
        state_ = State::failed;
        events_.on_dtls_failed(reason);
    }
}

}  // namespace vmr::media
