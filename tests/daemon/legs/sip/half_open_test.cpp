// Calls that nobody acknowledges: which of them give way, and that they lock out nobody.
#include "daemon/legs/sip/half_open.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include "tests/support/sip/harness.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Its dialog's identifiers are the caller's choice: the call that takes over an entry is counted in its
// place.
TEST(HalfOpenRules, ACallThatTakesOverAnEntryIsCounted) {
    Message invite;
    invite.call_id = "c";
    HalfOpen calls;
    calls.add(invite, "first", "192.0.2.7", {}, 0);
    calls.add(invite, "second", "192.0.2.8", {}, 0);
    EXPECT_EQ(calls.of("192.0.2.7"), 0U);
    EXPECT_EQ(calls.of("192.0.2.8"), 1U);
    using Stage = HalfOpen::Stage;
    calls.prune([](const std::string& call) { return call == "second" ? Stage::half_open : Stage::over; }, 0);
    EXPECT_EQ(calls.size(), 1U);
    calls.prune([](const std::string&) { return Stage::over; }, 0);
    EXPECT_EQ(calls.size(), 0U);
    EXPECT_EQ(calls.of("192.0.2.8"), 0U);
    EXPECT_FALSE(calls.was_answered(invite, 0)) << "one that was refused may come again";
}

// RFC 3261 section 8.2.2.2: a copy of the INVITE by another way may come behind the ACK.
TEST(HalfOpenRules, AnAnsweredCallsInviteIsKnownForAWhile) {
    Message invite, other;
    invite.call_id = "c";
    other.call_id = "d";
    HalfOpen calls;
    calls.add(invite, "first", "192.0.2.7", {}, 0);
    calls.prune([](const std::string&) { return HalfOpen::Stage::answered; }, 1000);
    EXPECT_EQ(calls.size(), 0U);
    EXPECT_EQ(calls.of("192.0.2.7"), 0U) << "it counts no more";
    EXPECT_TRUE(calls.was_answered(invite, 1000 + kTimeout - 1));
    EXPECT_FALSE(calls.was_answered(other, 1000));
    EXPECT_FALSE(calls.was_answered(invite, 1000 + kTimeout));
    calls.add(invite, "first", "192.0.2.7", {}, 0);
    calls.prune([](const std::string&) { return HalfOpen::Stage::answered; }, 100000);
    for (std::size_t more = 0; more < HalfOpen::kMaxAnswered; ++more) {
        other.call_id = std::to_string(more);
        calls.add(other, "more", "192.0.2.7", {}, 0);
    }
    calls.prune([](const std::string&) { return HalfOpen::Stage::answered; }, 100001);
    EXPECT_FALSE(calls.was_answered(invite, 100001)) << "the oldest gave way";
    EXPECT_TRUE(calls.was_answered(other, 100001));
}

TEST(HalfOpenRules, TheOldestThatMayBeForgedGivesWay) {
    HalfOpen calls;
    const HalfOpen::Caller known{.known = true}, tls{.proven = true, .known = true};
    const auto add = [&calls](const char* key, const HalfOpen::Caller& caller, std::int64_t now) {
        Message invite;
        invite.call_id = key;
        calls.add(invite, key, key, caller, now);
    };
    const auto gives_way = [&calls](const HalfOpen::Caller& caller, std::int64_t now) {
        const std::string* key = calls.gives_way_to(caller, now);
        return key != nullptr ? *key : "";
    };
    EXPECT_EQ(gives_way(tls, 5000), "");
    add("tls", tls, 0);
    EXPECT_EQ(gives_way({}, HalfOpen::kAckWait - 1), "");
    EXPECT_EQ(gives_way(tls, HalfOpen::kAckWait - 1), "");
    EXPECT_EQ(gives_way({}, HalfOpen::kAckWait), "tls") << "where there is no other";
    EXPECT_EQ(gives_way(tls, HalfOpen::kAckWait), "tls");
    add("second", {}, 200);
    add("first", known, 100);  // a trunk's address, over UDP
    EXPECT_EQ(gives_way(known, 200), "first") << "at once";
    EXPECT_EQ(gives_way({}, 99 + HalfOpen::kAckWait), "");
    EXPECT_EQ(gives_way({}, 100 + HalfOpen::kAckWait), "first");
}

TEST(HalfOpenRules, WhoOutranksGivesNoWay) {
    HalfOpen calls;
    const HalfOpen::Caller flash{.proven = true, .known = true, .rank = 3}, said{.known = true, .rank = 3};
    calls.add({}, "flash", "192.0.2.7", flash, 0);
    EXPECT_EQ(calls.gives_way_to({.proven = true, .known = true}, 5000), nullptr);
    ASSERT_NE(calls.gives_way_to(flash, 5000), nullptr);
    Message forged;
    forged.call_id = "forged";
    calls.add(forged, "forged", "192.0.2.8", said, 4999);
    ASSERT_NE(calls.gives_way_to({.known = true}, 5000), nullptr) << "whose rank nobody can trust";
    EXPECT_EQ(*calls.gives_way_to({.known = true}, 5000), "forged");
}

// A socket whose datagrams come from whatever loopback address.
class Forger {
public:
    explicit Forger(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        server_.sin_family = AF_INET;
        server_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        server_.sin_port = htons(port);
    }
    ~Forger() { ::close(socket_); }
    Forger(const Forger&) = delete;
    Forger& operator=(const Forger&) = delete;
    bool send(const std::string& text, std::uint32_t source) {
        iovec bytes{const_cast<char*>(text.data()), text.size()};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in_pktinfo))] = {};
        msghdr message{};
        message.msg_name = &server_;
        message.msg_namelen = sizeof server_;
        message.msg_iov = &bytes;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = IPPROTO_IP;
        header->cmsg_type = IP_PKTINFO;
        header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
        reinterpret_cast<in_pktinfo*>(CMSG_DATA(header))->ipi_spec_dst.s_addr = htonl(source);
        return ::sendmsg(socket_, &message, 0) == static_cast<ssize_t>(text.size());
    }
    // The next that begins so, of what comes meanwhile; empty after the time.
    std::string expect(const std::string& start, int timeout_ms = 30000) {
        const auto end = Clock::now() + std::chrono::milliseconds(timeout_ms);
        for (;;) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
            const timeval limit{left.count() / 1000, left.count() % 1000 * 1000};
            char bytes[65536];
            if (left.count() <= 0 ||
                ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0) {
                return {};
            }
            const ssize_t size = ::recv(socket_, bytes, sizeof bytes, 0);
            const std::string text(bytes, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
            if (size > 0 && text.starts_with(start)) {
                return text;
            }
        }
    }

private:
    using Clock = std::chrono::steady_clock;
    int socket_;
    sockaddr_in server_{};
};

constexpr std::uint32_t kTrunk = 0x7f000009;  // 127.0.0.9
constexpr std::uint32_t kHonest = 0x7f00000a;

// As a client does: the INVITE again until it is answered (RFC 3261 section 17.1.1.2, timers A and B).
std::string begin(Forger& by, std::uint32_t source, Caller& caller) {
    const std::string invite = caller.request("INVITE", {}, kOffer);
    std::string ok;
    for (int wait = 500; wait < 32000 && ok.empty(); wait *= 2) {
        by.send(invite, source);
        ok = by.expect("SIP/2.0 ", wait);
        while (ok.starts_with("SIP/2.0 1")) {
            ok = by.expect("SIP/2.0 ");
        }
    }
    caller.learn(ok);
    return ok;
}

// It stands: what is over is 481.
std::string acknowledge_and_end(Forger& by, std::uint32_t source, Caller& caller) {
    by.send(caller.ack(), source);
    by.send(caller.request("BYE"), source);
    std::string answer = by.expect("SIP/2.0 ");
    while (answer.find("CSeq: 1 INVITE") != std::string::npos) {
        answer = by.expect("SIP/2.0 ");  // the 200 once more
    }
    return answer;
}

// With the limits that the daemon has.
TEST(HalfOpenCalls, TenThousandForgedOnesLockOutNobody) {
    constexpr std::uint32_t kFlood = 10000;
    SipConfig config;
    config.trunks = {{.name = "line", .sources = {"127.0.0.9"}, .numbers = {{"+1555", "team"}}}};
    Harness harness(config);
    Forger flood(harness.port(Transport::udp)), calls(harness.port(Transport::udp));
    Client names(Transport::udp, harness.port(Transport::udp));
    for (std::uint32_t count = 1; count <= kFlood; ++count) {
        Caller caller(names);
        ASSERT_TRUE(flood.send(caller.request("INVITE", {}, kOffer), 0x7f010000 + count));
        if (count % 100 == 0) {
            ASSERT_TRUE(harness.wait([&] { return harness.legs->statistics().received >= count; }, 30000));
        }
    }
    harness.run([&] {
        EXPECT_EQ(harness.legs->half_open(), config.max_half_open);
        EXPECT_EQ(harness.legs->calls(), config.max_half_open);
    });
    Caller by_trunk(names, "+1555");
    EXPECT_THAT(begin(calls, kTrunk, by_trunk), StartsWith("SIP/2.0 200"));
    EXPECT_THAT(acknowledge_and_end(calls, kTrunk, by_trunk), StartsWith("SIP/2.0 200"));
    Client tls(Transport::tls, harness.port(Transport::tls));
    Caller by_tls(tls);
    ASSERT_TRUE(tls.send(by_tls.request("INVITE", {}, kOffer)));
    const std::string ok = tls.expect("SIP/2.0 ");
    by_tls.learn(ok.starts_with("SIP/2.0 1") ? tls.expect("SIP/2.0 200") : ok);
    Caller honest(names);
    EXPECT_THAT(begin(calls, kHonest, honest), StartsWith("SIP/2.0 200"));
    EXPECT_THAT(acknowledge_and_end(calls, kHonest, honest), StartsWith("SIP/2.0 200"));
    tls.send(by_tls.ack());
    tls.send(by_tls.request("BYE"));
    EXPECT_THAT(tls.expect("SIP/2.0 200"), HasSubstr("BYE"));
    EXPECT_LE(harness.observer.arrivals() - harness.observer.ended(), config.max_half_open);
}

// What somebody sends in the name of an address is not held against who has it and comes by a connection.
TEST(HalfOpenCalls, WhoIsForgedHasAllOfTheirShareByTcp) {
    SipConfig config;
    config.max_half_open_per_source = 2;
    config.max_transactions_per_source = 20;
    config.invites_per_second = 20;
    Harness harness(config);
    Forger flood(harness.port(Transport::udp));
    Client names(Transport::udp, harness.port(Transport::udp));
    for (int count = 1; count <= 60; ++count) {
        Caller caller(names);
        ASSERT_TRUE(flood.send(caller.request("INVITE", {}, kOffer), INADDR_LOOPBACK));
    }
    ASSERT_TRUE(harness.wait([&] { return harness.legs->statistics().received >= 60; }, 30000));
    ASSERT_NE(flood.expect("SIP/2.0 503"), "");
    Client tcp(Transport::tcp, harness.port(Transport::tcp));
    Caller caller(tcp);
    tcp.send(caller.request("INVITE", {}, kOffer));
    EXPECT_NE(tcp.expect("SIP/2.0 200"), "");
}

// Names that do not exist cost a transaction each, as do OPTIONS.
TEST(HalfOpenCalls, ForgedTransactionsLockOutNobody) {
    SipConfig config;
    config.max_transactions = 50;
    Harness harness(config);
    Forger flood(harness.port(Transport::udp)), calls(harness.port(Transport::udp));
    Client names(Transport::udp, harness.port(Transport::udp));
    for (std::uint32_t count = 1; count <= 200; ++count) {
        Caller caller(names);
        ASSERT_TRUE(flood.send(caller.request("OPTIONS"), 0x7f010000 + count));
        ASSERT_THAT(flood.expect("SIP/2.0 "), StartsWith("SIP/2.0 200")) << count;
    }
    Caller honest(names);
    EXPECT_THAT(begin(calls, kHonest, honest), StartsWith("SIP/2.0 200"));
    EXPECT_THAT(acknowledge_and_end(calls, kHonest, honest), StartsWith("SIP/2.0 200"));
}

// Where the limit of all calls is reached, too.
TEST(HalfOpenCalls, WhoGivesWayIsToldOnceAndLeavesNothing) {
    for (const bool of_all : {false, true}) {
        SipConfig config;
        (of_all ? config.max_calls : config.max_half_open) = 1;
        Harness harness(config);
        Forger forger(harness.port(Transport::udp));
        Client names(Transport::udp, harness.port(Transport::udp));
        Caller first(names), second(names);
        ASSERT_THAT(begin(forger, kHonest, first), StartsWith("SIP/2.0 200"));
        Forger other(harness.port(Transport::udp));
        ASSERT_THAT(begin(other, kHonest + 1, second), StartsWith("SIP/2.0 200"));
        const std::string bye = forger.expect("BYE ");
        EXPECT_EQ(header(bye, "Call-ID"), first.call_id);
        harness.run([&] { EXPECT_EQ(harness.legs->calls(), 1U); });
        EXPECT_EQ(harness.observer.ended(), 1U);
        // By a connection there is nothing to wait for.
        Client tcp(Transport::tcp, harness.port(Transport::tcp));
        Caller third(tcp);
        tcp.send(third.request("INVITE", {}, kOffer));
        EXPECT_NE(tcp.expect("SIP/2.0 200"), "");
        EXPECT_EQ(header(other.expect("BYE "), "Call-ID"), second.call_id);
        EXPECT_EQ(harness.observer.ended(), 2U);
        EXPECT_EQ(harness.observer.arrivals(), 3U);
    }
}

}  // namespace
}  // namespace vmr::sip::test
