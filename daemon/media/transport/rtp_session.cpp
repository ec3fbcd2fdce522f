#include "daemon/media/transport/rtp_session.hpp"

#include <algorithm>

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

std::string random_cname() {
    const GCharPtr name(g_strdup_printf("%08x%08x%08x", g_random_int(), g_random_int(), g_random_int()));
    return name.get();
}

}  // namespace

Result<std::unique_ptr<RtpSession>> RtpSession::create(const RtpSessionParams& params,
                                                       RtpSessionEvents& events) {
    return std::unique_ptr<RtpSession>(new RtpSession(params, events));
}

RtpSession::RtpSession(const RtpSessionParams& params, RtpSessionEvents& events)
    : params_(params),
      cname_(random_cname()),
      events_(events),
      bin_(ElementPtr::adopt(gst_bin_new(params.name.c_str()))) {}

RtpSession::~RtpSession() {
    ready_ = false;
    {
        // A jitter buffer's thread that waits here could not be joined.
        std::lock_guard lock(streams_mutex_);
        closing_ = true;
        for (Stream& stream : streams_) {
            if (stream.block != 0) {
                gst_pad_remove_probe(stream.pad.get(), std::exchange(stream.block, 0));
            }
        }
    }
    gst_element_set_locked_state(bin_.get(), TRUE);
    gst_element_set_state(bin_.get(), GST_STATE_NULL);
    signals_.clear();
    audio_.clear();
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

Status RtpSession::build_rtpbin() {
    rtpbin_ = add_element("rtpbin");
    funnel_ = add_element("rtpfunnel");
    if (!rtpbin_ || !funnel_) {
        return Error{"GStreamer's rtpmanager plugin is not installed"};
    }
    // rtcp-sync-send-time needs latency events, which the free-standing pads never see.
    g_object_set(rtpbin_.get(), "latency", params_.latency_ms, "do-lost", TRUE, "drop-on-latency", TRUE,
                 "autoremove", TRUE, "max-streams", kMaxStreams, "rtcp-sync-send-time", FALSE, nullptr);
    gst_util_set_object_arg(G_OBJECT(rtpbin_.get()), "rtp-profile", params_.feedback ? "savpf" : "savp");
    const StructurePtr sdes(
        gst_structure_new("application/x-rtp-source-sdes", "cname", G_TYPE_STRING, cname_.c_str(), nullptr));
    g_object_set(rtpbin_.get(), "sdes", sdes.get(), nullptr);
    connect_signals();
    const std::array in{request_pad(rtpbin_.get(), "recv_rtp_sink_0"),
                        request_pad(rtpbin_.get(), "recv_rtcp_sink_0")};
    const auto send_rtp = request_pad(rtpbin_.get(), "send_rtp_sink_0");
    const auto send_rtcp = request_pad(rtpbin_.get(), "send_rtcp_src_0");
    const auto funnel_src = static_pad(funnel_.get(), "src");
    if (!in[0] || !in[1] || !send_rtcp || gst_pad_link(funnel_src.get(), send_rtp.get()) != GST_PAD_LINK_OK) {
        return Error{"rtpbin gives no pads"};
    }
    gst_pad_add_probe(funnel_src.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_arrivals_told, this, nullptr);
    gst_pad_add_probe(funnel_src.get(), GST_PAD_PROBE_TYPE_BUFFER, on_packet_gathered, this, nullptr);
    configure_session();
    const Status ports = build_ports({static_pad(rtpbin_.get(), "send_rtp_src_0"), send_rtcp}, in);
    has_rtpbin_ = ports.ok();
    return ports;
}

void RtpSession::configure_session() {
    GObject* session = nullptr;
    g_signal_emit_by_name(rtpbin_.get(), "get-internal-session", 0, &session);
    session_ = GPtr<GObject>::adopt(session);
    signals_.emplace_back(session, "on-sending-rtcp", G_CALLBACK(on_rtcp_made), this);
    g_object_set(session, "bandwidth", params_.bandwidth, "rtcp-fraction", kRtcpBandwidth,
                 "rtcp-reduced-size", static_cast<gboolean>(params_.rtcp_reduced_size),
                 "twcc-feedback-interval", kTwccInterval, nullptr);
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

Status RtpSession::install(const std::optional<SrtpKeys>& keys) {
    if (ready_ && keys.has_value() != secure_) {
        return Error{"a transport in use cannot change between RTP and SRTP"};
    }
    if (keys) {
        if (Status status = srtp_.use(*keys); !status) {
            return status;
        }
        secure_ = true;
    }
    ready_ = true;
    return Ok{};
}

// The free-standing pads: they have no parent, so the link checks are skipped.
Status RtpSession::build_ports(const std::array<PadPtr, 2>& out, const std::array<PadPtr, 2>& in) {
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
        push_stickies(rx_[i].get(), i == 0 ? "application/x-rtp" : "application/x-rtcp");
    }
    return Ok{};
}

GstFlowReturn RtpSession::on_buffer_out(GstPad* pad, GstObject*, GstBuffer* buffer) {
    const auto owned = BufferPtr::adopt(buffer);
    auto* session = static_cast<RtpSession*>(gst_pad_get_element_private(pad));
    GstMapInfo map;
    if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        guard(nullptr, [&] {
            session->send(pad == session->tx_[1].get() ? Component::rtcp : Component::rtp,
                          {map.data, map.size});
        });
        gst_buffer_unmap(buffer, &map);
    }
    return GST_FLOW_OK;
}

// Until there are keys nothing leaves; once SRTP was agreed on, nothing leaves in plain.
bool RtpSession::send(Component component, Bytes packet) {
    if (!ready_) {
        events_.on_packet_withheld();
        return false;
    }
    if (!secure_) {
        return events_.on_packet_made(component, packet);
    }
    std::array<uint8_t, kMaxDatagram> space;
    size_t size = packet.size();
    if (size > space.size()) {
        events_.on_packet_refused();
        return false;
    }
    std::ranges::copy(packet, space.begin());
    if (!srtp_.protect(component, space, size)) {
        events_.on_packet_refused();
        return false;
    }
    return events_.on_packet_made(component, {space.data(), size});
}

ReceiveResult RtpSession::receive(Component component, Bytes packet) {
    if (!ready_) {
        return ReceiveResult::not_ready;
    }
    if (component == Component::rtp) {
        const auto header = parse_rtp(packet);
        if (!header) {
            return ReceiveResult::malformed;
        }
        if (!router_.knows_payload(header->payload_type)) {
            return ReceiveResult::unrouted;
        }
    }
    std::array<uint8_t, kMaxDatagram> space;
    if (secure_) {
        size_t size = packet.size();
        if (size > space.size()) {
            return ReceiveResult::malformed;
        }
        std::ranges::copy(packet, space.begin());
        const ReceiveResult result = unprotect(component, {space.data(), size}, size);
        if (result != ReceiveResult::delivered) {
            return result;
        }
        packet = {space.data(), size};
    }
    return component == Component::rtp ? take_rtp(packet) : take_rtcp(packet);
}

ReceiveResult RtpSession::unprotect(Component component, MutableBytes packet, size_t& size) {
    switch (srtp_.unprotect(component, packet, size)) {
        case srtp::Outcome::ok:
            return ReceiveResult::delivered;
        case srtp::Outcome::malformed:
            return ReceiveResult::malformed;
        default:
            return ReceiveResult::auth_failed;
    }
}

ReceiveResult RtpSession::take_rtp(Bytes packet) {
    const auto header = parse_rtp(packet);
    if (!header) {
        return ReceiveResult::malformed;
    }
    const auto media = router_.route(*header);
    if (!media) {
        return ReceiveResult::unrouted;
    }
    if (AudioRtp* audio = audio_of(*media)) {
        audio->receive(packet);
        return ReceiveResult::delivered;
    }
    if (take_data(*media, packet)) {
        return ReceiveResult::delivered;
    }
    return push_rtp(*header, packet);
}

ReceiveResult RtpSession::take_rtcp(Bytes compound) {
    if (!is_rtcp(compound)) {
        return ReceiveResult::malformed;
    }
    reports_.read(compound, ntp_middle(g_get_real_time()));
    if (bitrate_.read(compound)) {
        send_rtcp_soon();
    }
    const PeerRtcp rtcp = read_peer_rtcp(compound);
    for (AudioRtp* audio : audio_lines()) {
        audio->receive_rtcp(rtcp);
    }
    return has_rtpbin_ ? push_rtcp(compound) : ReceiveResult::delivered;
}

ReceiveResult RtpSession::push_rtp(const RtpHeader& header, Bytes packet) {
    const int64_t now = g_get_monotonic_time();
    if (!peer_sources_.admit(header.ssrc, now)) {
        return ReceiveResult::unrouted;
    }
    return peer_sources_.admit_contributors(packet, now) ? push(Component::rtp, packet)
                                                         : push(Component::rtp, without_contributors(packet));
}

ReceiveResult RtpSession::push_rtcp(Bytes compound) {
    const std::vector<uint8_t> admitted = peer_sources_.admitted(compound, g_get_monotonic_time());
    const ReceiveResult result = admitted.empty() ? ReceiveResult::unrouted : push(Component::rtcp, admitted);
    return admitted.size() == compound.size() ? result : ReceiveResult::unrouted;
}

ReceiveResult RtpSession::push(Component component, Bytes packet) {
    const auto clock = GPtr<GstClock>::adopt(gst_element_get_clock(bin_.get()));
    if (!clock) {
        return ReceiveResult::not_ready;  // the pipeline does not play yet
    }
    GstBuffer* buffer = gst_buffer_new_memdup(packet.data(), packet.size());
    const GstClockTime now = gst_clock_get_time(clock.get()), base = gst_element_get_base_time(bin_.get());
    GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = now > base ? now - base : 0;
    gst_pad_push(rx_[component == Component::rtcp ? 1 : 0].get(), buffer);
    return ReceiveResult::delivered;
}

}  // namespace vmr::media
