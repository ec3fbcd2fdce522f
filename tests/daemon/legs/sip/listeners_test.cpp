// Listeners of either family beside each other, by all transports, and how long a connection may say nothing.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/support/sip/harness.hpp"

namespace vmr::sip::test {
namespace {

SipConfig on(const std::string& ip, const std::vector<ListenAddress>& ports) {
    SipConfig config;
    for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls}) {
        std::uint16_t port = 0;
        for (const ListenAddress& taken : ports) {
            port = taken.transport == transport ? taken.address.port : port;
        }
        config.stack.listen.push_back({transport, {ip, port}});
    }
    return config;
}

bool has_ipv6() {
    const int probe = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in6 local{};
    local.sin6_family = AF_INET6;
    local.sin6_addr = in6addr_loopback;
    const bool has = probe >= 0 && ::bind(probe, reinterpret_cast<sockaddr*>(&local), sizeof local) == 0;
    ::close(probe);
    return has;
}

// The first line of the answer to an OPTIONS from ::1.
std::string options_by_ipv6(int type, std::uint16_t port) {
    const int descriptor = ::socket(AF_INET6, type | SOCK_CLOEXEC, 0);
    sockaddr_in6 server{};
    server.sin6_family = AF_INET6;
    server.sin6_addr = in6addr_loopback;
    server.sin6_port = htons(port);
    const timeval limit{5, 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const std::string text =
        std::string("OPTIONS sip:x@vmr.test SIP/2.0\r\nVia: SIP/2.0/") +
        (type == SOCK_DGRAM ? "UDP" : "TCP") +
        " [::1]:9;branch=z9hG4bKx;rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:x@vmr.test>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    char answer[2048];
    ssize_t size = -1;
    if (::connect(descriptor, reinterpret_cast<sockaddr*>(&server), sizeof server) == 0 &&
        ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size())) {
        size = ::recv(descriptor, answer, sizeof answer, 0);
    }
    ::close(descriptor);
    const std::string all(answer, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return all.substr(0, all.find('\r'));
}

TEST(Listeners, OfBothFamiliesShareAPort) {
    if (!has_ipv6()) {
        GTEST_SKIP() << "no IPv6";
    }
    const Harness four(on("0.0.0.0", {}));
    const Harness six(on("::", four.bound));
    ASSERT_EQ(six.port(Transport::tls), four.port(Transport::tls));
    for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls}) {
        EXPECT_TRUE(alive(four, transport)) << via_name(transport);
    }
    EXPECT_EQ(options_by_ipv6(SOCK_DGRAM, six.port(Transport::udp)), "SIP/2.0 200 OK");
    EXPECT_EQ(options_by_ipv6(SOCK_STREAM, six.port(Transport::tcp)), "SIP/2.0 200 OK");
}

// On ports that were free a moment ago: some may be another's by now.
std::unique_ptr<Harness> on_both(const std::string& first, const std::string& second) {
    for (int attempt = 1;; ++attempt) {
        const std::vector<ListenAddress> ports = Harness(on("0.0.0.0", {})).bound;
        SipConfig config = on(first, ports);
        const SipConfig more = on(second, ports);
        config.stack.listen.insert(config.stack.listen.end(), more.stack.listen.begin(),
                                   more.stack.listen.end());
        try {
            return std::make_unique<Harness>(config);
        } catch (const std::runtime_error&) {
            if (attempt == 10) {
                throw;
            }
        }
    }
}

TEST(Listeners, OfBothFamiliesInOneStackAnswerEach) {
    if (!has_ipv6()) {
        GTEST_SKIP() << "no IPv6";
    }
    for (const auto& order : {std::pair("0.0.0.0", "::"), std::pair("::", "0.0.0.0")}) {
        const auto harness = on_both(order.first, order.second);
        const Harness& both = *harness;
        for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls}) {
            EXPECT_TRUE(alive(both, transport)) << order.first << " first, " << via_name(transport);
        }
        EXPECT_EQ(options_by_ipv6(SOCK_DGRAM, both.port(Transport::udp)), "SIP/2.0 200 OK") << order.first;
        EXPECT_EQ(options_by_ipv6(SOCK_STREAM, both.port(Transport::tcp)), "SIP/2.0 200 OK") << order.first;
    }
}

TEST(Listeners, OfAPortThatIsTakenSaySo) {
    const Harness first;
    for (const ListenAddress& taken : first.bound) {
        SipConfig config;
        config.stack.listen = {taken};
        EXPECT_THROW(Harness{config}, std::runtime_error) << via_name(taken.transport);
    }
    if (has_ipv6()) {
        const Harness six(on("::1", {}));
        for (const ListenAddress& taken : six.bound) {
            SipConfig config;
            config.stack.listen = {taken};
            EXPECT_THROW(Harness{config}, std::runtime_error) << via_name(taken.transport);
        }
    }
}

// Descriptors of this process, with a limit that allows for them.
class Descriptors {
public:
    explicit Descriptors(rlim_t limit) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit raised = before_;
        raised.rlim_cur = std::min(raised.rlim_max, std::max(raised.rlim_cur, limit));
        ::setrlimit(RLIMIT_NOFILE, &raised);
        limit_ = raised.rlim_cur;
    }
    ~Descriptors() {
        for (const int descriptor : taken_) {
            ::close(descriptor);
        }
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }
    Descriptors(const Descriptors&) = delete;
    Descriptors& operator=(const Descriptors&) = delete;

    rlim_t limit() const { return limit_; }
    // The highest number that is taken, or -1 when there are no more.
    int take(int count) {
        for (; count > 0; --count) {
            const int next = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
            if (next < 0) {
                return -1;
            }
            taken_.push_back(next);
        }
        return taken_.back();
    }

private:
    rlimit before_{};
    rlim_t limit_ = 0;
    std::vector<int> taken_;
};

// Each leg has some, and what is free has a high number.
TEST(Listeners, WorkAmongThousandsOfOtherDescriptors) {
    constexpr int kMany = 3000;
    Descriptors descriptors(kMany + 500);
    if (descriptors.limit() < kMany + 500) {
        GTEST_SKIP() << "no more than " << descriptors.limit() << " descriptors";
    }
    SipConfig config;
    config.stack.max_connections = 100;
    const Harness early(config);
    ASSERT_GE(descriptors.take(kMany), kMany);
    const Harness late(config);
    for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls}) {
        EXPECT_TRUE(alive(early, transport)) << via_name(transport);
        EXPECT_TRUE(alive(late, transport)) << via_name(transport);
    }
}

// Pings are no message: who sends nothing else has as long as who sends nothing.
TEST(Listeners, KeepAlivesAreNoFirstMessage) {
    SipConfig config;
    config.stack.first_message_timeout_ms = 3000;
    Harness harness(std::move(config));
    Client silent(Transport::tcp, harness.port(Transport::tcp));
    ASSERT_TRUE(silent.send("\r\n\r\n"));
    EXPECT_TRUE(silent.closed(30000));
    Client speaks(Transport::tcp, harness.port(Transport::tcp));
    Caller caller(speaks);
    ASSERT_TRUE(speaks.send(caller.request("OPTIONS")));
    EXPECT_NE(speaks.expect("SIP/2.0 200"), "");
    ASSERT_TRUE(speaks.send("\r\n\r\n"));
    EXPECT_FALSE(speaks.closed(4000));
}

}  // namespace
}  // namespace vmr::sip::test
