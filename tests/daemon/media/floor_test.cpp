// Floor control over real sockets on loopback.
#include "daemon/media/floor.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vmr::media {
namespace {

using Holder = bfcp::FloorServer::Holder;

class Client {  // a room system's end
public:
    Client(int type, std::uint16_t port) : socket_(::socket(AF_INET, type | SOCK_NONBLOCK, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
        connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    ~Client() { close(socket_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void say(const std::string& bytes) const { ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
    // The next message, within two seconds.
    std::optional<bfcp::Message> next() {
        const std::int64_t deadline = g_get_monotonic_time() + 2'000'000;
        while (g_get_monotonic_time() < deadline) {
            g_main_context_iteration(nullptr, FALSE);
            char bytes[2048];
            const ssize_t size = recv(socket_, bytes, sizeof bytes, 0);
            if (size > 0) {
                unread_.append(bytes, static_cast<std::size_t>(size));
            }
            const auto length = bfcp::message_length(unread_);
            if (length && unread_.size() >= *length) {
                const auto message = bfcp::parse(unread_.substr(0, *length));
                unread_.erase(0, *length);
                return message ? std::optional(*message) : std::nullopt;
            }
        }
        return {};
    }
    bool closed() {
        const std::int64_t deadline = g_get_monotonic_time() + 2'000'000;
        char byte = 0;
        while (g_get_monotonic_time() < deadline) {
            g_main_context_iteration(nullptr, FALSE);
            const ssize_t size = recv(socket_, &byte, 1, 0);
            if (size == 0 || (size < 0 && errno == ECONNRESET)) {
                return true;
            }
        }
        return false;
    }

private:
    int socket_;
    std::string unread_;
};

class FloorTest : public ::testing::Test {
protected:
    void open(bool tcp) {
        tcp_ = tcp;
        sdp::FloorPlan plan;
        plan.tcp = tcp;
        FloorPathParams params;
        params.local_address = "127.0.0.1";
        params.port_min = 30000;
        params.port_max = 31000;
        auto floor = Floor::open(plan, params,
                                 {[this] {
                                      ++begun_;
                                      return true;
                                  },
                                  [this] { ++ended_; }});
        ASSERT_TRUE(floor) << floor.error();
        floor_ = std::move(*floor);
        local_ = floor_->local("127.0.0.1");
    }
    int type() const { return tcp_ ? SOCK_STREAM : SOCK_DGRAM; }
    bfcp::Header header() {
        return {tcp_ ? bfcp::kReliable : bfcp::kUnreliable,
                false,
                bfcp::Primitive::hello,
                local_.conference,
                ++transaction_,
                local_.user};
    }

    bool tcp_ = false;
    std::unique_ptr<Floor> floor_;
    sdp::LocalFloor local_;
    std::uint16_t transaction_ = 0;
    int begun_ = 0, ended_ = 0;
};

class EitherPath : public FloorTest, public ::testing::WithParamInterface<bool> {
protected:
    void SetUp() override { open(GetParam()); }
};

TEST_P(EitherPath, IsAskedForGrantedAndTakenAway) {
    Client client(type(), local_.port);
    client.say(bfcp::write_floor_request(header(), bfcp::kContentFloor));
    const auto granted = client.next();
    ASSERT_TRUE(granted);
    EXPECT_EQ(granted->request_status, bfcp::RequestStatus::granted);
    EXPECT_EQ(begun_, 1);
    floor_->set_holder(Holder::other);
    const auto revoked = client.next();
    ASSERT_TRUE(revoked);
    EXPECT_EQ(revoked->request_status, bfcp::RequestStatus::revoked);
}

TEST_P(EitherPath, WhoDoesNotKnowTheConferenceIsNotHeard) {
    Client stranger(type(), local_.port);
    bfcp::Header wrong = header();
    wrong.conference ^= 1;
    stranger.say(bfcp::write_floor_request(wrong, bfcp::kContentFloor));
    Client client(type(), local_.port);
    client.say(bfcp::write(header()));
    const auto answer = client.next();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->header.primitive, bfcp::Primitive::hello_ack);
    EXPECT_EQ(begun_, 0);
}

TEST_F(FloorTest, ARepeatedDatagramComesByItself) {
    open(false);
    Client client(type(), local_.port);
    client.say(bfcp::write_floor_request(header(), bfcp::kContentFloor));
    ASSERT_TRUE(client.next());
    floor_->set_holder(Holder::nobody);
    const auto first = client.next(), second = client.next();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->header.transaction, second->header.transaction);
}

TEST_F(FloorTest, GarbageEndsAConnectionAndNothingElse) {
    open(true);
    Client garbage(type(), local_.port);
    garbage.say(std::string(400, 'x'));
    EXPECT_TRUE(garbage.closed());
    Client client(type(), local_.port);
    const std::string hello = bfcp::write(header());
    client.say(hello.substr(0, 5));
    client.say(hello.substr(5) + bfcp::write(header()));  // two messages in pieces
    EXPECT_TRUE(client.next());
    EXPECT_TRUE(client.next());
}

INSTANTIATE_TEST_SUITE_P(Paths, EitherPath, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "Tcp" : "Udp"; });

TEST(FloorRate, LetsABurstThroughAndThenTwentyASecond) {
    const SteadyTime begin{};
    TokenBucket rate = floor_rate(begin);
    int allowed = 0;
    for (int i = 0; i < 100; ++i) {
        allowed += rate.take(begin) ? 1 : 0;
    }
    EXPECT_EQ(allowed, 40);
    for (int i = 0; i < 100; ++i) {
        allowed += rate.take(begin + std::chrono::seconds(1)) ? 1 : 0;
    }
    EXPECT_EQ(allowed, 60);
}

}  // namespace
}  // namespace vmr::media
