// Audio that goes past rtpbin, between two transports over real sockets.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/daemon/media/transport/endpoint.hpp"

namespace vmr::media::test {
namespace {

constexpr uint8_t kEvents = 101;

SentMedia direct(SentMedia media) {
    media.params.audio = true;
    RtpFormat events{"audio", "TELEPHONE-EVENT", kEvents, 8000};
    media.params.receive_caps[kEvents] = rtp_caps(events);
    return media;
}

std::set<std::string> thread_names() {
    std::set<std::string> names;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::ifstream(task.path() / "comm") >> name;
        names.insert(name);
    }
    return names;
}

MediaStats audio_stats(const Endpoint& endpoint, unsigned media = 0) {
    for (const MediaStats& stats : endpoint.transport->stats().media) {
        if (stats.media == media) {
            return stats;
        }
    }
    return {};
}

class AudioRtpTest : public testing::Test {
protected:
    static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
    std::shared_ptr<MediaIo> io = std::make_shared<MediaIo>();
};

TEST_F(AudioRtpTest, FlowsWithoutAThreadAndIsReportedOn) {
    Endpoint a(io, loopback_udp(false)), b(io, loopback_udp(false));
    for (Endpoint* endpoint : {&a, &b}) {
        endpoint->add(direct(pcmu_media(0, endpoint == &a ? 1000 : 2000)));
        endpoint->play();
    }
    connect(a, b);
    ASSERT_TRUE(a.transport->set_security(make_keys(SrtpSuite::aead_aes_256_gcm, 'a', 'b')));
    ASSERT_TRUE(b.transport->set_security(make_keys(SrtpSuite::aead_aes_256_gcm, 'b', 'a')));
    EXPECT_TRUE(wait_until([&] { return a.received(0) > 10 && b.received(0) > 10; }));
    for (const std::string& name : thread_names()) {
        EXPECT_EQ(name.find("rtp"), std::string::npos) << name;
        EXPECT_EQ(name.find("timer"), std::string::npos) << name;
    }
    EXPECT_EQ(a.encoding(0), "PCMU");
    ASSERT_EQ(a.streams.size(), 1U);
    EXPECT_EQ(a.streams[0].ssrc, 2000U);
    // The peer's second report answers our first.
    EXPECT_TRUE(wait_until([&] { return audio_stats(a).round_trip_ms && audio_stats(b).round_trip_ms; }, 20));
    const MediaStats stats = audio_stats(b);
    EXPECT_GT(stats.received_packets, 10U);
    EXPECT_EQ(stats.received_bytes, stats.received_packets * 160);
    EXPECT_EQ(stats.lost_packets, 0);
    EXPECT_EQ(stats.remote_lost_packets, 0);
    EXPECT_LT(stats.round_trip_ms.value_or(1e9), 5000);
    EXPECT_GT(stats.sent_packets, 10U);

    b.transport->send_bye();
    EXPECT_TRUE(wait_until([&] { return a.byes == 1; }));
}

TEST_F(AudioRtpTest, IsBundledWithPicturesThatRtpbinHas) {
    Endpoint a(io, loopback_ice(false)), b(io, loopback_ice(true));
    for (Endpoint* endpoint : {&a, &b}) {
        const uint32_t ssrc = endpoint == &a ? 1000 : 2000;
        endpoint->add(direct(opus_media(0, ssrc)));
        endpoint->add(vp8_media(1, ssrc + 10, true));
        ASSERT_TRUE(endpoint->transport->set_security(PlainSecurity{}));
        endpoint->play();
    }
    connect(a, b);
    EXPECT_TRUE(wait_until([&] {
        return a.received(0) > 10 && a.received(1) > 10 && b.received(0) > 10 && b.received(1) > 10;
    }));
    EXPECT_EQ(a.encoding(0), "OPUS");
    EXPECT_EQ(a.encoding(1), "VP8");
    EXPECT_EQ(a.transport->stats().drops.unrouted, 0U);
    EXPECT_TRUE(wait_until(
        [&] { return audio_stats(a, 0).round_trip_ms && audio_stats(a, 1).remote_fraction_lost; }, 20));
}

TEST_F(AudioRtpTest, HoldSendsNothingAndGoesOnInTheSameStream) {
    Endpoint a(io, loopback_udp(true)), b(io, loopback_udp(true));
    for (Endpoint* endpoint : {&a, &b}) {
        endpoint->add(direct(pcmu_media(0, endpoint == &a ? 1000 : 2000)));
        ASSERT_TRUE(endpoint->transport->set_security(PlainSecurity{}));
        endpoint->play();
    }
    connect(a, b);
    ASSERT_TRUE(wait_until([&] { return a.received(0) > 5 && b.received(0) > 5; }));
    a.transport->set_sending(0, false);
    const uint64_t sent = audio_stats(a).sent_packets;
    const uint64_t heard = a.received(0);
    EXPECT_TRUE(wait_until([&] { return a.received(0) > heard + 10; }));
    EXPECT_EQ(audio_stats(a).sent_packets, sent);
    a.transport->set_sending(0, true);
    const uint64_t before = b.received(0);
    EXPECT_TRUE(wait_until([&] { return b.received(0) > before + 10; }));
    EXPECT_EQ(audio_stats(b).lost_packets, 0);
    EXPECT_EQ(b.streams.size(), 1U);
}

// A peer that is nothing but a socket's worth of packets: keys, another codec, another SSRC.
class ByHandTest : public AudioRtpTest {
protected:
    void SetUp() override {
        SentMedia media = direct(pcmu_media(0, 1000));
        RtpFormat alaw{"audio", "PCMA", 8, 8000};
        media.params.receive_caps[8] = rtp_caps(alaw);
        near_ = std::make_unique<Endpoint>(io, loopback_udp(true));
        near_->add(media);
        SentMedia far = pcmu_media(0, 2000);
        far.params.send_caps = CapsPtr::adopt(gst_caps_new_empty_simple("application/x-rtp"));
        far.source.clear();
        far_ = std::make_unique<Endpoint>(io, loopback_udp(true));
        for (Endpoint* endpoint : {near_.get(), far_.get()}) {
            ASSERT_TRUE(endpoint->transport->set_security(PlainSecurity{}));
        }
        far_->add(far);
        near_->play();
        far_->play();
        connect(*near_, *far_);
        source_ = PadPtr::adopt(gst_pad_new("source", GST_PAD_SRC));
        gst_pad_set_active(source_.get(), TRUE);
        ASSERT_EQ(gst_pad_link_full(source_.get(), far_->transport->send_pad(0), GST_PAD_LINK_CHECK_NOTHING),
                  GST_PAD_LINK_OK);
        gst_pad_push_event(source_.get(), gst_event_new_stream_start("by-hand"));
        auto caps = CapsPtr::adopt(gst_caps_new_empty_simple("application/x-rtp"));
        gst_pad_push_event(source_.get(), gst_event_new_caps(caps.get()));
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        gst_pad_push_event(source_.get(), gst_event_new_segment(&segment));
    }
    void TearDown() override {
        gst_pad_unlink(source_.get(), far_->transport->send_pad(0));
        gst_pad_set_active(source_.get(), FALSE);
    }
    void send(uint8_t payload_type, uint32_t timestamp, uint32_t ssrc, std::vector<uint8_t> payload) {
        std::vector<uint8_t> packet{0x80, payload_type, static_cast<uint8_t>(sequence_ >> 8),
                                    static_cast<uint8_t>(sequence_)};
        ++sequence_;
        for (const uint32_t word : {timestamp, ssrc}) {
            for (int shift = 24; shift >= 0; shift -= 8) {
                packet.push_back(static_cast<uint8_t>(word >> shift));
            }
        }
        packet.insert(packet.end(), payload.begin(), payload.end());
        GstBuffer* buffer = gst_buffer_new_memdup(packet.data(), packet.size());
        GST_BUFFER_PTS(buffer) = 0;
        EXPECT_EQ(gst_pad_push(source_.get(), buffer), GST_FLOW_OK);
    }
    void send_sound(uint8_t payload_type = 0, uint32_t ssrc = 5) {
        send(payload_type, timestamp_ += 160, ssrc, std::vector<uint8_t>(160, 0xFF));
    }
    // Keeps sending until something has come of it.
    bool send_until(uint8_t payload_type, uint32_t ssrc, const std::function<bool()>& done) {
        return wait_until([&] {
            send_sound(payload_type, ssrc);
            return done();
        });
    }

    std::unique_ptr<Endpoint> near_, far_;
    PadPtr source_;
    uint16_t sequence_ = 1;
    uint32_t timestamp_ = 0;
};

TEST_F(ByHandTest, KeysAreReportedOnceAndAreNoLoss) {
    ASSERT_TRUE(send_until(0, 5, [&] { return near_->received(0) > 3; }));
    timestamp_ += 160;
    for (const uint8_t duration : {1, 2, 3}) {
        send(kEvents, timestamp_, 5, {9, 10, duration, 0});
    }
    for (int copy = 0; copy < 3; ++copy) {
        send(kEvents, timestamp_, 5, {9, 0x8A, 4, 0});
    }
    EXPECT_TRUE(wait_until([&] { return near_->keys == "9"; })) << near_->keys;
    const uint64_t before = near_->received(0);
    ASSERT_TRUE(send_until(0, 5, [&] { return near_->received(0) > before + 3; }));
    EXPECT_EQ(near_->keys, "9");
    EXPECT_EQ(near_->last_gap, 0) << "sound after a key has the next sequence number";
    EXPECT_EQ(audio_stats(*near_).lost_packets, 0);
    EXPECT_EQ(near_->streams.size(), 1U);
}

TEST_F(ByHandTest, AnotherCodecAndAnotherSsrcAreAnnouncedOnTheSamePad) {
    ASSERT_TRUE(send_until(0, 5, [&] { return near_->received(0) > 3; }));
    EXPECT_EQ(near_->encoding(0), "PCMU");
    ASSERT_TRUE(send_until(8, 5, [&] { return near_->encoding(0) == "PCMA"; }));
    ASSERT_TRUE(send_until(8, 6, [&] { return near_->streams.size() == 3; }));
    EXPECT_EQ(near_->streams[1].payload_type, 8);
    EXPECT_EQ(near_->streams[2].ssrc, 6U);
    const uint64_t before = near_->received(0);
    EXPECT_TRUE(send_until(8, 6, [&] { return near_->received(0) > before + 3; }));
}

TEST_F(ByHandTest, WhatWasNotAgreedOnIsDropped) {
    ASSERT_TRUE(send_until(0, 5, [&] { return near_->received(0) > 3; }));
    send(77, 0, 5, {1, 2, 3, 4});
    EXPECT_TRUE(wait_until([&] { return near_->transport->stats().drops.unrouted == 1; }));
    EXPECT_EQ(near_->streams.size(), 1U);
}

}  // namespace
}  // namespace vmr::media::test
