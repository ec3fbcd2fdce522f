// Transports come and go in PLAYING without leaving threads or descriptors behind.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "tests/daemon/media/transport/endpoint.hpp"

namespace vmr::media::test {
namespace {

size_t count_entries(const char* directory) {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory)) {
        count++;
    }
    return count;
}

std::map<std::string, int> threads_by_name() {
    std::map<std::string, int> names;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream file(entry.path() / "comm");
        std::string name;
        std::getline(file, name);
        names[name]++;
    }
    return names;
}

class LifetimeTest : public testing::Test {
protected:
    static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

    std::shared_ptr<MediaIo> io = std::make_shared<MediaIo>();
    std::shared_ptr<DtlsCertificate> certificate = *DtlsCertificate::generate();
};

TEST_F(LifetimeTest, FiftyCallsLeaveNothingBehind) {
    size_t threads = 0, descriptors = 0;
    for (int i = 0; i < 50; i++) {
        const bool ice = i % 2 == 0;
        using Path = std::variant<UdpParams, IceParams>;
        Endpoint a(io, ice ? Path(loopback_ice(false)) : Path(loopback_udp(false)), certificate);
        Endpoint b(io, ice ? Path(loopback_ice(true)) : Path(loopback_udp(false)), certificate);
        for (Endpoint* endpoint : {&a, &b}) {
            endpoint->add(pcmu_media(0, endpoint == &a ? 1 : 2));
            endpoint->play();
        }
        connect(a, b);
        connect_dtls(a, b, *certificate, *certificate);
        ASSERT_TRUE(wait_until([&] { return a.received(0) > 0 && b.received(0) > 0; })) << i << a.reason;
        if (i == 9) {
            threads = count_entries("/proc/self/task");
            descriptors = count_entries("/proc/self/fd");
        } else if (i == 49) {
            // GLib's pools breathe, an agent may still be closing.
            EXPECT_TRUE(wait_until([&] { return count_entries("/proc/self/task") <= threads + 2; }));
            EXPECT_TRUE(wait_until([&] { return count_entries("/proc/self/fd") <= descriptors + 4; }));
        }
    }
}

// One end without sources; what it adds to the process.
class Listener {
public:
    Listener(Endpoint& peer, std::shared_ptr<MediaIo> io, std::vector<SentMedia> media)
        : before_(threads_by_name()), endpoint(io, loopback_udp(true)) {
        for (SentMedia& each : media) {
            each.source.clear();
            endpoint.add(each);
        }
        EXPECT_TRUE(endpoint.transport->set_security(PlainSecurity{}));
        endpoint.play();
        connect(peer, endpoint);
    }
    // "name count name count …", and how many in all
    std::pair<std::string, int> added_threads() const {
        std::pair<std::string, int> added;
        for (const auto& [name, count] : threads_by_name()) {
            const auto old = before_.find(name);
            if (const int more = count - (old == before_.end() ? 0 : old->second); more > 0) {
                added.first += name + " " + std::to_string(more) + "; ";
                added.second += more;
            }
        }
        return added;
    }

private:
    std::map<std::string, int> before_;

public:
    Endpoint endpoint;
};

TEST_F(LifetimeTest, AnAudioTransportTakesThreeThreads) {
    Endpoint a(io, loopback_udp(true));
    a.add(pcmu_media(0, 1));
    ASSERT_TRUE(a.transport->set_security(PlainSecurity{}));
    a.play();
    ASSERT_TRUE(wait_until([&] { return a.transport->stats().media[0].sent_packets > 0; }));
    Listener listener(a, io, {pcmu_media(0, 2)});
    ASSERT_TRUE(wait_until([&] { return listener.endpoint.received(0) > 5; }));
    const auto [names, count] = listener.added_threads();
    RecordProperty("threads", names);
    EXPECT_LE(count, 3) << names;
}

TEST_F(LifetimeTest, ABundleTakesTwoThreadsMoreForItsVideoAndOneForRtx) {
    Endpoint a(io, loopback_udp(true));
    a.add(opus_media(0, 1));
    a.add(vp8_media(1, 2, true));
    ASSERT_TRUE(a.transport->set_security(PlainSecurity{}));
    a.play();
    // Its own threads have started.
    ASSERT_TRUE(wait_until([&] {
        const TransportStats stats = a.transport->stats();
        return stats.media[0].sent_packets > 0 && stats.media[1].sent_packets > 0;
    }));
    Listener listener(a, io, {opus_media(0, 11), vp8_media(1, 12, true)});
    ASSERT_TRUE(
        wait_until([&] { return listener.endpoint.received(0) > 5 && listener.endpoint.received(1) > 5; }));
    const auto [names, count] = listener.added_threads();
    RecordProperty("threads", names);
    EXPECT_LE(count, 6) << names;
}

// The stream's pad still waits for the control thread when the transport goes.
TEST_F(LifetimeTest, EndsWhileAStreamIsHeldBack) {
    for (const bool pipeline_first : {false, true}) {
        Endpoint a(io, loopback_udp(false)), b(io, loopback_udp(false));
        for (Endpoint* endpoint : {&a, &b}) {
            endpoint->add(pcmu_media(0, endpoint == &a ? 1 : 2));
            ASSERT_TRUE(endpoint->transport->set_security(PlainSecurity{}));
            endpoint->play();
        }
        connect(a, b);
        const auto has_stream_pad = [&] { return GST_ELEMENT(b.transport->bin())->numsrcpads > 0; };
        // The default context does not run here, so nobody releases the pad.
        const gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
        while (!has_stream_pad() && g_get_monotonic_time() < end) {
            g_thread_yield();
        }
        ASSERT_TRUE(has_stream_pad());
        if (pipeline_first) {
            gst_element_set_state(b.pipeline, GST_STATE_NULL);
        }
    }
}

TEST_F(LifetimeTest, AStreamThatNobodyLinksDropsItsPackets) {
    Endpoint a(io, loopback_udp(false)), b(io, loopback_udp(false));
    b.link_streams = false;
    for (Endpoint* endpoint : {&a, &b}) {
        endpoint->add(pcmu_media(0, endpoint == &a ? 1 : 2));
        ASSERT_TRUE(endpoint->transport->set_security(PlainSecurity{}));
        endpoint->play();
    }
    connect(a, b);
    ASSERT_TRUE(wait_until([&] { return b.streams.size() == 1 && a.received(0) > 50; }));
    EXPECT_GT(b.transport->stats().media[0].received_packets, 20u);
}

TEST_F(LifetimeTest, NewKeysReplaceOldOnes) {
    Endpoint a(io, loopback_udp(false)), b(io, loopback_udp(false));
    for (Endpoint* endpoint : {&a, &b}) {
        endpoint->add(pcmu_media(0, endpoint == &a ? 1 : 2));
        endpoint->play();
    }
    connect(a, b);
    for (const char round : {'0', '1', '2'}) {
        const auto suite = round == '1' ? SrtpSuite::aead_aes_256_gcm : SrtpSuite::aes_cm_128_hmac_sha1_80;
        ASSERT_TRUE(a.transport->set_security(make_keys(suite, round, 'b')));
        ASSERT_TRUE(b.transport->set_security(make_keys(suite, 'b', round)));
        const uint64_t at_a = a.received(0), at_b = b.received(0);
        EXPECT_TRUE(wait_until([&] { return a.received(0) > at_a + 20 && b.received(0) > at_b + 20; }))
            << round;
    }
    EXPECT_FALSE(a.transport->set_security(PlainSecurity{}));
}

TEST_F(LifetimeTest, ByeIsSaidAndHeard) {
    Endpoint a(io, loopback_udp(false)), b(io, loopback_udp(false));
    for (Endpoint* endpoint : {&a, &b}) {
        endpoint->add(pcmu_media(0, endpoint == &a ? 1 : 2));
        ASSERT_TRUE(endpoint->transport->set_security(PlainSecurity{}));
        endpoint->play();
    }
    connect(a, b);
    ASSERT_TRUE(wait_until([&] { return a.received(0) > 5 && b.received(0) > 5; }));
    a.transport->send_bye();
    EXPECT_TRUE(wait_until([&] { return b.byes > 0; }));
    EXPECT_TRUE(wait_until([&] { return b.streams_removed == 1; }));
}

TEST_F(LifetimeTest, DtlsCloseIsNoticed) {
    auto a = std::make_unique<Endpoint>(io, loopback_udp(true), certificate);
    Endpoint b(io, loopback_udp(true), certificate);
    connect(*a, b);
    connect_dtls(*a, b, *certificate, *certificate);
    ASSERT_TRUE(wait_until([&] {
        return a->transport->state() == TransportState::ready &&
               b.transport->state() == TransportState::ready;
    }));
    a.reset();
    EXPECT_TRUE(wait_until([&] { return b.transport->state() == TransportState::closed; }));
}

}  // namespace
}  // namespace vmr::media::test
