// Two transports talk to each other over real loopback sockets.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/daemon/media/transport/endpoint.hpp"

namespace vmr::media::test {
namespace {

enum class Keys { plain, sdes, dtls };

struct Combination {
    Keys keys;
    SrtpSuite suite;
    bool ice;
    const char* name;
};

class TransportTest : public testing::TestWithParam<Combination> {
protected:
    static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

    std::shared_ptr<MediaIo> io = std::make_shared<MediaIo>();
    std::shared_ptr<DtlsCertificate> certificate_a = *DtlsCertificate::generate();
    std::shared_ptr<DtlsCertificate> certificate_b = *DtlsCertificate::generate();
};

// One media, one way of connecting.
class PathTest : public testing::TestWithParam<const char*> {
protected:
    static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
    std::shared_ptr<MediaIo> io = std::make_shared<MediaIo>();

    std::variant<UdpParams, IceParams> path(bool first) const {
        const std::string name = GetParam();
        UdpParams udp = loopback_udp(name == "Muxed");
        if (name == "Ipv6") {
            udp.local_address = "::1";
        }
        if (name == "IceLite") {
            IceParams ice = loopback_ice(!first);
            ice.lite = first;
            return ice;
        }
        return udp;
    }
};

TEST_P(PathTest, Connects) {
    Endpoint a(io, path(true)), b(io, path(false));
    for (Endpoint* endpoint : {&a, &b}) {
        endpoint->add(pcmu_media(0, endpoint == &a ? 1 : 2));
        ASSERT_TRUE(endpoint->transport->set_security(PlainSecurity{}));
        endpoint->play();
    }
    connect(a, b);
    EXPECT_TRUE(wait_until([&] { return a.received(0) > 5 && b.received(0) > 5; }));
    const LocalDescription local = a.transport->local();
    if (local.ice_ufrag.empty()) {
        EXPECT_EQ(local.rtp_port % 2, 0);
        EXPECT_EQ(local.rtcp_port, local.rtp_port + (std::string(GetParam()) == "Muxed" ? 0 : 1));
        EXPECT_FALSE(a.transport->set_remote(UdpRemote{local.address == "::1" ? "127.0.0.1" : "::1", 9}));
        EXPECT_FALSE(a.transport->set_remote(UdpRemote{"example.org", 9}));
        EXPECT_FALSE(a.transport->set_remote(IceRemote{}));
    }
}

INSTANTIATE_TEST_SUITE_P(All, PathTest, testing::Values("Separate", "Muxed", "Ipv6", "IceLite"),
                         [](const auto& info) { return info.param; });

TEST(PortRangeTest, EndsWhenAllPortsAreTaken) {
    gst_init(nullptr, nullptr);
    auto io = std::make_shared<MediaIo>();
    UdpParams udp = loopback_udp(false);
    udp.port_min = 61000;  // nobody else's, and none that the kernel gives away
    udp.port_max = 61003;  // two pairs
    TransportParams params;
    params.io = io;
    params.path = udp;
    auto first = RtpTransport::create(params, {}), second = RtpTransport::create(params, {});
    ASSERT_TRUE(first && second);
    EXPECT_FALSE(RtpTransport::create(params, {}));
    (*first).reset();
    EXPECT_TRUE(RtpTransport::create(params, {}));
}

void secure(Endpoint& a, Endpoint& b, const Combination& combination, const DtlsCertificate& ca,
            const DtlsCertificate& cb) {
    if (combination.keys == Keys::plain) {
        ASSERT_TRUE(a.transport->set_security(PlainSecurity{}));
        ASSERT_TRUE(b.transport->set_security(PlainSecurity{}));
    } else if (combination.keys == Keys::sdes) {
        ASSERT_TRUE(a.transport->set_security(make_keys(combination.suite, 'a', 'b')));
        ASSERT_TRUE(b.transport->set_security(make_keys(combination.suite, 'b', 'a')));
    } else {
        if (combination.suite != SrtpSuite::none) {  // all that one of them knows
            ASSERT_EQ(SSL_CTX_set_tlsext_use_srtp(ca.context(), "SRTP_AES128_CM_SHA1_32"), 0);
        }
        connect_dtls(a, b, ca, cb);
    }
}

TEST_P(TransportTest, CarriesBundledMediaBothWays) {
    const Combination& combination = GetParam();
    const bool ice = combination.ice;
    using Path = std::variant<UdpParams, IceParams>;
    Endpoint a(io, ice ? Path(loopback_ice(false)) : Path(loopback_udp(false)), certificate_a);
    Endpoint b(io, ice ? Path(loopback_ice(true)) : Path(loopback_udp(false)), certificate_b);
    for (Endpoint* endpoint : {&a, &b}) {
        const uint32_t ssrc = endpoint == &a ? 1000 : 2000;
        endpoint->add(opus_media(0, ssrc));
        endpoint->add(vp8_media(1, ssrc + 10, true));
        endpoint->play();
    }
    connect(a, b);
    secure(a, b, combination, *certificate_a, *certificate_b);

    EXPECT_TRUE(wait_until([&] {
        return a.received(0) > 10 && a.received(1) > 10 && b.received(0) > 10 && b.received(1) > 10;
    })) << a.received(0)
        << " " << a.received(1) << " " << b.received(0) << " " << b.received(1) << " " << a.reason;
    EXPECT_EQ(a.transport->state(), TransportState::ready);
    EXPECT_EQ(a.encoding(0), "OPUS");
    EXPECT_EQ(b.encoding(1), "VP8");
    const CryptoReceipt crypto = a.transport->crypto();
    const bool best = combination.keys == Keys::dtls && combination.suite == SrtpSuite::none;
    EXPECT_EQ(crypto.suite, best ? "AEAD_AES_256_GCM" : srtp::info_of(combination.suite).name);
    const TransportStats stats = a.transport->stats();
    EXPECT_EQ(stats.drops.auth_failures, 0u);
    EXPECT_EQ(stats.drops.garbage, 0u);
    ASSERT_EQ(stats.media.size(), 2u);
    EXPECT_GT(stats.media[0].received_packets, 10u);
    EXPECT_GT(stats.media[1].sent_packets, 10u);
    EXPECT_LT(a.transport->last_packet_age().value().count(), 2000);
}

INSTANTIATE_TEST_SUITE_P(
    All, TransportTest,
    testing::Values(Combination{Keys::plain, {}, false, "PlainUdp"},
                    Combination{Keys::plain, {}, true, "PlainIce"},
                    Combination{Keys::sdes, SrtpSuite::aes_cm_128_hmac_sha1_80, false, "Aes128Hmac80Udp"},
                    Combination{Keys::sdes, SrtpSuite::aes_cm_128_hmac_sha1_32, false, "Aes128Hmac32Udp"},
                    Combination{Keys::sdes, SrtpSuite::aes_256_cm_hmac_sha1_80, false, "Aes256Hmac80Udp"},
                    Combination{Keys::sdes, SrtpSuite::aes_256_cm_hmac_sha1_32, false, "Aes256Hmac32Udp"},
                    Combination{Keys::sdes, SrtpSuite::aead_aes_128_gcm, false, "Aes128GcmUdp"},
                    Combination{Keys::sdes, SrtpSuite::aead_aes_256_gcm, false, "Aes256GcmUdp"},
                    Combination{Keys::sdes, SrtpSuite::aead_aes_256_gcm, true, "Aes256GcmIce"},
                    Combination{Keys::sdes, SrtpSuite::aes_cm_128_hmac_sha1_80, true, "Aes128Hmac80Ice"},
                    Combination{Keys::dtls, {}, false, "DtlsUdp"},
                    Combination{Keys::dtls, SrtpSuite::aes_cm_128_hmac_sha1_32, false, "DtlsAes128Hmac32Udp"},
                    Combination{Keys::dtls, {}, true, "DtlsIce"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace vmr::media::test
