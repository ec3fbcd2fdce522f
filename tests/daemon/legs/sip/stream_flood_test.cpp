// What comes by streams faster than it may: it waits, is answered or refused, and outlives its connection.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/stack_client.hpp"

namespace vmr::sip::test {
namespace {

using Clock = std::chrono::steady_clock;

std::string requests(Client& client, const std::string& method, int count) {
    Caller caller(client);
    std::string all;
    for (int one = 0; one < count; ++one) {
        all += caller.request(method);
    }
    return all;
}

int answers(Client& client, int wanted) {
    int count = 0;
    while (count < wanted && client.receive(10000).starts_with("SIP/2.0 ")) {
        ++count;
    }
    return count;
}

// Who speaks TCP sends nothing twice. What datagrams were forged in its name is not its doing.
TEST(Streams, AllThatComesByAStreamIsAnswered) {
    constexpr int kMany = 2600;  // of which 2000 at once
    SipConfig config;
    config.stack.messages_per_second = 1000;
    Harness harness(config);
    Client forged(Transport::udp, harness.port(Transport::udp));
    Caller caller(forged);
    while (harness.legs->statistics().rate_limited == 0) {
        forged.send(caller.request("OPTIONS"));
    }
    Client client(Transport::tcp, harness.port(Transport::tcp));
    const std::string all = requests(client, "OPTIONS", kMany);
    ASSERT_TRUE(client.send(all));
    EXPECT_EQ(answers(client, kMany), kMany);
}

TEST(Streams, StreamsWaitForTheQueueThatDatagramsHaveFilled) {
    SipConfig config;
    config.stack.max_queued = 8;
    Harness harness(config);
    Client udp(Transport::udp, harness.port(Transport::udp));
    Client tcp(Transport::tcp, harness.port(Transport::tcp));
    ASSERT_TRUE(alive(harness, Transport::tcp));
    std::promise<void> over;
    std::thread busy([&] { harness.run([&] { over.get_future().wait(); }); });
    Caller caller(udp);
    const auto deadline = Clock::now() + std::chrono::seconds(30);
    while (harness.legs->statistics().queue_full == 0 && Clock::now() < deadline) {
        udp.send(caller.request("OPTIONS"));
    }
    EXPECT_GT(harness.legs->statistics().queue_full, 0U);
    EXPECT_TRUE(tcp.send(requests(tcp, "OPTIONS", 50)));
    over.set_value();
    busy.join();
    EXPECT_EQ(answers(tcp, 50), 50);
}

// One MiB may wait, then requests are refused; what cannot be refused ends the connection.
TEST(Streams, AStreamThatOutrunsItsRateForLongIsToldSo) {
    SipConfig config;
    config.stack.messages_per_second = 1;
    Harness harness(config);
    Client asks(Transport::tcp, harness.port(Transport::tcp));
    ASSERT_TRUE(asks.send(requests(asks, "OPTIONS", 6000)));
    const std::string refused = asks.expect("SIP/2.0 503", 20000);
    EXPECT_NE(header(refused, "Retry-After"), "");
    EXPECT_NE(header(refused, "Via"), "");
    Client acks(Transport::tcp, harness.port(Transport::tcp));
    (void)acks.send(requests(acks, "ACK", 6000));  // may be cut off
    EXPECT_TRUE(acks.closed());
    EXPECT_TRUE(alive(harness)) << "datagrams have a limit of their own";
}

class LastWords : public testing::TestWithParam<Transport> {
protected:
    LastWords() : tls_(make_certificate("bridge.example")) {
        config_.tls = tls_;
        config_.listen = {{GetParam(), {"127.0.0.1", 0}}};
    }
    ~LastWords() override {
        std::filesystem::remove_all(std::filesystem::path(tls_.private_key_file).parent_path());
    }
    void say(const StackClient& stack, const std::string& method, int count) const {
        Client client(GetParam(), stack.bound.at(0).address.port);
        ASSERT_TRUE(client.send(requests(client, method, count)));
    }
    TlsConfig tls_;
    StackConfig config_;
};

// A BYE, say: without it the call would go on until its session timer.
TEST_P(LastWords, AreHeardAfterTheConnectionWasClosed) {
    config_.messages_per_second = 5;  // 10 at once
    StackClient stack({}, config_);
    say(stack, "BYE", 14);
    EXPECT_TRUE(stack.wait([&] { return !stack.closed.empty(); }));
    EXPECT_EQ(stack.messages.size(), 14U);
    EXPECT_EQ(stack.closed.size(), 1U);
    EXPECT_EQ(stack.stack->statistics().connections, 0);
}

TEST_P(LastWords, AreNotWaitedForLongerThanFirstOnes) {
    config_.messages_per_second = 0.01;
    config_.first_message_timeout_ms = 1000;
    StackClient stack({}, config_);
    say(stack, "BYE", 5);
    EXPECT_TRUE(stack.wait([&] { return !stack.closed.empty(); }));
    EXPECT_TRUE(stack.messages.empty());
    EXPECT_EQ(stack.stack->statistics().connections, 0);
}

INSTANTIATE_TEST_SUITE_P(Streams, LastWords, testing::Values(Transport::tcp, Transport::tls),
                         [](const auto& info) { return std::string(uri_param(info.param)); });

}  // namespace
}  // namespace vmr::sip::test
