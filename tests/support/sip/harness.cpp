#include "tests/support/sip/harness.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <stdexcept>

namespace vmr::sip::test {

void replace_certificate_files(const TlsConfig& files, const std::string& name, KeyKind kind) {
    EVP_PKEY* key = kind == KeyKind::rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_EXTENSION* names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str());
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    FILE* file = std::fopen(files.certificate_chain_file.c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen(files.private_key_file.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

TlsConfig make_certificate(const std::string& name, KeyKind kind) {
    char folder[] = "/tmp/vmr-sip-XXXXXX";
    if (mkdtemp(folder) == nullptr) {
        throw std::runtime_error("mkdtemp");
    }
    TlsConfig files{std::string(folder) + "/cert.pem", std::string(folder) + "/key.pem", {}};
    replace_certificate_files(files, name, kind);
    return files;
}

Harness::Harness(SipConfig config) : tls(make_certificate("first")), context_(g_main_context_new()) {
    if (config.stack.listen.empty()) {
        for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls}) {
            config.stack.listen.push_back({transport, {"127.0.0.1", 0}});
        }
    }
    config.stack.tls.certificate_chain_file = tls.certificate_chain_file;
    config.stack.tls.private_key_file = tls.private_key_file;
    loop_ = g_main_loop_new(context_, FALSE);
    legs = std::make_unique<SipLegs>(std::move(config), observer, context_);
    auto started = legs->start();
    if (!started) {
        throw std::runtime_error(started.error());
    }
    bound = *started;
    thread_ = std::thread([this] {
        g_main_context_push_thread_default(context_);
        g_main_loop_run(loop_);
        g_main_context_pop_thread_default(context_);
    });
}

Harness::~Harness() {
    run([this] { legs.reset(); });
    run([this] { g_main_loop_quit(loop_); });
    thread_.join();
    g_main_loop_unref(loop_);
    g_main_context_unref(context_);
    std::filesystem::remove_all(std::filesystem::path(tls.private_key_file).parent_path());
}

std::uint16_t Harness::port(Transport transport) const {
    for (const ListenAddress& address : bound) {
        if (address.transport == transport) {
            return address.address.port;
        }
    }
    return 0;
}

void Harness::run(const std::function<void()>& job) {
    struct Job {
        const std::function<void()>& body;
        std::promise<void> done;
    } wrapped{job, {}};
    auto done = wrapped.done.get_future();
    GSource* source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(
        source,
        [](gpointer data) -> gboolean {
            auto* self = static_cast<Job*>(data);
            self->body();
            self->done.set_value();
            return G_SOURCE_REMOVE;
        },
        &wrapped, nullptr);
    g_source_attach(source, context_);
    g_source_unref(source);
    done.wait();
}

bool Harness::wait(const std::function<bool()>& ready, int timeout_ms) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    bool done = false;
    while (!done && std::chrono::steady_clock::now() < deadline) {
        run([&] { done = ready(); });
        if (!done) {
            std::this_thread::yield();
        }
    }
    return done;
}

// Delegates, so that what is there is freed when connecting fails.
Client::Client(Transport transport, std::uint16_t port) : Client(transport) {
    socket_ = ::socket(AF_INET, (transport == Transport::udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("connect");
    }
    socklen_t size = sizeof address;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    local_port_ = ntohs(address.sin_port);
    const timeval limit{30, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (transport == Transport::tls) {
        context_ = SSL_CTX_new(TLS_client_method());
        ssl_ = SSL_new(context_);
        SSL_set_fd(ssl_, socket_);
        if (SSL_connect(ssl_) != 1) {
            throw std::runtime_error("TLS handshake");
        }
    }
}

Client::~Client() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ::close(socket_);
}

const char* Client::name() const {
    return via_name(transport_);
}

std::string Client::peer_name() const {
    X509* certificate = SSL_get0_peer_certificate(ssl_);
    char name[64] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    return name;
}

bool Client::send(const std::string& bytes) {
    if (ssl_ != nullptr) {
        return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) ==
               static_cast<int>(bytes.size());
    }
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

bool Client::more(int timeout_ms) {
    if (ssl_ == nullptr || SSL_pending(ssl_) == 0) {
        pollfd waiting{socket_, POLLIN, 0};
        if (::poll(&waiting, 1, timeout_ms) <= 0) {
            return false;
        }
    }
    char bytes[65536];
    const long size =
        ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes) : ::recv(socket_, bytes, sizeof bytes, 0);
    if (size <= 0) {
        eof_ = transport_ != Transport::udp;
        return false;
    }
    buffer_.append(bytes, static_cast<std::size_t>(size));
    return true;
}

std::string Client::receive(int timeout_ms) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    for (;;) {
        buffer_.erase(0, std::min(buffer_.find_first_not_of("\r\n"), buffer_.size()));  // keep-alive answers
        const std::size_t head = buffer_.find("\r\n\r\n");
        if (head != std::string::npos) {
            const std::string length = header(buffer_, "Content-Length");
            const std::size_t total = head + 4 + static_cast<std::size_t>(std::atoi(length.c_str()));
            if (buffer_.size() >= total) {
                std::string message = buffer_.substr(0, total);
                buffer_.erase(0, total);
                return message;
            }
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0 || (!more(static_cast<int>(left.count())) && eof_)) {
            return {};
        }
    }
}

std::string Client::receive_raw(int timeout_ms) {
    if (buffer_.empty()) {
        (void)more(timeout_ms);
    }
    return std::exchange(buffer_, {});
}

std::string Client::expect(const std::string& start, int timeout_ms) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        const std::string message =
            left.count() > 0 ? receive(static_cast<int>(left.count())) : std::string();
        if (message.empty() || message.starts_with(start)) {
            return message;
        }
    }
}

bool Client::closed(int timeout_ms) {
    while (!eof_ && more(timeout_ms)) {
    }
    return eof_;
}

Caller::Caller(Client& used, std::string number) : client(used), user(std::move(number)) {
    static std::atomic<int> serial{0};
    const std::string id = std::to_string(++serial);
    call_id = "call" + id + "@test";
    tag = "from" + id;
    contact = "<sip:alice@127.0.0.1:" + std::to_string(client.local_port()) +
              (std::string(client.name()) == "UDP" ? "" : ";transport=" + lower(client.name())) + ">";
    to_uri = "sip:" + user + "@vmr.test";
}

std::string Caller::request(const std::string& method, const std::string& extra, const std::string& body,
                            const std::string& type) {
    const std::string branch = "z9hG4bK-" + call_id + "-" + std::to_string(++cseq);
    if (method == "INVITE") {
        invite_branch = branch;
        invite_cseq = cseq;
    }
    return method + " " + to_uri + " SIP/2.0\r\nVia: SIP/2.0/" + client.name() +
           " 127.0.0.1:" + std::to_string(client.local_port()) + ";branch=" + branch +
           ";rport\r\nMax-Forwards: 70\r\nFrom: \"Alice\" <sip:alice@test>;tag=" + tag + "\r\nTo: <" +
           to_uri + ">" + (remote_tag.empty() ? "" : ";tag=" + remote_tag) + "\r\nCall-ID: " + call_id +
           "\r\nCSeq: " + std::to_string(cseq) + " " + method + "\r\nContact: " + contact + "\r\n" + extra +
           (body.empty() ? "" : "Content-Type: " + type + "\r\n") +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string Caller::ack(const std::string& body) {
    const int saved = cseq;
    cseq = invite_cseq - 1;
    std::string text = request("ACK", {}, body);
    const std::string own = "z9hG4bK-" + call_id + "-" + std::to_string(invite_cseq);
    text.replace(text.find(own), own.size(), own + "-ack");
    cseq = saved;
    return text;
}

std::string Caller::cancel() {
    const int saved = cseq;
    cseq = invite_cseq - 1;
    const std::string text = request("CANCEL");
    cseq = saved;
    return text;
}

void Caller::learn(const std::string& response) {
    remote_tag = parameter(header(response, "To"), "tag");
}

std::string Caller::answer(const std::string& request, const std::string& extra, const std::string& body) {
    std::string text = "SIP/2.0 200 OK\r\n";
    for (const char* name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
        text += std::string(name) + ": " + header(request, name) + "\r\n";
    }
    return text + extra + "Contact: " + contact + "\r\n" +
           (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string header(const std::string& message, const std::string& name) {
    std::size_t at = 0;
    while ((at = message.find("\r\n", at)) != std::string::npos) {
        at += 2;
        const std::size_t end = message.find("\r\n", at);
        if (end == at || end == std::string::npos) {
            return {};
        }
        const std::string line = message.substr(at, end - at);
        if (line.size() > name.size() && line[name.size()] == ':' &&
            equal_nocase(std::string_view(line).substr(0, name.size()), name)) {
            return std::string(trim(std::string_view(line).substr(name.size() + 1)));
        }
    }
    return {};
}

bool alive(const Harness& harness, Transport transport) {
    Client client(transport, harness.port(transport));
    Caller caller(client);
    client.send(caller.request("OPTIONS"));
    return client.expect("SIP/2.0 200").starts_with("SIP/2.0 200");
}

}  // namespace vmr::sip::test
