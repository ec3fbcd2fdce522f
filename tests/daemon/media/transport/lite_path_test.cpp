// Where an ICE lite agent sends to, and from where it listens.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "daemon/media/transport/udp_channel.hpp"
#include "tests/daemon/media/transport/endpoint.hpp"
#include "tests/daemon/media/transport/stun_peer.hpp"

namespace vmr::media::test {
namespace {

class Events final : public ChannelEvents {
public:
    void on_datagram_received(Component, Bytes) override { ++heard; }
    void on_oversized_received() override {}
    void on_stranger_received() override { ++strangers; }
    void on_path_connected() override { connected = true; }
    void on_path_failed(const std::string&) override {}
    void on_local_candidate_found(const std::string&, const std::string&) override {}
    std::atomic<unsigned> heard = 0, strangers = 0;
    std::atomic<bool> connected = false;
};

// One of the peer's candidates.
class Candidate {
public:
    explicit Candidate(uint16_t port) : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to);
    }
    ~Candidate() { close(socket_); }
    Candidate(const Candidate&) = delete;
    Candidate& operator=(const Candidate&) = delete;
    void send(const std::vector<uint8_t>& bytes) const { ::send(socket_, bytes.data(), bytes.size(), 0); }
    // What came next.
    std::vector<uint8_t> next() const {
        std::vector<uint8_t> bytes(2048);
        ssize_t size = -1;
        wait_until([&] { return size > 0 || (size = recv(socket_, bytes.data(), bytes.size(), 0)) > 0; }, 10);
        bytes.resize(size > 0 ? static_cast<size_t>(size) : 0);
        return bytes;
    }

private:
    int socket_;
};

class LitePathTest : public testing::Test {
protected:
    void SetUp() override {
        UdpParams params = loopback_udp(true);
        params.ice_lite = true;
        auto opened = UdpChannel::open(io_, params, events_);
        ASSERT_TRUE(opened);
        channel_ = std::move(*opened);
        UdpRemote remote{"127.0.0.1", 9};
        remote.ice_ufrag = "theirs";
        ASSERT_TRUE(channel_->set_remote(remote));
    }
    void check(const Candidate& from, uint32_t priority, bool nominate = true) {
        const auto [ufrag, password] = channel_->ice_credentials();
        from.send(peer_.check(ufrag + ":theirs", password, nominate, true, priority));
        EXPECT_FALSE(from.next().empty()) << "a check is answered";
    }
    void expect_sent_to(const Candidate& candidate) {
        const std::vector<uint8_t> media{0x80, 0, 0, ++number_};
        ASSERT_TRUE(channel_->send(Component::rtp, media));
        EXPECT_EQ(candidate.next(), media);
    }

    std::shared_ptr<MediaIo> io_ = std::make_shared<MediaIo>();
    Events events_;
    std::unique_ptr<UdpChannel> channel_;
    StunPeer peer_;
    uint8_t number_ = 0;
};

TEST_F(LitePathTest, TheBestNominationCounts) {
    const Candidate host(channel_->rtp_port()), mapped(channel_->rtp_port()), relayed(channel_->rtp_port());
    check(mapped, 200, false);
    EXPECT_TRUE(wait_until([&] { return events_.connected.load(); }, 10));
    expect_sent_to(mapped);
    check(relayed, 100);
    expect_sent_to(relayed);
    check(host, 300);
    expect_sent_to(host);
    check(relayed, 100);  // who nominates all of them comes back with each check
    expect_sent_to(host);
}

TEST_F(LitePathTest, MediaIsHeardFromWhereverACheckPassed) {
    const Candidate host(channel_->rtp_port()), mapped(channel_->rtp_port()), stranger(channel_->rtp_port());
    check(host, 300);
    check(mapped, 200, false);
    const std::vector<uint8_t> media{0x80, 0, 0, 1};
    host.send(media);
    mapped.send(media);
    stranger.send(media);
    EXPECT_TRUE(wait_until([&] { return events_.heard == 2 && events_.strangers == 1; }, 10));
}

}  // namespace
}  // namespace vmr::media::test
