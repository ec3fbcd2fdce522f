// What must not get through: wrong keys, forged certificates, strangers, garbage.
#include <gio/gio.h>
#include <gtest/gtest.h>

#include "tests/daemon/media/transport/endpoint.hpp"

namespace vmr::media::test {
namespace {

class HostileTest : public testing::Test {
protected:
    static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
    void TearDown() override {
        if (attacker_) {
            g_socket_close(attacker_.get(), nullptr);
        }
    }

    // From a port of its own, on 127.0.0.1 or another loopback address.
    void attack_from(const char* address) {
        attacker_ = GPtr<GSocket>::adopt(
            g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, nullptr));
        auto local = GPtr<GSocketAddress>::adopt(g_inet_socket_address_new_from_string(address, 0));
        ASSERT_TRUE(g_socket_bind(attacker_.get(), local.get(), FALSE, nullptr));
        g_socket_set_blocking(attacker_.get(), FALSE);
    }
    void send(const std::string& datagram, uint16_t port) {
        auto to = GPtr<GSocketAddress>::adopt(g_inet_socket_address_new_from_string("127.0.0.1", port));
        g_socket_send_to(attacker_.get(), to.get(), datagram.data(), datagram.size(), nullptr, nullptr);
    }
    bool attacker_received() { return g_socket_condition_check(attacker_.get(), G_IO_IN) != 0; }
    static std::string rtp(uint8_t pt, uint32_t ssrc, uint16_t sequence, size_t payload = 160) {
        std::string packet(12 + payload, '\x7F');
        const uint8_t header[12] = {0x80,
                                    pt,
                                    uint8_t(sequence >> 8),
                                    uint8_t(sequence),
                                    0,
                                    0,
                                    0,
                                    0,
                                    uint8_t(ssrc >> 24),
                                    uint8_t(ssrc >> 16),
                                    uint8_t(ssrc >> 8),
                                    uint8_t(ssrc)};
        packet.replace(0, 12, reinterpret_cast<const char*>(header), 12);
        return packet;
    }

    std::shared_ptr<MediaIo> io = std::make_shared<MediaIo>();
    GPtr<GSocket> attacker_;
};

TEST_F(HostileTest, WrongSrtpKeyDeliversNothing) {
    for (const SrtpSuite suite : {SrtpSuite::aes_cm_128_hmac_sha1_80, SrtpSuite::aead_aes_256_gcm}) {
        Endpoint a(io, loopback_udp(false)), b(io, loopback_udp(false));
        a.add(pcmu_media(0, 1));
        b.add(pcmu_media(0, 2));
        ASSERT_TRUE(a.transport->set_security(make_keys(suite, 'a', 'b')));
        ASSERT_TRUE(b.transport->set_security(make_keys(suite, 'b', 'x')));
        a.play();
        b.play();
        connect(a, b);
        ASSERT_TRUE(
            wait_until([&] { return b.transport->stats().drops.auth_failures > 20 && a.received(0) > 20; }));
        EXPECT_EQ(b.received(), 0u);
        EXPECT_TRUE(b.streams.empty());
        EXPECT_FALSE(b.transport->last_packet_age().has_value());
    }
}

TEST_F(HostileTest, KeysOfWrongLengthAreRefused) {
    Endpoint a(io, loopback_udp(false));
    SdesKeys keys = make_keys(SrtpSuite::aead_aes_256_gcm, 'a', 'b');
    keys.remote.pop_back();
    EXPECT_FALSE(a.transport->set_security(keys));
}

TEST_F(HostileTest, ForgedFingerprintFails) {
    const auto real = *DtlsCertificate::generate(), other = *DtlsCertificate::generate();
    for (const bool forge_server : {true, false}) {
        Endpoint a(io, loopback_udp(false), real), b(io, loopback_udp(false), real);
        a.add(pcmu_media(0, 1));
        b.add(pcmu_media(0, 2));
        a.play();
        b.play();
        connect(a, b);
        connect_dtls(a, b, forge_server ? *other : *real, forge_server ? *real : *other);
        Endpoint& victim = forge_server ? b : a;
        ASSERT_TRUE(wait_until([&] { return victim.transport->state() == TransportState::failed; }));
        ASSERT_TRUE(wait_until([&] { return victim.states.back() == TransportState::failed; }));
        EXPECT_NE(victim.reason.find("fingerprint"), std::string::npos) << victim.reason;
        EXPECT_EQ(victim.transport->crypto().key_exchange, CryptoReceipt::KeyExchange::none);
        EXPECT_EQ(a.received() + b.received(), 0u);
    }
}

TEST_F(HostileTest, DtlsNeedsAFingerprint) {
    Endpoint a(io, loopback_udp(false), *DtlsCertificate::generate());
    EXPECT_FALSE(a.transport->set_security(DtlsParams{}));
    EXPECT_FALSE(a.transport->set_security(DtlsParams{{{FingerprintHash::sha256, ""}}}));
}

TEST_F(HostileTest, HandshakeHasADeadline) {
    Endpoint a(io, loopback_udp(true), *DtlsCertificate::generate());
    attack_from("127.0.0.1");
    ASSERT_TRUE(a.transport->set_remote(UdpRemote{"127.0.0.1", 9}));
    DtlsParams dtls{{{FingerprintHash::sha256, (*DtlsCertificate::generate())->fingerprint()}}};
    dtls.deadline = std::chrono::milliseconds(50);
    ASSERT_TRUE(a.transport->set_security(dtls));
    EXPECT_TRUE(wait_until([&] { return a.reason.find("too long") != std::string::npos; }));
}

TEST_F(HostileTest, GarbageIsCountedAndMediaGoesOn) {
    Endpoint a(io, loopback_udp(false)), b(io, loopback_udp(false));
    a.add(pcmu_media(0, 1));
    b.add(pcmu_media(0, 2));
    ASSERT_TRUE(a.transport->set_security(make_keys(SrtpSuite::aead_aes_128_gcm, 'a', 'b')));
    ASSERT_TRUE(b.transport->set_security(make_keys(SrtpSuite::aead_aes_128_gcm, 'b', 'a')));
    a.play();
    b.play();
    attack_from("127.0.0.1");
    // Before the latch anyone at the signalled address is heard, but not believed.
    LocalDescription local = a.transport->local();
    ASSERT_TRUE(a.transport->set_remote(
        UdpRemote{"127.0.0.1", b.transport->local().rtp_port, b.transport->local().rtcp_port}));
    for (uint16_t i = 0; i < 100; i++) {
        send(std::string(20, '\0') + "stun?", local.rtp_port);
        send(rtp(0, 5000u + i, i), local.rtp_port);
        send(std::string(3000, '\x80'), local.rtp_port);
        send("\x80", local.rtp_port);
        send(std::string("\x80\xC8\x00\x06", 4) + std::string(24, 'r'), local.rtcp_port);
        send(std::string("\x16\xFE\xFD") + std::string(40, 'd'), local.rtp_port);
        // No faster than they are read: the kernel's buffer may be small.
        ASSERT_TRUE(wait_until([&] { return a.transport->stats().drops.oversized > i; }));
    }
    const DropCounts drops = a.transport->stats().drops;
    EXPECT_GE(drops.garbage, 200u);
    EXPECT_GE(drops.auth_failures, 100u);
    EXPECT_FALSE(a.transport->last_packet_age().has_value());

    connect(a, b);
    ASSERT_TRUE(wait_until([&] { return a.received(0) > 20 && b.received(0) > 20; }));
    // From now on only the peer's own port is listened to.
    const uint64_t strangers = a.transport->stats().drops.wrong_source;
    for (uint16_t i = 0; i < 50; i++) {
        send(rtp(0, 2, i), local.rtp_port);
    }
    EXPECT_TRUE(wait_until([&] { return a.transport->stats().drops.wrong_source >= strangers + 50; }));
    EXPECT_FALSE(attacker_received());
}

TEST_F(HostileTest, OnlyTheSignalledAddressIsBelieved) {
    Endpoint a(io, loopback_udp(true));
    a.add(pcmu_media(0, 1));
    ASSERT_TRUE(a.transport->set_security(PlainSecurity{}));
    a.play();
    attack_from("127.0.0.9");
    ASSERT_TRUE(a.transport->set_remote(UdpRemote{"127.0.0.1", 9}));
    ASSERT_TRUE(wait_until([&] {
        send(rtp(0, 7, 1), a.transport->local().rtp_port);
        return a.transport->stats().drops.wrong_source > 10;
    }));
    EXPECT_TRUE(a.streams.empty());
    EXPECT_FALSE(attacker_received());
}

TEST_F(HostileTest, ComediaLatchesToTheFirstValidPacket) {
    Endpoint a(io, loopback_udp(true));
    a.add(pcmu_media(0, 1));
    ASSERT_TRUE(a.transport->set_security(PlainSecurity{}));
    a.play();
    attack_from("127.0.0.9");
    UdpRemote remote{"127.0.0.1", 9};
    remote.comedia = true;
    ASSERT_TRUE(a.transport->set_remote(remote));
    send("garbage", a.transport->local().rtp_port);
    send(rtp(77, 7, 1), a.transport->local().rtp_port);  // a payload type that was not negotiated
    ASSERT_TRUE(wait_until([&] { return a.transport->stats().drops.unrouted == 1; }));
    EXPECT_FALSE(attacker_received());
    uint16_t sequence = 0;
    EXPECT_TRUE(wait_until([&] {
        send(rtp(0, 7, sequence++), a.transport->local().rtp_port);
        return attacker_received() && a.received(0) > 5;
    }));
}

guint sources_of(RtpTransport& transport) {
    GstIterator* found = gst_bin_iterate_all_by_element_factory_name(GST_BIN(transport.bin()), "rtpbin");
    GValue value = G_VALUE_INIT;
    EXPECT_EQ(gst_iterator_next(found, &value), GST_ITERATOR_OK);
    GObject* session = nullptr;
    g_signal_emit_by_name(g_value_get_object(&value), "get-internal-session", 0, &session);
    g_value_unset(&value);
    gst_iterator_free(found);
    guint sources = 0;
    g_object_get(session, "num-sources", &sources, nullptr);
    g_object_unref(session);
    return sources;
}

// rtpbin keeps each SSRC that it reads, and looks through all of them for each new one.
TEST_F(HostileTest, APeerSpeaksForFewSources) {
    Endpoint a(io, loopback_udp(true));
    SentMedia video = vp8_media(0, 1);
    video.source.clear();
    a.add(video);
    ASSERT_TRUE(a.transport->set_security(PlainSecurity{}));
    a.play();
    attack_from("127.0.0.1");
    const uint16_t port = a.transport->local().rtp_port;
    ASSERT_TRUE(a.transport->set_remote(UdpRemote{"127.0.0.1", 9}));
    uint16_t sequence = 0;
    const auto send_picture = [&] { send(rtp(kVp8, 7, sequence++), port); };
    ASSERT_TRUE(wait_until([&] {
        send_picture();
        return a.received(0) > 5;
    }));
    uint32_t ssrc = 0x10000;
    for (int i = 0; i < 20; i++) {
        std::string reports;
        for (int one = 0; one < 200; one++, ssrc++) {
            reports += std::string("\x80\xC9\0\1\0", 5) + static_cast<char>(ssrc >> 16) +
                       static_cast<char>(ssrc >> 8) + static_cast<char>(ssrc);
        }
        send(reports, port);
        send(rtp(kVp8, ssrc++, 1), port);
        std::string contributors = rtp(kVp8, 7, sequence++);
        contributors[0] = static_cast<char>(0x8F);
        for (char& byte : contributors.replace(12, 60, 60, '\0')) {
            byte = &byte < &contributors[12] ? byte : static_cast<char>(g_random_int());
        }
        send(contributors, port);
    }
    const uint64_t before = a.received(0);
    EXPECT_TRUE(wait_until([&] {
        send_picture();
        return a.received(0) > before + 20 && a.transport->stats().drops.unrouted >= 30;
    }));
    EXPECT_LE(sources_of(*a.transport), 34u);
}

TEST_F(HostileTest, NothingIsSentBeforePeerAndKeys) {
    Endpoint a(io, loopback_udp(true), *DtlsCertificate::generate());
    a.add(pcmu_media(0, 1));
    a.play();
    attack_from("127.0.0.1");
    auto address = GPtr<GSocketAddress>::adopt(g_socket_get_local_address(attacker_.get(), nullptr));
    const guint16 port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address.get()));
    ASSERT_TRUE(a.transport->set_remote(UdpRemote{"127.0.0.1", port}));
    EXPECT_TRUE(wait_until([&] { return a.transport->stats().drops.before_keys > 20; }));
    EXPECT_FALSE(attacker_received());
    EXPECT_EQ(a.transport->stats().sent_datagrams, 0u);
}

}  // namespace
}  // namespace vmr::media::test
