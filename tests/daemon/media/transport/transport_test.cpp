// Two transports talk to each other over real loopback sockets.
#include <gtest/gtest.h>

#include <filesystem>

#include "daemon/media/transport/srtp.hpp"
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

using Plain = TransportTest;

void secure(Endpoint& a, Endpoint& b, const Combination& combination, const DtlsCertificate& ca,
            const DtlsCertificate& cb) {
    if (combination.keys == Keys::plain) {
        ASSERT_TRUE(a.transport->set_security(PlainSecurity{}));
        ASSERT_TRUE(b.transport->set_security(PlainSecurity{}));
    } else if (combination.keys == Keys::sdes) {
        ASSERT_TRUE(a.transport->set_security(make_keys(combination.suite, 'a', 'b')));
        ASSERT_TRUE(b.transport->set_security(make_keys(combination.suite, 'b', 'a')));
    } else {
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
    EXPECT_EQ(crypto.suite, combination.keys == Keys::plain  ? ""
                            : combination.keys == Keys::dtls ? "AEAD_AES_256_GCM"
                                                             : suite_info(combination.suite).name);
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
                    Combination{Keys::dtls, {}, true, "DtlsIce"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace vmr::media::test
