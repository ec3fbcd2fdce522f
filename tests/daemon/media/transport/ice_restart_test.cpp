// ICE restarts on both sides of a call that goes on.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <sstream>

#include "tests/daemon/media/transport/endpoint.hpp"

namespace vmr::media::test {
namespace {

constexpr int kFar = 300;  // s; longer than any test

uint16_t port_of(const std::string& candidate) {
    std::istringstream words(candidate);
    std::string word;
    for (int i = 0; i < 6; ++i) {
        words >> word;
    }
    return static_cast<uint16_t>(std::stoi(word));
}

// By a socket of this process: others on the machine may have been given what was freed.
bool is_taken(uint16_t port) {
    for (int descriptor = 0; descriptor < 1024; ++descriptor) {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
            address.sin_family == AF_INET && ntohs(address.sin_port) == port) {
            return true;
        }
    }
    return false;
}

class IceRestartTest : public testing::Test {
protected:
    static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
    void SetUp() override {
        for (Endpoint* each : {&a_, &b_}) {
            each->add(opus_media(0, each == &a_ ? 1000 : 2000));
            each->add(vp8_media(1, each == &a_ ? 1010 : 2010, true));
            each->play();
        }
    }
    void call() {
        connect(a_, b_);
        connect_dtls(a_, b_, *certificate_a_, *certificate_b_);
        ASSERT_TRUE(media_comes()) << a_.reason << b_.reason;
    }
    // From now on.
    bool media_comes() {
        std::vector<std::pair<uint64_t, uint64_t>> before;
        for (Endpoint* each : {&a_, &b_}) {
            before.emplace_back(each->received(0), each->received(1));
        }
        return wait_until([&] {
            return a_.received(0) > before[0].first + 10 && a_.received(1) > before[0].second + 10 &&
                   b_.received(0) > before[1].first + 10 && b_.received(1) > before[1].second + 10;
        });
    }
    // So far. Those of two paths may overtake each other.
    int64_t lost() const {
        int64_t lost = 0;
        for (const Endpoint* each : {&a_, &b_}) {
            for (const MediaStats& media : each->transport->stats().media) {
                lost += media.lost_packets;
            }
        }
        return lost;
    }
    static IceParams params(bool controlling) {
        IceParams ice = loopback_ice(controlling);
        ice.connect_deadline = std::chrono::seconds(kFar);
        return ice;
    }
    void restart(Endpoint& endpoint, bool controlling) {
        const Status restarted = endpoint.transport->restart_ice(params(controlling));
        ASSERT_TRUE(restarted) << restarted.error();
    }
    static uint16_t port(const Endpoint& endpoint) {
        return port_of(endpoint.transport->local().candidates.at(0));
    }

    std::shared_ptr<MediaIo> io_ = std::make_shared<MediaIo>();
    std::shared_ptr<DtlsCertificate> certificate_a_ = *DtlsCertificate::generate();
    std::shared_ptr<DtlsCertificate> certificate_b_ = *DtlsCertificate::generate();
    Endpoint a_{io_, params(false), certificate_a_}, b_{io_, params(true), certificate_b_};
};

TEST_F(IceRestartTest, MediaGoesOnBeforeDuringAndAfter) {
    ASSERT_NO_FATAL_FAILURE(call());
    const LocalDescription old_a = a_.transport->local(), old_b = b_.transport->local();
    const CryptoReceipt crypto = a_.transport->crypto();
    const int64_t lost_before = lost();
    const auto states = a_.states;
    ASSERT_EQ(a_.transport->state(), TransportState::ready);

    restart(a_, false);
    const LocalDescription new_a = a_.transport->local();
    EXPECT_NE(new_a.ice_ufrag, old_a.ice_ufrag);
    EXPECT_NE(new_a.ice_password, old_a.ice_password);
    EXPECT_NE(port(a_), port_of(old_a.candidates.at(0)));
    EXPECT_TRUE(media_comes()) << "while nobody has been told";
    restart(b_, true);
    EXPECT_TRUE(media_comes());
    connect(a_, b_);
    EXPECT_TRUE(media_comes());

    for (const LocalDescription& old : {old_a, old_b}) {
        EXPECT_TRUE(wait_until([&] { return !is_taken(port_of(old.candidates.at(0))); }));
    }
    EXPECT_TRUE(media_comes()) << "by the new path alone";
    EXPECT_LE(lost(), lost_before);
    for (Endpoint* each : {&a_, &b_}) {
        EXPECT_EQ(each->transport->stats().drops.auth_failures, 0u);
        EXPECT_EQ(each->transport->stats().drops.send_failures, 0u);
        EXPECT_EQ(each->streams.size(), 2u) << "the streams are those of before";
    }
    EXPECT_EQ(a_.states, states);
    EXPECT_EQ(a_.transport->crypto().suite, crypto.suite);
    EXPECT_EQ(a_.transport->crypto().key_exchange, crypto.key_exchange);
}

TEST_F(IceRestartTest, AgainAndWithTheRolesExchanged) {
    ASSERT_NO_FATAL_FAILURE(call());
    std::vector<uint16_t> ports{port(a_)};
    const int64_t lost_before = lost();
    for (int i = 0; i < 3; ++i) {
        restart(a_, i % 2 == 0);
        restart(b_, i % 2 != 0);
        connect(a_, b_);
        EXPECT_TRUE(media_comes()) << i;
        ports.push_back(port(a_));
        EXPECT_LE(std::ranges::count_if(ports, is_taken), 2) << "never more than two agents";
    }
    EXPECT_TRUE(wait_until([&] { return std::ranges::count_if(ports, is_taken) == 1; }));
    EXPECT_TRUE(media_comes());
    EXPECT_LE(lost(), lost_before);
}

TEST_F(IceRestartTest, OneThatComesDuringAnotherReplacesIt) {
    ASSERT_NO_FATAL_FAILURE(call());
    const uint16_t first = port(a_);
    uint16_t given_up = 0;
    for (int i = 0; i < 5; ++i) {
        restart(a_, false);
        // The peer is told, but answers nothing yet.
        ASSERT_TRUE(a_.transport->set_remote(IceRemote{"ufrag" + std::to_string(i),
                                                       std::string(24, 'p'),
                                                       {"candidate:1 1 udp 1 127.0.0.1 9 typ host"},
                                                       true}));
        if (given_up != 0) {
            EXPECT_FALSE(is_taken(given_up));
        }
        given_up = port(a_);
        EXPECT_TRUE(is_taken(first) && is_taken(given_up));
    }
    EXPECT_TRUE(media_comes());
    restart(a_, false);
    restart(b_, true);
    connect(a_, b_);
    EXPECT_TRUE(wait_until([&] { return !is_taken(first); }));
    EXPECT_TRUE(media_comes());
    EXPECT_EQ(a_.transport->state(), TransportState::ready);
}

TEST_F(IceRestartTest, BeforeThereWasAPath) {
    connect_dtls(a_, b_, *certificate_a_, *certificate_b_);
    const LocalDescription old = b_.transport->local();
    // Nobody answers there.
    ASSERT_TRUE(a_.transport->set_remote(
        IceRemote{old.ice_ufrag, old.ice_password, {"candidate:1 1 udp 1 127.0.0.1 9 typ host"}, true}));
    restart(a_, false);
    restart(b_, true);
    connect(a_, b_);
    EXPECT_TRUE(media_comes()) << a_.reason << b_.reason;
}

TEST_F(IceRestartTest, FailsThePathWhenItFindsNone) {
    ASSERT_NO_FATAL_FAILURE(call());
    IceParams ice = params(false);
    ice.connect_deadline = std::chrono::milliseconds(200);
    ASSERT_TRUE(a_.transport->restart_ice(ice));
    ASSERT_TRUE(a_.transport->set_remote(IceRemote{"nobody", std::string(24, 'p'), {}, true}));
    EXPECT_TRUE(wait_until([&] { return a_.states.back() == TransportState::failed; }));
    EXPECT_EQ(a_.reason, "ICE found no path in time");
}

TEST_F(IceRestartTest, CancelledItLeavesTheAgentInUse) {
    ASSERT_NO_FATAL_FAILURE(call());
    const LocalDescription before = a_.transport->local();
    IceParams ice = params(false);
    ice.connect_deadline = std::chrono::milliseconds(200);
    ASSERT_TRUE(a_.transport->restart_ice(ice));
    ASSERT_TRUE(a_.transport->set_remote(IceRemote{"nobody", std::string(24, 'p'), {}, true}));
    const uint16_t given_up = port(a_);
    a_.transport->cancel_ice_restart();
    EXPECT_FALSE(is_taken(given_up));
    EXPECT_EQ(a_.transport->local().ice_ufrag, before.ice_ufrag);
    EXPECT_EQ(a_.transport->local().candidates, before.candidates);
    EXPECT_TRUE(media_comes());
}

TEST_F(IceRestartTest, WhatCannotBeIsAnError) {
    ASSERT_NO_FATAL_FAILURE(call());
    IceParams ice = params(false);
    ice.local_addresses = {"127.0.0.300"};
    EXPECT_FALSE(a_.transport->restart_ice(ice));
    restart(a_, false);
    EXPECT_FALSE(a_.transport->set_remote(IceRemote{"x", "short", {}, true}));
    a_.transport->cancel_ice_restart();
    EXPECT_TRUE(media_comes());
    EXPECT_EQ(a_.transport->state(), TransportState::ready);
    Endpoint udp(io_, loopback_udp(true));
    EXPECT_FALSE(udp.transport->restart_ice(ice));
}

// They are on their way to who called when the restart comes.
TEST_F(IceRestartTest, CandidatesOfTheAgentBeforeAreNotAnnounced) {
    Endpoint endpoint(io_, params(false));
    ASSERT_TRUE(endpoint.candidates.empty());
    const uint16_t old = port(endpoint);
    restart(endpoint, false);
    ASSERT_TRUE(wait_until([&] { return endpoint.candidates.size() == 2; })) << "one, and the end";
    EXPECT_EQ(port_of(endpoint.candidates[0]), port(endpoint));
    EXPECT_NE(port_of(endpoint.candidates[0]), old);
    EXPECT_EQ(endpoint.candidates[1], "");
}

}  // namespace
}  // namespace vmr::media::test
