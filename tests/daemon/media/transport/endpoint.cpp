#include "tests/daemon/media/transport/endpoint.hpp"

#include <gtest/gtest.h>

#include <array>

namespace vmr::media::test {

namespace {

constexpr const char* kMidUri = "urn:ietf:params:rtp-hdrext:sdes:mid";
constexpr const char* kTwccUri = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

gboolean keep_ticking(gpointer) {
    return G_SOURCE_CONTINUE;
}

SentMedia make(unsigned index, RtpFormat format, uint32_t ssrc, std::string source) {
    SentMedia media;
    media.params.index = index;
    media.params.mid = "m" + std::to_string(index);
    media.params.mid_extmap = kMidExtension;
    format.extmap = {{kMidExtension, kMidUri}, {kTwccExtension, kTwccUri}};
    media.params.receive_caps[format.payload] = rtp_caps(format);
    format.ssrc = ssrc;
    format.mid = media.params.mid;
    media.params.send_caps = rtp_caps(format);
    media.params.send_ssrc = ssrc;
    media.source = std::move(source);
    return media;
}

}  // namespace

bool wait_until(const std::function<bool()>& done, double seconds) {
    const gint64 end = g_get_monotonic_time() + static_cast<gint64>(seconds * G_USEC_PER_SEC);
    const guint tick = g_timeout_add(5, keep_ticking, nullptr);  // ms; wakes the loop to look
    while (!done() && g_get_monotonic_time() < end) {
        g_main_context_iteration(nullptr, TRUE);
    }
    g_source_remove(tick);
    return done();
}

SentMedia pcmu_media(unsigned index, uint32_t ssrc) {
    return make(index, {"audio", "PCMU", kPcmu, 8000}, ssrc,
                "audiotestsrc is-live=true samplesperbuffer=160 ! audio/x-raw,rate=8000,channels=1 ! "
                "mulawenc ! rtppcmupay");
}

SentMedia opus_media(unsigned index, uint32_t ssrc) {
    return make(index, {"audio", "OPUS", kOpus, 48000, 2}, ssrc,
                "audiotestsrc is-live=true samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=1 ! "
                "opusenc complexity=0 ! rtpopuspay");
}

SentMedia vp8_media(unsigned index, uint32_t ssrc, bool rtx) {
    RtpFormat format{"video", "VP8", kVp8, 90000};
    format.rtcp_fb = {"nack", "nack pli", "transport-cc"};
    SentMedia media = make(index, format, ssrc,
                           "videotestsrc is-live=true pattern=ball ! "
                           "video/x-raw,width=160,height=120,framerate=25/1 ! "
                           "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=2000 ! "
                           "rtpvp8pay picture-id-mode=15-bit mtu=400");
    if (rtx) {
        media.params.rtx[kVp8Rtx] = kVp8;
        media.params.send_rtx[kVp8Rtx] = kVp8;
        media.params.send_rtx_ssrc = ssrc + 1;
    }
    return media;
}

SentMedia protected_vp8_media(unsigned index, uint32_t ssrc) {
    SentMedia media = vp8_media(index, ssrc);
    FecFormat fec{kRed, kUlpfec, {}, {}, kTwccExtension};
    fec.pictures.set(kVp8);
    fec.vp8.set(kVp8);
    media.params.fec = fec;
    media.params.send_fec = {kRed, kUlpfec, kTwccExtension};
    for (const auto& [payload, name] : {std::pair(kRed, "RED"), {kUlpfec, "ULPFEC"}}) {
        RtpFormat format{"video", name, payload, 90000};
        format.extmap = {{kMidExtension, kMidUri}, {kTwccExtension, kTwccUri}};
        media.params.receive_caps[payload] = rtp_caps(format);
    }
    auto plain = CapsPtr::adopt(gst_caps_copy(media.params.receive_caps.at(kVp8).get()));
    gst_structure_remove_field(gst_caps_get_structure(plain.get(), 0), "rtcp-fb-nack");
    media.params.receive_caps[kVp8] = plain;
    return media;
}

Endpoint::Endpoint(std::shared_ptr<MediaIo> io, std::variant<UdpParams, IceParams> path,
                   std::shared_ptr<DtlsCertificate> certificate, TransportParams more)
    : pipeline(gst_pipeline_new(nullptr)) {
    more.io = std::move(io);
    more.path = std::move(path);
    more.certificate = std::move(certificate);
    auto made = RtpTransport::create(std::move(more), callbacks());
    EXPECT_TRUE(made) << (made ? "" : made.error());
    transport = std::move(*made);
    gst_bin_add(GST_BIN(pipeline), transport->bin());
}

Endpoint::~Endpoint() {
    detach_sources();
    transport.reset();
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

TransportCallbacks Endpoint::callbacks() {
    TransportCallbacks made;
    made.on_candidate_found = [this](const std::string& candidate) { candidates.push_back(candidate); };
    made.on_state_changed = [this](TransportState state, const std::string& why) {
        states.push_back(state);
        reason = why;
    };
    made.on_stream_added = [this](const StreamInfo& stream, GstPad* pad) { on_stream_added(stream, pad); };
    made.on_stream_removed = [this](const StreamInfo&, GstPad*) { streams_removed++; };
    made.on_bye_received = [this](unsigned, uint32_t) { byes++; };
    made.on_key_pressed = [this](unsigned, char key) { keys += key; };
    return made;
}

void Endpoint::on_stream_added(const StreamInfo& stream, GstPad* pad) {
    streams.push_back(stream);
    if (!link_streams || gst_pad_is_linked(pad)) {
        return;
    }
    auto sink = std::make_unique<Sink>();
    sink->element = gst_element_factory_make("fakesink", nullptr);
    sink->media = stream.media;
    sink->endpoint = this;
    g_object_set(sink->element, "sync", FALSE, "async", FALSE, "signal-handoffs", TRUE, nullptr);
    g_signal_connect(sink->element, "handoff", G_CALLBACK(on_handoff), sink.get());
    gst_bin_add(GST_BIN(pipeline), sink->element);
    gst_element_sync_state_with_parent(sink->element);
    auto sink_pad = PadPtr::adopt(gst_element_get_static_pad(sink->element, "sink"));
    EXPECT_EQ(gst_pad_link(pad, sink_pad.get()), GST_PAD_LINK_OK);
    sinks_.push_back(std::move(sink));
}

void Endpoint::on_handoff(GstElement*, GstBuffer* buffer, GstPad*, gpointer data) {
    auto& sink = *static_cast<Sink*>(data);
    std::array<uint8_t, 4> head{};
    gst_buffer_extract(buffer, 0, head.data(), head.size());
    const uint16_t sequence = static_cast<uint16_t>(head[2] << 8 | head[3]);
    if (sink.next >= 0) {
        sink.endpoint->last_gap = static_cast<int16_t>(sequence - sink.next);
        sink.endpoint->gaps += sequence == sink.next ? 0 : 1;
    }
    sink.next = static_cast<uint16_t>(sequence + 1);
    sink.buffers++;
}

void Endpoint::add(const SentMedia& media) {
    const Status status = transport->add_media(media.params);
    ASSERT_TRUE(status) << status.error();
    if (media.source.empty()) {
        return;
    }
    GstElement* source = gst_parse_bin_from_description(media.source.c_str(), TRUE, nullptr);
    ASSERT_NE(source, nullptr);
    gst_bin_add(GST_BIN(pipeline), source);
    auto pad = PadPtr::adopt(gst_element_get_static_pad(source, "src"));
    ASSERT_EQ(gst_pad_link(pad.get(), transport->send_pad(media.params.index)), GST_PAD_LINK_OK);
    gst_element_sync_state_with_parent(source);
    sources_.push_back(source);
}

void Endpoint::play() {
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
}

void Endpoint::detach_sources() {
    for (GstElement* source : sources_) {
        gst_element_set_locked_state(source, TRUE);
        gst_element_set_state(source, GST_STATE_NULL);
        gst_bin_remove(GST_BIN(pipeline), source);
    }
    sources_.clear();
}

uint64_t Endpoint::received(unsigned media) const {
    uint64_t buffers = 0;
    for (const auto& sink : sinks_) {
        buffers += sink->media == media ? sink->buffers.load() : 0;
    }
    return buffers;
}

uint64_t Endpoint::received() const {
    uint64_t buffers = 0;
    for (const auto& sink : sinks_) {
        buffers += sink->buffers;
    }
    return buffers;
}

std::string Endpoint::encoding(unsigned media) const {
    for (const auto& sink : sinks_) {
        auto pad = PadPtr::adopt(gst_element_get_static_pad(sink->element, "sink"));
        auto caps = CapsPtr::adopt(gst_pad_get_current_caps(pad.get()));
        if (sink->media == media && caps) {
            const char* name =
                gst_structure_get_string(gst_caps_get_structure(caps.get(), 0), "encoding-name");
            return name != nullptr ? name : "";
        }
    }
    return "";
}

UdpParams loopback_udp(bool mux) {
    UdpParams udp;
    udp.local_address = "127.0.0.1";
    udp.port_min = 20000;
    udp.port_max = 40000;
    udp.rtcp_mux = mux;
    return udp;
}

IceParams loopback_ice(bool controlling) {
    IceParams ice;
    ice.local_addresses = {"127.0.0.1"};
    ice.controlling = controlling;
    return ice;
}

void connect(Endpoint& a, Endpoint& b) {
    for (auto [from, to] : {std::pair{&a, &b}, std::pair{&b, &a}}) {
        LocalDescription local = from->transport->local();
        Status status = Ok{};
        if (local.ice_ufrag.empty()) {
            status = to->transport->set_remote(UdpRemote{local.address, local.rtp_port, local.rtcp_port});
        } else {
            ASSERT_TRUE(wait_until([&] { return from->transport->local().gathering_done; }));
            local = from->transport->local();
            status = to->transport->set_remote(
                IceRemote{local.ice_ufrag, local.ice_password, local.candidates, true});
        }
        ASSERT_TRUE(status) << status.error();
    }
}

void connect_dtls(Endpoint& server, Endpoint& client, const DtlsCertificate& server_certificate,
                  const DtlsCertificate& client_certificate) {
    DtlsParams for_server, for_client;
    for_server.role = DtlsParams::Role::server;
    for_server.fingerprints = {{FingerprintHash::sha256, client_certificate.fingerprint()}};
    for_client.role = DtlsParams::Role::client;
    for_client.fingerprints = {
        {FingerprintHash::sha384, server_certificate.fingerprint(FingerprintHash::sha384)}};
    ASSERT_TRUE(server.transport->set_security(for_server));
    ASSERT_TRUE(client.transport->set_security(for_client));
}

SdesKeys make_keys(SrtpSuite suite, char local, char remote) {
    const srtp::SuiteInfo& info = srtp::info_of(suite);
    const size_t size = info.key_bytes + info.salt_bytes;
    return {suite, std::string(size, local), std::string(size, remote)};
}

}  // namespace vmr::media::test
