// The SRTP of a transport: keys that come, stay and go, threads that send at once, and GStreamer's own SRTP
// elements (libsrtp) as the peer.
#include "daemon/media/transport/srtp.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "daemon/media/transport/rtp_session.hpp"
#include "tests/daemon/media/transport/endpoint.hpp"

namespace vmr::media::test {
namespace {

using Octets = std::vector<uint8_t>;

Octets rtp_packet(uint16_t sequence, uint32_t ssrc = 7, uint8_t payload_type = kPcmu) {
    Octets packet{0x80, payload_type, uint8_t(sequence >> 8), uint8_t(sequence), 0, 0, 0, 0};
    for (int shift = 24; shift >= 0; shift -= 8) {
        packet.push_back(uint8_t(ssrc >> shift));
    }
    packet.resize(172, 0x55);
    return packet;
}

// An empty receiver report.
Octets rtcp_packet(uint32_t ssrc = 7) {
    Octets packet{0x80, 201, 0, 1};
    for (int shift = 24; shift >= 0; shift -= 8) {
        packet.push_back(uint8_t(ssrc >> shift));
    }
    return packet;
}

SrtpKeys srtp_keys(SrtpSuite suite, char local, char remote) {
    const SdesKeys keys = make_keys(suite, local, remote);
    return {suite, keys.local, keys.remote};
}

// Empty: refused.
Octets protect(SrtpSession& session, Octets packet, Component component = Component::rtp) {
    size_t size = packet.size();
    packet.resize(size + srtp::kMaxTrailer);
    packet.resize(session.protect(component, packet, size) ? size : 0);
    return packet;
}

bool opens(SrtpSession& session, Octets packet, Component component = Component::rtp) {
    size_t size = packet.size();
    return session.unprotect(component, packet, size) == srtp::Outcome::ok;
}

constexpr SrtpSuite kSuite = SrtpSuite::aes_cm_128_hmac_sha1_80;

TEST(SrtpSessionTest, RefusesEverythingBeforeThereAreKeys) {
    SrtpSession session;
    EXPECT_TRUE(protect(session, rtp_packet(1)).empty());
    EXPECT_FALSE(opens(session, rtp_packet(1)));
    EXPECT_FALSE(session.use({SrtpSuite::none, "", ""}));
    EXPECT_TRUE(protect(session, rtp_packet(1)).empty());
}

TEST(SrtpSessionTest, AKeyThatStaysRepeatsNoIndex) {
    SrtpSession us, peer;
    ASSERT_TRUE(us.use(srtp_keys(kSuite, 'a', 'b')) && peer.use(srtp_keys(kSuite, 'b', 'a')));
    const Octets first = protect(us, rtp_packet(1));
    ASSERT_TRUE(opens(peer, first));
    ASSERT_TRUE(us.use(srtp_keys(kSuite, 'a', 'c')) && peer.use(srtp_keys(kSuite, 'c', 'a')));
    EXPECT_TRUE(protect(us, rtp_packet(1)).empty());
    EXPECT_FALSE(opens(peer, first));
    EXPECT_TRUE(opens(peer, protect(us, rtp_packet(2))));
}

TEST(SrtpSessionTest, AnIdentifierComesAndGoesWithoutANewKey) {
    SrtpSession us, peer;
    SrtpKeys near = srtp_keys(kSuite, 'a', 'b'), far = srtp_keys(kSuite, 'b', 'a');
    near.local_mki = far.remote_mki = std::string("\0\1", 2);
    ASSERT_TRUE(us.use(near) && peer.use(far));
    EXPECT_TRUE(opens(peer, protect(us, rtp_packet(1))));
    EXPECT_TRUE(opens(peer, protect(us, rtcp_packet(), Component::rtcp), Component::rtcp));
    EXPECT_TRUE(opens(us, protect(peer, rtp_packet(1)))) << "the other direction has none";
    near.local_mki = far.remote_mki = "";
    ASSERT_TRUE(us.use(near) && peer.use(far));
    EXPECT_TRUE(protect(us, rtp_packet(1)).empty()) << "an index is used once";
    EXPECT_TRUE(opens(peer, protect(us, rtp_packet(2))));
    near.local_mki = std::string(srtp::kMaxMki + 1, 'm');
    EXPECT_FALSE(us.use(near));
}

TEST(SrtpSessionTest, WhatCameUnderAReplacedKeyIsRefused) {
    SrtpSession us, peer;
    ASSERT_TRUE(us.use(srtp_keys(kSuite, 'a', 'b')) && peer.use(srtp_keys(kSuite, 'b', 'a')));
    const Octets old = protect(us, rtp_packet(1));
    for (const SrtpSuite suite : {kSuite, SrtpSuite::aead_aes_256_gcm}) {
        ASSERT_TRUE(us.use(srtp_keys(suite, 'x', 'b')) && peer.use(srtp_keys(suite, 'b', 'x')));
        EXPECT_FALSE(opens(peer, old));
        EXPECT_TRUE(opens(peer, protect(us, rtp_packet(1))));
        EXPECT_TRUE(opens(peer, protect(us, rtcp_packet(), Component::rtcp), Component::rtcp));
    }
}

// Whether the suite stays or not: who keys anew goes on counting roll-overs (RFC 3711 section 3.3.1).
TEST(SrtpSessionTest, APeerThatKeysAnewIsHeardWithTheRollOversItHad) {
    for (const SrtpSuite suite : {kSuite, SrtpSuite::aead_aes_256_gcm}) {
        SrtpSession us, peer, keyed_anew;
        ASSERT_TRUE(us.use(srtp_keys(kSuite, 'a', 'b')) && peer.use(srtp_keys(kSuite, 'b', 'a')));
        EXPECT_TRUE(opens(us, protect(peer, rtp_packet(65535))));
        EXPECT_TRUE(opens(us, protect(peer, rtp_packet(0))));
        ASSERT_TRUE(us.use(srtp_keys(suite, 'a', 'c')) && keyed_anew.use(srtp_keys(suite, 'c', 'a')));
        protect(keyed_anew, rtp_packet(65535));
        EXPECT_TRUE(opens(us, protect(keyed_anew, rtp_packet(1))));
    }
}

TEST(SrtpSessionTest, KeysThatAreNotUsableChangeNothing) {
    SrtpSession us, peer;
    ASSERT_TRUE(us.use(srtp_keys(kSuite, 'a', 'b')) && peer.use(srtp_keys(kSuite, 'b', 'a')));
    SrtpKeys keys = srtp_keys(SrtpSuite::aead_aes_256_gcm, 'x', 'y');
    keys.remote.pop_back();
    EXPECT_FALSE(us.use(keys));
    EXPECT_TRUE(opens(peer, protect(us, rtp_packet(1))));
}

// The mixer's threads and the RTCP thread send for one peer at once, while it is keyed anew.
TEST(SrtpSessionTest, ManyThreadsProtect) {
    constexpr unsigned kThreads = 4;
    constexpr uint16_t kPackets = 500;
    SrtpSession us, peer;
    ASSERT_TRUE(us.use(srtp_keys(kSuite, 'a', 'b')) && peer.use(srtp_keys(kSuite, 'b', 'a')));
    std::vector<std::vector<Octets>> made(kThreads);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kThreads; i++) {
        threads.emplace_back([&, i] {
            for (uint16_t n = 0; n < kPackets; n++) {
                made[i].push_back(protect(us, rtp_packet(n, i)));
                made[i].push_back(protect(us, rtcp_packet(i), Component::rtcp));
            }
        });
    }
    for (char remote = 'c'; remote < 'z'; remote++) {
        ASSERT_TRUE(us.use(srtp_keys(kSuite, 'a', remote)));
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (const auto& packets : made) {
        for (size_t n = 0; n < packets.size(); n++) {
            ASSERT_TRUE(opens(peer, packets[n], n % 2 == 0 ? Component::rtp : Component::rtcp));
        }
    }
}

// What an RtpSession would put on the wire.
class Wire : public RtpSessionEvents {
public:
    bool on_packet_made(Component component, Bytes packet) override {
        (component == Component::rtp ? rtp : rtcp).emplace_back(packet.begin(), packet.end());
        return true;
    }
    void on_packet_withheld() override { withheld++; }
    void on_packet_refused() override { refused++; }
    void on_stream_made(const StreamInfo&, PadPtr) override {}
    void on_stream_gone(const StreamInfo&, PadPtr) override {}
    void on_bye_read(unsigned, uint32_t) override {}
    void on_key_pressed(unsigned, char) override {}
    void on_queue_grown() override {}
    void on_message_read(unsigned, Bytes) override {}

    std::vector<Octets> rtp, rtcp;
    unsigned withheld = 0, refused = 0;
};

class RtpSessionTest : public testing::Test {
protected:
    static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
    RtpSessionTest() {
        session_ = std::move(*RtpSession::create({"session"}, wire_));
        MediaParams media = pcmu_media(3, 1).params;
        media.audio = true;
        EXPECT_TRUE(session_->add_media(media));
        gst_bin_add(GST_BIN(pipeline_.get()), session_->bin());
        gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
        gst_element_get_state(pipeline_.get(), nullptr, nullptr, GST_CLOCK_TIME_NONE);
    }
    ~RtpSessionTest() override {
        session_.reset();
        gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    }
    uint64_t heard() const {
        TransportStats stats;
        session_->fill_stats(stats);
        return stats.media.at(0).received_packets;
    }
    const ElementPtr pipeline_ = ElementPtr::adopt(gst_pipeline_new(nullptr));
    Wire wire_;
    std::unique_ptr<RtpSession> session_;
};

TEST_F(RtpSessionTest, NothingPassesBeforeTheKeys) {
    EXPECT_FALSE(session_->send(Component::rtp, rtp_packet(1)));
    EXPECT_EQ(session_->receive(Component::rtp, rtp_packet(1)), ReceiveResult::not_ready);
    EXPECT_EQ(wire_.withheld, 1u);
    EXPECT_TRUE(wire_.rtp.empty());
    EXPECT_EQ(heard(), 0u);
}

TEST_F(RtpSessionTest, PlainPacketsPassWhenThatWasAgreed) {
    ASSERT_TRUE(session_->install(std::nullopt));
    EXPECT_TRUE(session_->send(Component::rtp, rtp_packet(1)));
    EXPECT_EQ(wire_.rtp.at(0), rtp_packet(1));
    EXPECT_EQ(session_->receive(Component::rtp, rtp_packet(2)), ReceiveResult::delivered);
    EXPECT_EQ(heard(), 1u);
    EXPECT_EQ(session_->receive(Component::rtcp, rtcp_packet()), ReceiveResult::delivered);
    EXPECT_EQ(session_->receive(Component::rtp, rtp_packet(3, 7, 99)), ReceiveResult::unrouted);
    EXPECT_EQ(session_->receive(Component::rtcp, Octets{0x80, 201, 0, 9}), ReceiveResult::malformed);
    EXPECT_EQ(heard(), 1u);
}

TEST_F(RtpSessionTest, OnlyAuthenticPacketsPassWhenSrtpWasAgreed) {
    SrtpSession peer;
    ASSERT_TRUE(session_->install(srtp_keys(kSuite, 'a', 'b')) && peer.use(srtp_keys(kSuite, 'b', 'a')));
    EXPECT_TRUE(session_->send(Component::rtp, rtp_packet(1)));
    EXPECT_TRUE(session_->send(Component::rtcp, rtcp_packet()));
    EXPECT_TRUE(opens(peer, wire_.rtp.at(0)));
    EXPECT_TRUE(opens(peer, wire_.rtcp.at(0), Component::rtcp));
    const Octets from_peer = protect(peer, rtp_packet(2));
    EXPECT_EQ(session_->receive(Component::rtp, from_peer), ReceiveResult::delivered);
    EXPECT_EQ(session_->receive(Component::rtp, from_peer), ReceiveResult::auth_failed);
    EXPECT_EQ(session_->receive(Component::rtp, rtp_packet(3)), ReceiveResult::auth_failed);
    EXPECT_EQ(heard(), 1u);
    EXPECT_EQ(session_->receive(Component::rtcp, rtcp_packet()), ReceiveResult::malformed);
    EXPECT_EQ(session_->receive(Component::rtcp, protect(peer, rtcp_packet(), Component::rtcp)),
              ReceiveResult::delivered);
}

TEST_F(RtpSessionTest, NothingLeavesInPlainOnceSrtpWasAgreed) {
    ASSERT_TRUE(session_->install(srtp_keys(kSuite, 'a', 'b')));
    EXPECT_FALSE(session_->install(std::nullopt));
    EXPECT_FALSE(session_->send(Component::rtp, Octets(3000, 0x80)));
    EXPECT_FALSE(session_->send(Component::rtp, Octets{0x80, 0}));
    EXPECT_TRUE(session_->send(Component::rtp, rtp_packet(1)));
    EXPECT_FALSE(session_->send(Component::rtp, rtp_packet(1)));
    EXPECT_EQ(wire_.refused, 3u);
    ASSERT_EQ(wire_.rtp.size(), 1u);
    EXPECT_NE(std::memcmp(wire_.rtp[0].data() + 12, rtp_packet(1).data() + 12, 160), 0);
}

struct Peer {
    SrtpSuite suite;
    const char* cipher;
    const char* rtp_auth;
    const char* rtcp_auth;
};

class SrtpElementsTest : public testing::TestWithParam<Peer> {
protected:
    static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
    void TearDown() override {
        for (GstElement* pipeline : pipelines_) {
            gst_element_set_state(pipeline, GST_STATE_NULL);
            gst_object_unref(pipeline);
        }
    }
    static std::string hex(const std::string& key) {
        std::string text;
        for (const char each : key) {
            const GCharPtr digits(g_strdup_printf("%02x", static_cast<unsigned char>(each)));
            text += digits.get();
        }
        return text;
    }
    GstElement* play(const std::string& description) {
        GstElement* pipeline = gst_parse_launch(description.c_str(), nullptr);
        EXPECT_NE(pipeline, nullptr);
        gst_element_set_state(pipeline, GST_STATE_PLAYING);
        pipelines_.push_back(pipeline);
        return pipeline;
    }
    static void on_handoff(GstElement*, GstBuffer*, GstPad*, gpointer count) {
        (*static_cast<std::atomic<int>*>(count))++;
    }

    std::shared_ptr<MediaIo> io = std::make_shared<MediaIo>();
    std::vector<GstElement*> pipelines_;
    std::atomic<int> rtp_decrypted_ = 0, rtcp_decrypted_ = 0;
};

TEST_P(SrtpElementsTest, UnderstandUsAndWeThem) {
    const Peer& peer = GetParam();
    const SdesKeys keys = make_keys(peer.suite, 'a', 'b');
    Endpoint us(io, loopback_udp(true));
    us.add(pcmu_media(0, 1));
    ASSERT_TRUE(us.transport->set_security(keys));
    us.play();

    GstElement* receiver = play(
        "udpsrc name=socket address=127.0.0.1 port=0 caps=\"application/x-srtp,ssrc=(uint)1,"
        "srtp-key=(buffer)" +
        hex(keys.local) + ",srtp-cipher=" + peer.cipher + ",srtcp-cipher=" + peer.cipher +
        ",srtp-auth=" + peer.rtp_auth + ",srtcp-auth=" + peer.rtcp_auth +
        "\" ! srtpdec name=dec dec.rtp_src ! fakesink name=rtp async=false signal-handoffs=true "
        "dec.rtcp_src ! fakesink name=rtcp async=false signal-handoffs=true");
    const auto rtp = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(receiver), "rtp"));
    const auto rtcp = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(receiver), "rtcp"));
    g_signal_connect(rtp.get(), "handoff", G_CALLBACK(on_handoff), &rtp_decrypted_);
    g_signal_connect(rtcp.get(), "handoff", G_CALLBACK(on_handoff), &rtcp_decrypted_);
    const auto socket = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(receiver), "socket"));
    int port = 0;
    g_object_get(socket.get(), "port", &port, nullptr);
    ASSERT_TRUE(us.transport->set_remote(UdpRemote{"127.0.0.1", static_cast<uint16_t>(port), 0, true}));
    EXPECT_TRUE(wait_until([&] { return rtp_decrypted_ > 20 && rtcp_decrypted_ > 0; }));

    play(
        "audiotestsrc is-live=true samplesperbuffer=160 ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! "
        "rtppcmupay ssrc=2 ! srtpenc key=" +
        hex(keys.remote) + " rtp-cipher=" + peer.cipher + " rtcp-cipher=" + peer.cipher +
        " rtp-auth=" + peer.rtp_auth + " rtcp-auth=" + peer.rtcp_auth +
        " ! udpsink async=false host=127.0.0.1 port=" + std::to_string(us.transport->local().rtp_port));
    EXPECT_TRUE(wait_until([&] { return us.received(0) > 20; }));
    EXPECT_EQ(us.transport->stats().drops.auth_failures, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Suites, SrtpElementsTest,
    testing::Values(Peer{SrtpSuite::aes_cm_128_hmac_sha1_80, "aes-128-icm", "hmac-sha1-80", "hmac-sha1-80"},
                    Peer{SrtpSuite::aes_cm_128_hmac_sha1_32, "aes-128-icm", "hmac-sha1-32", "hmac-sha1-80"},
                    Peer{SrtpSuite::aes_256_cm_hmac_sha1_80, "aes-256-icm", "hmac-sha1-80", "hmac-sha1-80"},
                    Peer{SrtpSuite::aes_256_cm_hmac_sha1_32, "aes-256-icm", "hmac-sha1-32", "hmac-sha1-80"},
                    Peer{SrtpSuite::aead_aes_128_gcm, "aes-128-gcm", "null", "null"},
                    Peer{SrtpSuite::aead_aes_256_gcm, "aes-256-gcm", "null", "null"}),
    [](const auto& info) { return std::string(srtp::info_of(info.param.suite).name); });

}  // namespace
}  // namespace vmr::media::test
