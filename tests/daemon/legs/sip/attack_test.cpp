// What hostile peers send; after each attack a healthy OPTIONS is answered.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/socket.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/support/sip/harness.hpp"

namespace vmr::sip::test {
namespace {

class Attacks : public ::testing::Test {
protected:
    std::string exchange(const std::string& bytes) {
        Client client(Transport::udp, harness_.port(Transport::udp));
        client.send(bytes);
        return client.receive();
    }
    static SipConfig config() {
        SipConfig config;
        config.stack.messages_per_second = 1e6;  // not what is tested here
        return config;
    }
    Harness harness_{config()};
    Client udp_{Transport::udp, harness_.port(Transport::udp)};
};

TEST_F(Attacks, ATelContactWithoutAckIsRefused) {
    Caller caller(udp_);
    caller.contact = "<tel:+15551234>";
    udp_.send(caller.request("INVITE", {}, kOffer));
    EXPECT_NE(udp_.expect("SIP/2.0 400"), "");
    EXPECT_TRUE(alive(harness_));
}

TEST_F(Attacks, MaddrIsNeverResolvedAndTheAnswerGoesToTheSource) {
    Caller caller(udp_);
    std::string options = caller.request("OPTIONS");
    options.replace(options.find(";rport"), 6, ";maddr=slow.example.invalid");
    udp_.send(options);
    EXPECT_NE(udp_.expect("SIP/2.0 200"), "");
    EXPECT_TRUE(alive(harness_));
}

TEST_F(Attacks, ASpoofedViaDoesNotMoveTheAnswer) {
    Caller caller(udp_);
    std::string options = caller.request("OPTIONS");
    const std::size_t at = options.find("127.0.0.1:");
    options.replace(at, options.find(';', at) - at, "203.0.113.9:9");
    udp_.send(options);
    const std::string answer = udp_.expect("SIP/2.0 200");
    ASSERT_NE(answer, "");
    const std::string via = header(answer, "Via");
    EXPECT_NE(via.find("received=127.0.0.1"), std::string::npos) << via;
    EXPECT_NE(via.find("rport=" + std::to_string(udp_.local_port())), std::string::npos) << via;
}

// RFC 3261 section 18.2.2: some gateways send from one port and listen at another.
TEST_F(Attacks, WithoutRportTheAnswerGoesToThePortOfTheVia) {
    Client listening(Transport::udp, harness_.port(Transport::udp));
    Caller caller(udp_);
    const auto asked = [&](const std::string& sent_by) {
        std::string options = caller.request("OPTIONS");
        options.erase(options.find(";rport"), 6);
        const std::size_t at = options.find("127.0.0.1:");
        options.replace(at, options.find(';', at) - at, sent_by);
        udp_.send(options);
    };
    const std::string port = std::to_string(listening.local_port());
    asked("127.0.0.1:" + port);
    EXPECT_NE(listening.expect("SIP/2.0 200"), "");
    for (const char* elsewhere : {"10.0.0.9:", "gateway.example:"}) {
        asked(elsewhere + port);
        EXPECT_NE(udp_.expect("SIP/2.0 200"), "") << elsewhere;
    }
}

TEST_F(Attacks, ManyParametersHeadersAndLongMessagesAreDropped) {
    Caller caller(udp_);
    std::string many(";a=b");
    for (int round = 0; round < 12; ++round) {
        many += many;
    }
    udp_.send(caller.request("OPTIONS", "X-Many: x" + many.substr(0, 60000) + "\r\n"));
    std::string headers;
    for (int count = 0; count < 2000; ++count) {
        headers += "X-A: b\r\n";
    }
    udp_.send(caller.request("OPTIONS", headers));
    udp_.send(caller.request("INVITE", {},
                             std::string(60000, 'v')));  // within the bounds: parsed, and refused by SDP
    udp_.send(caller.request("OPTIONS", std::string("X: a") + '\0' + "b\r\n"));
    EXPECT_TRUE(alive(harness_));
    bool counted = false;
    harness_.run([&] { counted = harness_.legs->statistics().malformed >= 2; });
    EXPECT_TRUE(counted);
}

TEST_F(Attacks, AnUnreadableRequestIsAnsweredWith400) {
    EXPECT_TRUE(
        exchange("OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\nFrom: <<<\r\n"
                 "To: <sip:b@c>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
            .starts_with("SIP/2.0 400"));
}

TEST_F(Attacks, GarbageAndAbortedHandshakesOnTlsLeaveNoConnection) {
    for (int round = 0; round < 60; ++round) {
        Client raw(Transport::tcp, harness_.port(Transport::tls));
        raw.send(round % 2 == 0 ? std::string("GET / HTTP/1.0\r\n\r\n") : std::string("\x16\x03\x01\x02", 4));
        if (round % 3 == 0) {
            const linger abort{1, 0};  // RST
            ::setsockopt(raw.descriptor(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        }
    }
    EXPECT_TRUE(alive(harness_, Transport::tls));
    EXPECT_TRUE(harness_.wait([&] { return harness_.legs->statistics().connections == 0; }));
}

TEST_F(Attacks, GarbageOnTcpClosesTheConnection) {
    Client raw(Transport::tcp, harness_.port(Transport::tcp));
    raw.send(std::string(100, '\x01'));
    EXPECT_TRUE(raw.closed());
    Client endless(Transport::tcp, harness_.port(Transport::tcp));
    endless.send("OPTIONS sip:x SIP/2.0\r\nX: " + std::string(70000, 'a'));
    EXPECT_TRUE(endless.closed());
    EXPECT_TRUE(alive(harness_, Transport::tcp));
}

TEST_F(Attacks, AMessageInSinglebytesIsReadAndTwoInOneSegmentToo) {
    Client client(Transport::tcp, harness_.port(Transport::tcp));
    Caller caller(client);
    for (const char byte : caller.request("OPTIONS", {}, "v=0")) {
        ASSERT_TRUE(client.send(std::string(1, byte)));
    }
    EXPECT_NE(client.expect("SIP/2.0 200"), "");
    client.send("\r\n\r\n" + caller.request("OPTIONS") + caller.request("OPTIONS"));
    EXPECT_NE(client.expect("SIP/2.0 200"), "");
    EXPECT_NE(client.expect("SIP/2.0 200"), "");
}

std::string mutated(std::string bytes, std::mt19937& random) {
    for (unsigned edits = 1 + random() % 8; edits > 0; --edits) {
        const std::size_t at = random() % bytes.size();
        switch (random() % 4) {
            case 0:
                bytes[at] = static_cast<char>(random());
                break;
            case 1:
                bytes.erase(at, 1 + random() % 20);
                break;
            case 2:
                bytes.insert(at, bytes.substr(random() % bytes.size(), 30));
                break;
            default:
                bytes.insert(at, 1, "\r\n:;,<>\"@%\\ "[random() % 12]);
        }
        bytes += bytes.empty() ? "x" : "";
    }
    return bytes;
}

// Requests of calls of their own, and all that the RFCs torture with.
std::vector<std::string> seeds(Client& client) {
    std::vector<std::string> seeds;
    for (int count = 0; count < 20; ++count) {
        Caller caller(client);
        seeds.push_back(caller.request("INVITE", "Record-Route: <sip:p;lr>\r\n", kOffer));
        seeds.push_back(caller.cancel());
        for (const char* method : {"OPTIONS", "BYE", "ACK", "UPDATE", "PRACK", "REGISTER"}) {
            seeds.push_back(caller.request(method));
        }
        seeds.push_back(caller.request("INFO", {}, "Signal=5", "application/dtmf-relay"));
    }
    const char* root = std::getenv("VMR_SOURCE_ROOT");
    for (const auto& entry : std::filesystem::directory_iterator(
             std::filesystem::path(root != nullptr ? root : ".") / "tests/daemon/legs/sip/torture")) {
        std::ifstream file(entry.path(), std::ios::binary);
        seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return seeds;
}

TEST(Mutations, AHundredThousandDisturbNobodyAndLeaveNothing) {
    constexpr int kRounds = 100000;
    SipConfig config;
    config.stack.messages_per_second = config.invites_per_second = 1e6;
    config.max_half_open = config.max_half_open_per_source = 500;
    config.max_transactions = config.max_transactions_per_source = 2 * kRounds;
    Harness harness(config);
    Client udp(Transport::udp, harness.port(Transport::udp));
    const std::size_t before = mallinfo2().uordblks;
    const std::vector<std::string> originals = seeds(udp);
    std::mt19937 random(4475);
    for (int round = 0; round < kRounds; ++round) {
        udp.send(mutated(originals[random() % originals.size()], random));
        if (round % 100 == 0) {  // also lets the socket's buffer drain, so that all are read
            ASSERT_TRUE(alive(harness)) << round;
        }
    }
    EXPECT_TRUE(alive(harness, Transport::tls));
    EXPECT_TRUE(harness.wait([&] {
        const StackStatistics seen = harness.legs->statistics();
        return seen.received + seen.malformed >= kRounds * 98 / 100;
    }));
    harness.run([&] { harness.legs->stop(); });
    EXPECT_GT(harness.observer.arrivals(), 0U);
    EXPECT_EQ(harness.observer.ended(), harness.observer.arrivals()) << "no call is stuck";
    harness.run([&] { harness.legs.reset(); });
    harness.observer.forget();
    EXPECT_LT(mallinfo2().uordblks, before + (4U << 20U)) << "nothing is left behind";
}

TEST(Limits, UnacknowledgedCallsAreCappedPerSource) {
    SipConfig config;
    config.max_half_open_per_source = 5;
    Harness harness(config);
    Client client(Transport::udp, harness.port(Transport::udp));
    std::vector<std::unique_ptr<Caller>> callers;
    for (int count = 0; count < 5; ++count) {
        callers.push_back(std::make_unique<Caller>(client));
        client.send(callers.back()->request("INVITE", {}, kOffer));
        ASSERT_NE(client.expect("SIP/2.0 200"), "");
    }
    Caller sixth(client);
    client.send(sixth.request("INVITE", {}, kOffer));
    const std::string refused = client.expect("SIP/2.0 503");
    ASSERT_NE(refused, "");
    EXPECT_NE(header(refused, "Retry-After"), "");
    EXPECT_EQ(harness.observer.arrivals(), 5U);
    EXPECT_TRUE(alive(harness));
    EXPECT_EQ(harness.observer.refused(), std::vector{EndCause::overload});
    harness.run([&] { harness.legs->refuse_new_calls(); });
    Caller seventh(client);
    client.send(seventh.request("INVITE", {}, kOffer));
    ASSERT_NE(client.expect("SIP/2.0 503"), "");
    EXPECT_EQ(harness.observer.refused(), (std::vector{EndCause::overload, EndCause::shutdown}));
}

TEST(Limits, AFloodFromOneSourceIsCut) {
    SipConfig config;
    config.stack.messages_per_second = 50;
    Harness harness(config);
    Client client(Transport::udp, harness.port(Transport::udp));
    Caller caller(client);
    for (int count = 0; count < 1000; ++count) {
        client.send(caller.request("OPTIONS"));
    }
    EXPECT_TRUE(harness.wait([&] { return harness.legs->statistics().received > 0; }));
    EXPECT_TRUE(harness.wait([&] { return harness.legs->statistics().rate_limited > 0; }));
}

}  // namespace
}  // namespace vmr::sip::test
