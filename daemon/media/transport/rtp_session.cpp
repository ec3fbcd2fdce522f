#include "daemon/media/transport/rtp_session.hpp"

#include <gst/rtp/rtp.h>

#include "base/guard.hpp"

namespace vmr::media {

namespace {

// Streams (SSRCs) at once; each has a jitter buffer with two threads.
constexpr unsigned kMaxStreams = 16;
constexpr guint64 kTwccInterval = 100 * GST_MSECOND;
// RTCP's share of the bandwidth in bit/s: enough for one TWCC report each interval.
constexpr double kRtcpBandwidth = 100'000;

GstStaticPadTemplate any_template =
    GST_STATIC_PAD_TEMPLATE("out", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

PadPtr request_pad(GstElement* element, const char* name) {
    return PadPtr::adopt(gst_element_request_pad_simple(element, name));
}

PadPtr static_pad(GstElement* element, const char* name) {
    return PadPtr::adopt(gst_element_get_static_pad(element, name));
}

void push_stickies(GstPad* pad, const char* media_type) {
    const GCharPtr id(g_strdup_printf("%s-%p", media_type, static_cast<void*>(pad)));
    gst_pad_push_event(pad, gst_event_new_stream_start(id.get()));
    auto caps = CapsPtr::adopt(gst_caps_new_empty_simple(media_type));
    gst_pad_push_event(pad, gst_event_new_caps(caps.get()));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(pad, gst_event_new_segment(&segment));
}

// A CNAME that says nothing about this host (RFC 7022).
StructurePtr random_sdes() {
    const GCharPtr name(g_strdup_printf("%08x%08x%08x", g_random_int(), g_random_int(), g_random_int()));
    return StructurePtr(
        gst_structure_new("application/x-rtp-source-sdes", "cname", G_TYPE_STRING, name.get(), nullptr));
}

}  // namespace

Result<std::unique_ptr<RtpSession>> RtpSession::create(const RtpSessionParams& params,
                                                       RtpSessionEvents& events) {
    std::unique_ptr<RtpSession> session(new RtpSession(events));
    if (Status status = session->build(params); !status) {
        return Error{status.error()};
    }
    return session;
}

RtpSession::~RtpSession() {
    ready_ = false;
    {
        // A jitter buffer's thread that waits here could not be joined.
        std::lock_guard lock(streams_mutex_);
        for (Stream& stream : streams_) {
            if (stream.block != 0) {
                gst_pad_remove_probe(stream.pad.get(), std::exchange(stream.block, 0));
            }
        }
    }
    if (!bin_) {
        return;
    }
    gst_element_set_locked_state(bin_.get(), TRUE);
    gst_element_set_state(bin_.get(), GST_STATE_NULL);
    signals_.clear();
    if (auto parent = GPtr<GstObject>::adopt(gst_object_get_parent(GST_OBJECT(bin_.get())))) {
        gst_bin_remove(GST_BIN(parent.get()), bin_.get());
    }
    for (const auto& pads : {rx_, tx_}) {
        for (const PadPtr& pad : pads) {
            if (pad) {
                gst_pad_set_active(pad.get(), FALSE);
            }
        }
    }
}

ElementPtr RtpSession::add_element(const char* factory) {
    auto element = ElementPtr::adopt(gst_element_factory_make(factory, nullptr));
    if (element) {
        gst_bin_add(GST_BIN(bin_.get()), element.get());
        gst_element_sync_state_with_parent(element.get());
    }
    return element;
}

Status RtpSession::build(const RtpSessionParams& params) {
    bin_ = ElementPtr::adopt(gst_bin_new(params.name.c_str()));
    rtpbin_ = add_element("rtpbin");
    funnel_ = add_element("rtpfunnel");
    if (!rtpbin_ || !funnel_) {
        return Error{"GStreamer's rtpmanager plugin is not installed"};
    }
    // rtcp-sync-send-time needs latency events, which the free-standing pads never see.
    g_object_set(rtpbin_.get(), "latency", params.latency_ms, "do-lost", TRUE, "drop-on-latency", TRUE,
                 "autoremove", TRUE, "max-streams", kMaxStreams, "rtcp-sync-send-time", FALSE, nullptr);
    gst_util_set_object_arg(G_OBJECT(rtpbin_.get()), "rtp-profile", params.feedback ? "savpf" : "savp");
    const StructurePtr sdes = random_sdes();
    g_object_set(rtpbin_.get(), "sdes", sdes.get(), nullptr);
    connect_signals();
    recv_rtp_ = request_pad(rtpbin_.get(), "recv_rtp_sink_0");
    recv_rtcp_ = request_pad(rtpbin_.get(), "recv_rtcp_sink_0");
    auto send_rtp = request_pad(rtpbin_.get(), "send_rtp_sink_0");
    auto send_rtcp = request_pad(rtpbin_.get(), "send_rtcp_src_0");
    auto funnel_src = static_pad(funnel_.get(), "src");
    if (!recv_rtp_ || !recv_rtcp_ || !send_rtcp ||
        gst_pad_link(funnel_src.get(), send_rtp.get()) != GST_PAD_LINK_OK) {
        return Error{"rtpbin gives no pads"};
    }
    gst_pad_add_probe(recv_rtp_.get(), GST_PAD_PROBE_TYPE_BUFFER, on_rtp_in, this, nullptr);
    gst_pad_add_probe(recv_rtcp_.get(), GST_PAD_PROBE_TYPE_BUFFER, on_rtcp_in, this, nullptr);
    rtp_gate_ = close_gate("send_rtp_src_0");
    rtcp_gate_ = close_gate("send_rtcp_src_0");
    configure_session(params);
    return Ok{};
}

void RtpSession::configure_session(const RtpSessionParams& params) {
    GObject* session = nullptr;
    g_signal_emit_by_name(rtpbin_.get(), "get-internal-session", 0, &session);
    session_ = GPtr<GObject>::adopt(session);
    g_object_set(session, "bandwidth", params.bandwidth, "rtcp-fraction", kRtcpBandwidth, "rtcp-reduced-size",
                 static_cast<gboolean>(params.rtcp_reduced_size), "twcc-feedback-interval", kTwccInterval,
                 nullptr);
}

void RtpSession::connect_signals() {
    GstElement* rtpbin = rtpbin_.get();
    signals_.emplace_back(rtpbin, "request-pt-map", G_CALLBACK(on_pt_map_requested), this);
    signals_.emplace_back(rtpbin, "request-aux-receiver", G_CALLBACK(on_aux_receiver_requested), this);
    signals_.emplace_back(rtpbin, "new-jitterbuffer", G_CALLBACK(on_jitterbuffer_made), this);
    signals_.emplace_back(rtpbin, "pad-added", G_CALLBACK(on_pad_added), this);
    signals_.emplace_back(rtpbin, "pad-removed", G_CALLBACK(on_pad_removed), this);
    signals_.emplace_back(rtpbin, "on-bye-ssrc", G_CALLBACK(on_bye_received), this);
}

// Until there are keys nothing leaves, and whoever pushes is told that all is well.
RtpSession::Gate RtpSession::close_gate(const char* pad_name) {
    Gate gate;
    gate.pad = static_pad(rtpbin_.get(), pad_name);
    gate.probe = gst_pad_add_probe(
        gate.pad.get(),
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST), on_withheld,
        this, nullptr);
    return gate;
}

void RtpSession::open_gate(Gate& gate) {
    if (gate.probe != 0) {
        gst_pad_remove_probe(gate.pad.get(), std::exchange(gate.probe, 0));
    }
}

GstPadProbeReturn RtpSession::on_withheld(GstPad*, GstPadProbeInfo*, gpointer self) {
    static_cast<RtpSession*>(self)->events_.on_packet_withheld();
    return GST_PAD_PROBE_DROP;
}

Status RtpSession::install(const std::optional<SrtpKeys>& keys) {
    if (ready_ && keys.has_value() != static_cast<bool>(srtpenc_)) {
        return Error{"a transport in use cannot change between RTP and SRTP"};
    }
    if (keys) {
        const SrtpSuiteInfo& info = suite_info(keys->suite);
        const size_t size = info.key_bytes + info.salt_bytes;
        if (keys->local.size() != size || keys->remote.size() != size) {
            return Error{"an SRTP key of wrong length"};
        }
        std::lock_guard lock(keys_mutex_);
        keys_ = keys;
    }
    if (ready_) {
        if (keys) {
            set_encrypt_keys(srtpenc_.get(), *keys);
            g_signal_emit_by_name(srtpdec_.get(), "clear-keys");
        }
        return Ok{};
    }
    Status status =
        keys ? build_crypto(*keys) : build_ports(rtp_gate_.pad, rtcp_gate_.pad, recv_rtp_, recv_rtcp_);
    if (status) {
        push_stickies(rx_[0].get(), keys ? "application/x-srtp" : "application/x-rtp");
        push_stickies(rx_[1].get(), keys ? "application/x-srtcp" : "application/x-rtcp");
        open_gate(rtp_gate_);
        open_gate(rtcp_gate_);
        ready_ = true;
    }
    return status;
}

Status RtpSession::build_crypto(const SrtpKeys& keys) {
    srtpdec_ = add_element("srtpdec");
    srtpenc_ = ElementPtr::adopt(gst_element_factory_make("srtpenc", nullptr));
    if (!srtpdec_ || !srtpenc_) {
        return Error{"GStreamer's srtp plugin is not installed"};
    }
    // Without its key srtpenc does not leave NULL.
    set_encrypt_keys(srtpenc_.get(), keys);
    gst_bin_add(GST_BIN(bin_.get()), srtpenc_.get());
    gst_element_sync_state_with_parent(srtpenc_.get());
    // A retransmission may repeat a sequence number of ours with the same payload.
    g_object_set(srtpenc_.get(), "allow-repeat-tx", TRUE, nullptr);
    signals_.emplace_back(srtpdec_.get(), "request-key", G_CALLBACK(on_key_requested), this);
    auto enc_rtp = request_pad(srtpenc_.get(), "rtp_sink_0");
    auto enc_rtcp = request_pad(srtpenc_.get(), "rtcp_sink_0");
    auto dec_rtp = static_pad(srtpdec_.get(), "rtp_src");
    auto dec_rtcp = static_pad(srtpdec_.get(), "rtcp_src");
    const Status ports =
        build_ports(static_pad(srtpenc_.get(), "rtp_src_0"), static_pad(srtpenc_.get(), "rtcp_src_0"),
                    static_pad(srtpdec_.get(), "rtp_sink"), static_pad(srtpdec_.get(), "rtcp_sink"));
    if (!ports || gst_pad_link(dec_rtp.get(), recv_rtp_.get()) != GST_PAD_LINK_OK ||
        gst_pad_link(dec_rtcp.get(), recv_rtcp_.get()) != GST_PAD_LINK_OK ||
        gst_pad_link(rtp_gate_.pad.get(), enc_rtp.get()) != GST_PAD_LINK_OK ||
        gst_pad_link(rtcp_gate_.pad.get(), enc_rtcp.get()) != GST_PAD_LINK_OK) {
        return Error{"the SRTP elements cannot be linked"};
    }
    return Ok{};
}

// The free-standing pads: they have no parent, so the link checks are skipped.
Status RtpSession::build_ports(PadPtr rtp_out, PadPtr rtcp_out, PadPtr rtp_in, PadPtr rtcp_in) {
    const std::array<PadPtr, 2> out{std::move(rtp_out), std::move(rtcp_out)};
    const std::array<PadPtr, 2> in{std::move(rtp_in), std::move(rtcp_in)};
    for (size_t i = 0; i < out.size(); i++) {
        tx_[i] = PadPtr::adopt(gst_pad_new_from_static_template(&any_template, nullptr));
        // The default would refuse every later change of caps.
        GST_PAD_SET_ACCEPT_TEMPLATE(tx_[i].get());
        gst_pad_set_element_private(tx_[i].get(), this);
        gst_pad_set_chain_function(tx_[i].get(), on_buffer_out);
        gst_pad_set_active(tx_[i].get(), TRUE);
        rx_[i] = PadPtr::adopt(gst_pad_new(nullptr, GST_PAD_SRC));
        gst_pad_set_active(rx_[i].get(), TRUE);
        if (gst_pad_link_full(out[i].get(), tx_[i].get(), GST_PAD_LINK_CHECK_NOTHING) != GST_PAD_LINK_OK ||
            gst_pad_link_full(rx_[i].get(), in[i].get(), GST_PAD_LINK_CHECK_NOTHING) != GST_PAD_LINK_OK) {
            return Error{"the transport's pads cannot be linked"};
        }
    }
    return Ok{};
}

GstFlowReturn RtpSession::on_buffer_out(GstPad* pad, GstObject*, GstBuffer* buffer) {
    const auto owned = BufferPtr::adopt(buffer);
    auto* session = static_cast<RtpSession*>(gst_pad_get_element_private(pad));
    GstMapInfo map;
    if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        guard(nullptr, [&] {
            session->events_.on_packet_made(pad == session->tx_[1].get() ? Component::rtcp : Component::rtp,
                                            {map.data, map.size});
        });
        gst_buffer_unmap(buffer, &map);
    }
    return GST_FLOW_OK;
}

ReceiveResult RtpSession::receive(Component component, Bytes packet) {
    uint32_t ssrc = 0;
    if (component == Component::rtp) {
        const auto header = parse_rtp(packet);
        if (!header) {
            return ReceiveResult::malformed;
        }
        if (!router_.knows_payload(header->payload_type)) {
            return ReceiveResult::unrouted;
        }
        ssrc = header->ssrc;
    } else {
        if (packet.size() < 8 || (!srtpdec_ && !is_rtcp(packet))) {
            return ReceiveResult::malformed;
        }
        ssrc = static_cast<uint32_t>(packet[4]) << 24 | packet[5] << 16 | packet[6] << 8 | packet[7];
    }
    const auto clock = GPtr<GstClock>::adopt(gst_element_get_clock(bin_.get()));
    if (!clock || !ready_) {
        return ReceiveResult::not_ready;
    }
    GstBuffer* buffer = gst_buffer_new_memdup(packet.data(), packet.size());
    const GstClockTime now = gst_clock_get_time(clock.get()), base = gst_element_get_base_time(bin_.get());
    GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = now > base ? now - base : 0;
    authenticated_ = false;
    routed_ = false;
    const GstFlowReturn flow = gst_pad_push(rx_[component == Component::rtcp ? 1 : 0].get(), buffer);
    if (!authenticated_) {
        if (flow == GST_FLOW_FLUSHING) {
            return ReceiveResult::not_ready;
        }
        // srtpdec keeps state for each SSRC it met; forged ones must not pile up.
        if (srtpdec_ && !proven_ssrcs_.contains(ssrc)) {
            g_signal_emit_by_name(srtpdec_.get(), "remove-key", ssrc);
        }
        return ReceiveResult::auth_failed;
    }
    if (proven_ssrcs_.size() < 64) {
        proven_ssrcs_.insert(ssrc);
    }
    return routed_ ? ReceiveResult::delivered : ReceiveResult::unrouted;
}

// Behind srtpdec, so what comes here is authentic.
GstPadProbeReturn RtpSession::on_rtp_in(GstPad*, GstPadProbeInfo* info, gpointer self) {
    auto* session = static_cast<RtpSession*>(self);
    GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    session->authenticated_ = true;
    GstMapInfo map;
    if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        guard(nullptr, [&] {
            const auto header = parse_rtp({map.data, map.size});
            session->routed_ = header && session->router_.route(*header);
        });
        gst_buffer_unmap(buffer, &map);
    }
    return session->routed_ ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

GstPadProbeReturn RtpSession::on_rtcp_in(GstPad*, GstPadProbeInfo* info, gpointer self) {
    auto* session = static_cast<RtpSession*>(self);
    GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    session->authenticated_ = true;
    GstMapInfo map;
    if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        guard(nullptr, [&] {
            session->reports_.read({map.data, map.size}, ntp_middle(g_get_real_time()));
            session->routed_ = true;
        });
        gst_buffer_unmap(buffer, &map);
    }
    return GST_PAD_PROBE_OK;
}

GstCaps* RtpSession::on_key_requested(GstElement*, guint ssrc, gpointer self) {
    auto* session = static_cast<RtpSession*>(self);
    std::lock_guard lock(session->keys_mutex_);
    return session->keys_ ? decrypt_caps(*session->keys_, ssrc).release() : nullptr;
}

}  // namespace vmr::media
