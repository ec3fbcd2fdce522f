// Feedback between two transports: lost video comes back by RTX, keyframe requests
// reach the encoder, reports and congestion control feedback give statistics, trickled
// candidates connect.
#include <gio/gio.h>
#include <gtest/gtest.h>

#include "daemon/media/transport/rtp_router.hpp"
#include "tests/daemon/media/transport/endpoint.hpp"

namespace vmr::media::test {
namespace {

class FeedbackTest : public testing::Test {
protected:
    static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

    std::shared_ptr<MediaIo> io = std::make_shared<MediaIo>();
};

GstPadProbeReturn drop_every_tenth(GstPad*, GstPadProbeInfo*, gpointer data) {
    auto& count = *static_cast<std::atomic<int>*>(data);
    return ++count % 10 == 0 ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

GstPadProbeReturn count_packet(GstPad*, GstPadProbeInfo* info, gpointer data) {
    const bool list = (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0;
    *static_cast<std::atomic<int>*>(data) +=
        list ? static_cast<int>(gst_buffer_list_length(GST_PAD_PROBE_INFO_BUFFER_LIST(info))) : 1;
    return GST_PAD_PROBE_OK;
}

GstPadProbeReturn count_keyframe_requests(GstPad*, GstPadProbeInfo* info, gpointer data) {
    const GstStructure* structure = gst_event_get_structure(GST_PAD_PROBE_INFO_EVENT(info));
    if (structure != nullptr && gst_structure_has_name(structure, "GstForceKeyUnit")) {
        (*static_cast<std::atomic<int>*>(data))++;
    }
    return GST_PAD_PROBE_OK;
}

// On the way out, behind that element.
void watch_packets(Endpoint& endpoint, const char* factory, GstPadProbeCallback callback, gpointer data) {
    GstIterator* elements =
        gst_bin_iterate_all_by_element_factory_name(GST_BIN(endpoint.transport->bin()), factory);
    GValue value = G_VALUE_INIT;
    ASSERT_EQ(gst_iterator_next(elements, &value), GST_ITERATOR_OK);
    auto pad = PadPtr::adopt(gst_element_get_static_pad(GST_ELEMENT(g_value_get_object(&value)), "src"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, callback, data, nullptr);
    g_value_unset(&value);
    gst_iterator_free(elements);
}

// Of packets, those with a number for transport-wide feedback.
struct Numbered {
    std::atomic<unsigned> packets = 0, numbered = 0;
    static GstPadProbeReturn on_packet(GstPad*, GstPadProbeInfo* info, gpointer data) {
        auto& self = *static_cast<Numbered*>(data);
        GstMapInfo map;
        if (gst_buffer_map(GST_PAD_PROBE_INFO_BUFFER(info), &map, GST_MAP_READ)) {
            const auto header = parse_rtp({map.data, map.size});
            self.numbered += header && !find_extension(*header, kTwccExtension).empty() ? 1 : 0;
            self.packets++;
            gst_buffer_unmap(GST_PAD_PROBE_INFO_BUFFER(info), &map);
        }
        return GST_PAD_PROBE_OK;
    }
};

TEST_F(FeedbackTest, LostVideoIsRetransmitted) {
    std::atomic<int> count = 0, lost = 0;
    TransportParams patient;
    patient.latency = std::chrono::seconds(2);  // what is sent again may take as long as a loaded machine
    Endpoint a(io, loopback_udp(true)), b(io, loopback_udp(true), nullptr, patient);
    for (Endpoint* endpoint : {&a, &b}) {
        endpoint->add(vp8_media(1, endpoint == &a ? 10 : 20, true));
        ASSERT_TRUE(endpoint->transport->set_security(
            make_keys(SrtpSuite::aead_aes_256_gcm, endpoint == &a ? 'a' : 'b', endpoint == &a ? 'b' : 'a')));
    }
    watch_packets(a, "rtprtxsend", drop_every_tenth, &lost);
    gst_pad_add_probe(
        a.transport->send_pad(1),
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
        count_packet, &count, nullptr);
    a.play();
    b.play();
    connect(a, b);
    // Nearly all that was dropped came back; a tenth is dropped the second time, too.
    EXPECT_TRUE(wait_until([&] {
        const TransportStats sent = a.transport->stats();
        return count > 140 && sent.media[0].nacks_received > 3 && b.received(1) > count * 0.95;
    })) << b.received(1)
        << " of " << count;
    EXPECT_GT(b.transport->stats().media[0].nacks_sent, 3u);
}

// Neither RTX nor NACK was agreed on: what comes back comes by FEC, and nobody behind sees a gap.
TEST_F(FeedbackTest, LostVideoComesBackByFec) {
    std::atomic<int> lost = 0;
    TransportParams patient;
    patient.latency = std::chrono::seconds(2);  // FEC may take as long as a loaded machine
    Endpoint a(io, loopback_udp(true)), b(io, loopback_udp(true), nullptr, patient);
    for (Endpoint* endpoint : {&a, &b}) {
        endpoint->add(protected_vp8_media(1, endpoint == &a ? 10 : 20));
        ASSERT_TRUE(endpoint->transport->set_security(
            make_keys(SrtpSuite::aead_aes_256_gcm, endpoint == &a ? 'a' : 'b', endpoint == &a ? 'b' : 'a')));
        endpoint->play();
    }
    connect(a, b);
    const auto received = [&] { return b.transport->stats().media[0]; };
    ASSERT_TRUE(wait_until([&] { return b.received(1) > 20; }));
    EXPECT_EQ(received().fec_received, 0u) << "nothing is lost: nothing is added";
    a.transport->set_fec(1, 50);
    ASSERT_TRUE(wait_until([&] { return received().fec_received > 3; }));
    watch_packets(a, "rtpfunnel", drop_every_tenth, &lost);
    EXPECT_TRUE(wait_until([&] { return received().fec_recovered > 5; }));
    EXPECT_GT(a.transport->stats().media[0].fec_sent, 10u);
    EXPECT_EQ(received().nacks_sent, 0u);
    EXPECT_EQ(b.encoding(1), "VP8");
    // All of the losses of this regular kind come back: each tenth packet, with FEC every second.
    EXPECT_EQ(b.gaps, 0);
    // Off again: the stream goes on without a gap.
    a.transport->set_fec(1, 0);
    const uint64_t before = b.received(1);
    EXPECT_TRUE(wait_until([&] { return b.received(1) > before + 20; }));
}

TEST_F(FeedbackTest, KeyframeRequestReachesTheSender) {
    std::atomic<int> requests = 0;
    Endpoint a(io, loopback_udp(true)), b(io, loopback_udp(true));
    GstPad* pad_of_b = nullptr;
    for (Endpoint* endpoint : {&a, &b}) {
        endpoint->add(opus_media(0, endpoint == &a ? 10 : 20));
        endpoint->add(vp8_media(1, endpoint == &a ? 11 : 21));
        ASSERT_TRUE(endpoint->transport->set_security(PlainSecurity{}));
        endpoint->play();
    }
    auto upstream = PadPtr::adopt(gst_pad_get_peer(a.transport->send_pad(1)));
    gst_pad_add_probe(upstream.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, count_keyframe_requests, &requests,
                      nullptr);
    connect(a, b);
    ASSERT_TRUE(wait_until([&] { return b.received(1) > 10; }));
    const std::string name = "rtp_src_1_";
    for (GList* item = GST_ELEMENT(b.transport->bin())->srcpads; item != nullptr; item = item->next) {
        if (std::string(GST_PAD_NAME(item->data)).rfind(name, 0) == 0) {
            pad_of_b = GST_PAD(item->data);
        }
    }
    ASSERT_NE(pad_of_b, nullptr);
    gst_pad_send_event(pad_of_b, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                                                      gst_structure_new_empty("GstForceKeyUnit")));
    EXPECT_TRUE(wait_until([&] { return requests > 0; }));
    EXPECT_EQ(b.transport->stats().media[1].plis_sent, 1u);
    EXPECT_EQ(a.transport->stats().media[1].plis_received, 1u);
}

TEST_F(FeedbackTest, ReportsGiveRoundTripAndTwcc) {
    Endpoint a(io, loopback_udp(true)), b(io, loopback_udp(true));
    for (Endpoint* endpoint : {&a, &b}) {
        endpoint->add(opus_media(0, endpoint == &a ? 10 : 20));
        endpoint->add(vp8_media(1, endpoint == &a ? 11 : 21));
        ASSERT_TRUE(endpoint->transport->set_security(PlainSecurity{}));
        endpoint->play();
    }
    connect(a, b);
    TransportStats stats;
    EXPECT_TRUE(wait_until([&] {
        stats = a.transport->stats();
        return stats.media[0].round_trip_ms && stats.media[1].round_trip_ms &&
               stats.twcc_sent_bitrate.value_or(0) > 1000 && a.transport->trend() &&
               a.transport->trend()->received_bitrate > 1000 && !a.transport->trend()->queue_grows &&
               stats.media[0].remote_lost_packets.value_or(99) <= 0;
    })) << stats.media[0].remote_lost_packets.value_or(99);
    EXPECT_LT(stats.media[0].round_trip_ms.value_or(1e9), 5000);
}

// rtpsession keeps what it sent with a number until somebody reports on it.
TEST_F(FeedbackTest, NumbersForFeedbackEndWhereNobodyReports) {
    for (const bool reports : {true, false}) {
        Endpoint a(io, loopback_udp(true)), b(io, loopback_udp(true));
        SentMedia much = vp8_media(1, 10);
        much.source =
            "videotestsrc pattern=snow ! video/x-raw,width=320,height=240,framerate=25/1 ! "
            "vp8enc deadline=1 cpu-used=8 target-bitrate=20000000 ! rtpvp8pay picture-id-mode=15-bit mtu=200";
        SentMedia nothing = vp8_media(1, 20);
        nothing.source.clear();
        if (!reports) {
            RtpFormat format{"video", "VP8", kVp8, 90000};
            nothing.params.receive_caps[kVp8] = rtp_caps(format);
        }
        a.add(much);
        b.add(nothing);
        Numbered sent;
        watch_packets(a, "rtpfunnel", Numbered::on_packet, &sent);
        for (Endpoint* endpoint : {&a, &b}) {
            ASSERT_TRUE(endpoint->transport->set_security(PlainSecurity{}));
            endpoint->play();
        }
        connect(a, b);
        EXPECT_TRUE(wait_until([&] { return sent.packets > 12000; })) << reports;
        EXPECT_EQ(a.transport->trend().has_value(), reports);
        gst_element_set_state(a.pipeline, GST_STATE_NULL);
        if (reports) {
            EXPECT_EQ(sent.numbered, sent.packets);
        } else {
            EXPECT_LT(sent.numbered, 6000u);
        }
    }
}

TEST_F(FeedbackTest, CandidatesTrickle) {
    Endpoint a(io, loopback_ice(false)), b(io, loopback_ice(true));
    for (Endpoint* endpoint : {&a, &b}) {
        endpoint->add(pcmu_media(0, endpoint == &a ? 1 : 2));
        ASSERT_TRUE(endpoint->transport->set_security(PlainSecurity{}));
        endpoint->play();
    }
    for (auto [from, to] : {std::pair{&a, &b}, std::pair{&b, &a}}) {
        const LocalDescription local = from->transport->local();
        ASSERT_TRUE(to->transport->set_remote(IceRemote{local.ice_ufrag, local.ice_password}));
        EXPECT_TRUE(to->transport->add_remote_candidate(
            "candidate:1 1 UDP 2122252543 0b7a1e1c-1f2d-4c1e-8b1a-000000000000.local 50000 typ host"));
        EXPECT_FALSE(to->transport->add_remote_candidate("candidate"));
    }
    EXPECT_TRUE(wait_until([&] { return !a.candidates.empty() && a.candidates.back().empty(); }));
    for (const std::string& candidate : a.candidates) {
        EXPECT_TRUE(b.transport->add_remote_candidate(candidate)) << candidate;
    }
    EXPECT_TRUE(wait_until([&] { return a.received(0) > 5 && b.received(0) > 5; }));  // b is peer-reflexive
    EXPECT_FALSE(a.transport->set_remote(IceRemote{"newufrag", std::string(24, 'p')}));
}

// A coturn of the test's own, on loopback.
class TurnServerProcess {
public:
    TurnServerProcess() {
        port = static_cast<uint16_t>(g_random_int_range(10000, 18000));
        const std::string text = std::to_string(port);
        process_ =
            g_subprocess_new(static_cast<GSubprocessFlags>(G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
                                                           G_SUBPROCESS_FLAGS_STDERR_SILENCE),
                             nullptr, "turnserver", "-n", "--log-file=stdout", "--listening-ip=127.0.0.1",
                             "--relay-ip=127.0.0.1", "--listening-port", text.c_str(), "--lt-cred-mech",
                             "--user=vmr:secret", "--realm=test", "--allow-loopback-peers", "--no-tls",
                             "--no-dtls", "--no-cli", "--pidfile=/dev/null", "--userdb=:memory:", nullptr);
    }
    ~TurnServerProcess() {
        if (process_ != nullptr) {
            g_subprocess_force_exit(process_);
            g_subprocess_wait(process_, nullptr, nullptr);
            g_object_unref(process_);
        }
    }
    bool listening() const {
        auto socket = GPtr<GSocket>::adopt(
            g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, nullptr));
        auto address = GPtr<GSocketAddress>::adopt(g_inet_socket_address_new_from_string("127.0.0.1", port));
        return g_socket_connect(socket.get(), address.get(), nullptr, nullptr) != FALSE;
    }
    bool started() const { return process_ != nullptr; }

    uint16_t port;

private:
    GSubprocess* process_;
};

TEST_F(FeedbackTest, TurnGivesARelayCandidate) {
    TurnServerProcess turn;
    if (!turn.started()) {
        GTEST_SKIP() << "turnserver is not installed";
    }
    ASSERT_TRUE(wait_until([&] { return turn.listening(); }));
    IceParams ice = loopback_ice(false);
    ice.turn_servers = {{"127.0.0.1", turn.port, "vmr", "secret"}};
    Endpoint b(io, loopback_ice(true));
    // coturn listens a moment before it answers over UDP, and an agent asks for a second or two only.
    std::unique_ptr<Endpoint> asking;
    std::vector<std::string> relayed;
    for (int attempt = 0; attempt < 5 && relayed.empty(); ++attempt) {
        asking = std::make_unique<Endpoint>(io, ice);
        EXPECT_TRUE(wait_until([&] { return asking->transport->local().gathering_done; }));
        for (const std::string& candidate : asking->transport->local().candidates) {
            if (candidate.find("typ relay") != std::string::npos) {
                relayed.push_back(candidate);
            }
        }
    }
    ASSERT_FALSE(relayed.empty());
    Endpoint& a = *asking;
    // The peer is told of the relay alone.
    const LocalDescription local_a = a.transport->local(), local_b = b.transport->local();
    for (Endpoint* endpoint : {&a, &b}) {
        endpoint->add(pcmu_media(0, endpoint == &a ? 1 : 2));
        ASSERT_TRUE(endpoint->transport->set_security(PlainSecurity{}));
        endpoint->play();
    }
    ASSERT_TRUE(b.transport->set_remote(IceRemote{local_a.ice_ufrag, local_a.ice_password, relayed, true}));
    ASSERT_TRUE(a.transport->set_remote(
        IceRemote{local_b.ice_ufrag, local_b.ice_password, local_b.candidates, true}));
    EXPECT_TRUE(wait_until([&] { return a.received(0) > 5 && b.received(0) > 5; }));
}

TEST_F(FeedbackTest, IceWithoutAPeerFails) {
    IceParams ice = loopback_ice(true);
    ice.connect_deadline = std::chrono::milliseconds(100);
    Endpoint a(io, ice);
    ASSERT_TRUE(a.transport->set_remote(IceRemote{"ufrag", std::string(24, 'p')}));
    EXPECT_TRUE(wait_until([&] { return !a.states.empty() && a.states.back() == TransportState::failed; }));
}

}  // namespace
}  // namespace vmr::media::test
