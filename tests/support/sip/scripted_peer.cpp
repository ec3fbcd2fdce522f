#include "tests/support/sip/scripted_peer.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <stdexcept>

#include "tests/support/loopback.hpp"
#include "tests/support/sip/harness.hpp"

namespace vmr::sip::test {

struct ScriptedPeer::Connection {
    int socket = -1;
    SSL* ssl = nullptr;
    std::string buffer;
    ~Connection() {
        SSL_free(ssl);
        ::close(socket);
    }
};

ScriptedPeer::ScriptedPeer(Script script, const TlsConfig* certificate) : script_(std::move(script)) {
    socket_ = ::socket(AF_INET, (certificate != nullptr ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
    port_ = vmr::test::bind_to_loopback(socket_);
    if (certificate != nullptr) {
        ::listen(socket_, 16);
        context_ = SSL_CTX_new(TLS_server_method());
        SSL_CTX_use_certificate_chain_file(context_, certificate->certificate_chain_file.c_str());
        SSL_CTX_use_PrivateKey_file(context_, certificate->private_key_file.c_str(), SSL_FILETYPE_PEM);
        SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
    }
    thread_ = std::thread([this] { run(); });
}

ScriptedPeer::~ScriptedPeer() {
    over_ = true;
    thread_.join();
    connections_.clear();
    SSL_CTX_free(context_);
    ::close(socket_);
}

void ScriptedPeer::run() {
    while (!over_) {
        std::vector<pollfd> waiting{{socket_, POLLIN, 0}};
        for (const auto& [socket, connection] : connections_) {
            waiting.push_back({socket, POLLIN, 0});
        }
        if (::poll(waiting.data(), waiting.size(), 20) <= 0) {
            continue;
        }
        if ((waiting[0].revents & POLLIN) != 0) {
            context_ != nullptr ? accept() : read_datagram();
        }
        for (std::size_t i = 1; i < waiting.size(); ++i) {
            if (waiting[i].revents != 0 && !read(*connections_.at(waiting[i].fd))) {
                const std::lock_guard lock(write_);
                connections_.erase(waiting[i].fd);
                last_ = last_ == waiting[i].fd ? -1 : last_;
            }
        }
    }
}

void ScriptedPeer::accept() {
    auto connection = std::make_unique<Connection>();
    connection->socket = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    connection->ssl = SSL_new(context_);
    SSL_set_fd(connection->ssl, connection->socket);
    if (SSL_accept(connection->ssl) != 1) {
        return;
    }
    if (X509* shown = SSL_get0_peer_certificate(connection->ssl)) {
        char name[64] = {};
        X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name, sizeof name);
        const std::lock_guard lock(mutex_);
        client_name_ = name;
    }
    const std::lock_guard lock(write_);
    const int socket = connection->socket;
    connections_[socket] = std::move(connection);
}

bool ScriptedPeer::read(Connection& connection) {
    char bytes[65536];
    do {
        const int size = SSL_read(connection.ssl, bytes, sizeof bytes);
        if (size <= 0) {
            return SSL_get_error(connection.ssl, size) == SSL_ERROR_WANT_READ;
        }
        connection.buffer.append(bytes, static_cast<std::size_t>(size));
    } while (SSL_pending(connection.ssl) > 0);
    {
        const std::lock_guard lock(write_);
        last_ = connection.socket;
    }
    for (;;) {
        const std::size_t head = connection.buffer.find("\r\n\r\n");
        if (head == std::string::npos) {
            return true;
        }
        const std::size_t body =
            static_cast<std::size_t>(std::atoi(header(connection.buffer, "Content-Length").c_str()));
        if (connection.buffer.size() < head + 4 + body) {
            return true;
        }
        const std::string text = connection.buffer.substr(0, head + 4 + body);
        connection.buffer.erase(0, text.size());
        take(text);
    }
}

void ScriptedPeer::read_datagram() {
    char bytes[65536];
    char control[256];
    sockaddr_in from{};
    iovec part{bytes, sizeof bytes};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = ::recvmsg(socket_, &message, 0);
    if (size <= 0) {
        return;
    }
    for (cmsghdr* about = CMSG_FIRSTHDR(&message); about != nullptr; about = CMSG_NXTHDR(&message, about)) {
        if (about->cmsg_level == IPPROTO_IP && about->cmsg_type == IP_TOS) {
            dscp_ = *CMSG_DATA(about) >> 2;
        }
    }
    {
        const std::lock_guard lock(write_);
        source_.assign(reinterpret_cast<const char*>(&from), sizeof from);
    }
    take(std::string(bytes, static_cast<std::size_t>(size)));
}

void ScriptedPeer::take(const std::string& text) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(text);
        all_.push_back(text);
    }
    changed_.notify_all();
    for (const std::string& answer : script_(text)) {
        (void)send(answer);
    }
}

bool ScriptedPeer::send(const std::string& text) {
    const std::lock_guard lock(write_);
    if (context_ == nullptr) {
        return !source_.empty() &&
               ::sendto(socket_, text.data(), text.size(), 0,
                        reinterpret_cast<const sockaddr*>(source_.data()),
                        static_cast<socklen_t>(source_.size())) == static_cast<ssize_t>(text.size());
    }
    const auto found = connections_.find(last_);
    return found != connections_.end() &&
           SSL_write(found->second->ssl, text.data(), static_cast<int>(text.size())) > 0;
}

void ScriptedPeer::hang_up() {
    const std::lock_guard lock(write_);
    for (const auto& [socket, connection] : connections_) {
        ::shutdown(socket, SHUT_RDWR);  // its thread closes it
    }
}

std::string ScriptedPeer::expect(const std::string& start) {
    std::unique_lock lock(mutex_);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (;;) {
        while (!waiting_.empty()) {
            const std::string text = std::move(waiting_.front());
            waiting_.pop_front();
            if (text.starts_with(start)) {
                return text;
            }
        }
        if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) {
            return {};
        }
    }
}

std::size_t ScriptedPeer::count(const std::string& start) {
    const std::lock_guard lock(mutex_);
    std::size_t found = 0;
    for (const std::string& text : all_) {
        found += text.starts_with(start) ? 1 : 0;
    }
    return found;
}

std::string ScriptedPeer::client_name() const {
    const std::lock_guard lock(mutex_);
    return client_name_;
}

std::string response(const std::string& request, int status, const std::string& tag, const std::string& extra,
                     const std::string& body) {
    std::string text = "SIP/2.0 " + std::to_string(status) + " Word\r\n";
    for (const char* name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
        text += std::string(name) + ": " + header(request, name);
        const bool wants_tag = std::string_view(name) == "To" && status > 100 &&
                               header(request, "To").find(";tag=") == std::string::npos;
        text += wants_tag ? ";tag=" + tag + "\r\n" : "\r\n";
    }
    return text + extra + (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace vmr::sip::test
