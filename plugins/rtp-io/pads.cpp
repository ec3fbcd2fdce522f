#include "pads.hpp"

#include "base/guard.hpp"
#include "stream_start.hpp"

using vmr::rtp_io::Leg;
using vmr::rtp_io::LegCore;
using vmr::rtp_io::PadState;
using vmr::rtp_io::SocketAddress;
namespace srtp = vmr::srtp;

// GObject types live outside the namespace: their names are part of the plugin's interface.
struct VmrRtpIoPad {
    GstPad parent;
    PadState* state;
};
struct VmrRtpIoPadClass {
    GstPadClass parent_class;
};

G_DEFINE_TYPE(VmrRtpIoPad, vmr_rtp_io_pad, GST_TYPE_PAD)

namespace {

enum LegProperty : guint {
    kNoProperty,
    kLocalPort,
    kRemoteAddress,
    kRemotePort,
    kSymmetric,
    kAnySource,
    kSrtpSuite,
    kSendKey,
    kReceiveKey,
    kDscp,
    kCaps,
    kSendCaps,
    kLegStats
};

std::string text_of(const GValue* value) {
    const char* text = g_value_get_string(value);
    return text == nullptr ? std::string() : text;
}

void set_local_port(GstPad* pad, unsigned port) {
    const auto& leg = vmr::rtp_io::state_of(pad).leg;
    leg->set_wanted_port(port);
    const auto element = vmr::ElementPtr::adopt(gst_pad_get_parent_element(pad));
    if (element) {
        vmr::rtp_io::rebind_leg(element.get(), leg);
    }
}

bool set_crypto(LegCore& core, guint id, const GValue* value) {
    switch (id) {
        case kSrtpSuite:
            core.set_suite(static_cast<srtp::Suite>(g_value_get_enum(value)));
            return true;
        case kSendKey:
            core.set_send_key(text_of(value));
            return true;
        case kReceiveKey:
            core.set_receive_key(text_of(value));
            return true;
        default:
            return false;
    }
}

void change_setting(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    auto* pad = reinterpret_cast<GstPad*>(object);
    Leg& leg = *vmr::rtp_io::state_of(pad).leg;
    switch (id) {
        case kLocalPort:
            return set_local_port(pad, g_value_get_uint(value));
        case kRemoteAddress: {
            const std::string address = text_of(value);
            return leg.change([&](LegCore& core) { core.set_remote(address, core.remote_port()); });
        }
        case kRemotePort: {
            const auto port = static_cast<std::uint16_t>(g_value_get_uint(value));
            return leg.change([&](LegCore& core) { core.set_remote(core.remote_address(), port); });
        }
        case kSymmetric:
            return leg.change(
                [&](LegCore& core) { core.set_symmetric(g_value_get_boolean(value) != FALSE); });
        case kAnySource:
            return leg.change(
                [&](LegCore& core) { core.set_any_source(g_value_get_boolean(value) != FALSE); });
        case kDscp:
            return leg.set_dscp(g_value_get_uint(value));
        case kCaps:
            return leg.set_caps(const_cast<GstCaps*>(gst_value_get_caps(value)));
        case kSendCaps:
            leg.set_send_caps(const_cast<GstCaps*>(gst_value_get_caps(value)));
            if (GST_PAD_IS_SINK(pad)) {
                gst_pad_push_event(pad, gst_event_new_reconfigure());
            }
            return;
        case kSrtpSuite:
        case kSendKey:
        case kReceiveKey:
            return leg.change([&](LegCore& core) { set_crypto(core, id, value); });
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

void set_leg_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    vmr::guard(nullptr, [&] { change_setting(object, id, value, spec); });
}

void get_leg_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    const Leg& leg = *vmr::rtp_io::state_of(reinterpret_cast<GstPad*>(object)).leg;
    switch (id) {
        case kLocalPort:
            return g_value_set_uint(value, leg.port());
        case kRemoteAddress: {
            const std::string address = leg.read([](const LegCore& core) { return core.remote_address(); });
            return g_value_set_string(value, address.empty() ? nullptr : address.c_str());
        }
        case kRemotePort:
            return g_value_set_uint(value, leg.read([](const LegCore& core) { return core.remote_port(); }));
        case kSymmetric:
            return g_value_set_boolean(value, leg.read([](const LegCore& core) { return core.symmetric(); }));
        case kAnySource:
            return g_value_set_boolean(value,
                                       leg.read([](const LegCore& core) { return core.any_source(); }));
        case kSrtpSuite:
            return g_value_set_enum(
                value, static_cast<gint>(leg.read([](const LegCore& core) { return core.suite(); })));
        case kDscp:
            return g_value_set_uint(value, leg.dscp());
        case kCaps:
            return gst_value_set_caps(value, leg.caps().get());
        case kSendCaps:
            return gst_value_set_caps(value, leg.send_caps().get());
        case kLegStats:
            return g_value_take_boxed(value, leg.stats().release());
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

void finalize_pad(GObject* object) {
    delete reinterpret_cast<VmrRtpIoPad*>(object)->state;
    G_OBJECT_CLASS(vmr_rtp_io_pad_parent_class)->finalize(object);
}

constexpr auto kReadWrite =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
constexpr auto kWriteOnly =
    static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);

void add_property(GObjectClass* klass, LegProperty id, GParamSpec* spec) {
    g_object_class_install_property(klass, id, spec);
}

void add_address_properties(GObjectClass* klass) {
    add_property(
        klass, kLocalPort,
        g_param_spec_uint("local-port", "Local port",
                          "UDP port of RTP and RTCP (0 = a free one; reads as the real one from READY on)", 0,
                          65535, 0, kReadWrite));
    add_property(klass, kRemoteAddress,
                 g_param_spec_string("remote-address", "Remote address",
                                     "IP address of the peer (no name); without it nothing is sent", nullptr,
                                     kReadWrite));
    add_property(
        klass, kRemotePort,
        g_param_spec_uint("remote-port", "Remote port", "UDP port of the peer", 0, 65535, 0, kReadWrite));
    add_property(klass, kSymmetric,
                 g_param_spec_boolean("symmetric", "Symmetric",
                                      "Send to where the first genuine packet comes from (RFC 4961)", TRUE,
                                      kReadWrite));
    add_property(
        klass, kAnySource,
        g_param_spec_boolean("any-source", "Any source",
                             "Let the first genuine packet come from any host, not only remote-address",
                             FALSE, kReadWrite));
    add_property(klass, kDscp,
                 g_param_spec_uint("dscp", "DSCP", "Differentiated services code point of what is sent", 0,
                                   63, 0, kReadWrite));
}

void add_media_properties(GObjectClass* klass) {
    add_property(
        klass, kSrtpSuite,
        g_param_spec_enum("srtp-suite", "SRTP suite", "How packets are protected",
                          vmr::rtp_io::srtp_suite_type(), static_cast<gint>(srtp::Suite::none), kReadWrite));
    add_property(klass, kSendKey,
                 g_param_spec_string("srtp-send-key", "SRTP send key",
                                     "Master key and salt of what is sent, base64 as in SDES (RFC 4568)",
                                     nullptr, kWriteOnly));
    add_property(klass, kReceiveKey,
                 g_param_spec_string("srtp-receive-key", "SRTP receive key",
                                     "Master key and salt of what is received, base64 as in SDES (RFC 4568)",
                                     nullptr, kWriteOnly));
    add_property(
        klass, kCaps,
        g_param_spec_boxed("rtp-caps", "RTP caps",
                           "Of src_N; payload types named in any of its structures are taken, no others",
                           GST_TYPE_CAPS, kReadWrite));
    add_property(klass, kSendCaps,
                 g_param_spec_boxed("rtp-send-caps", "RTP caps to send",
                                    "What is asked of who pushes into sink_N; set it there", GST_TYPE_CAPS,
                                    kReadWrite));
    add_property(
        klass, kLegStats,
        g_param_spec_boxed("stats", "Statistics",
                           "Packets, bytes, loss, jitter (RTP units), refusals; age of the last packet (ms)",
                           GST_TYPE_STRUCTURE,
                           static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

}  // namespace

static void vmr_rtp_io_pad_init(VmrRtpIoPad* pad) {
    pad->state = new PadState;
}

static void vmr_rtp_io_pad_class_init(VmrRtpIoPadClass* klass) {
    GObjectClass* object_class = G_OBJECT_CLASS(klass);
    object_class->set_property = set_leg_property;
    object_class->get_property = get_leg_property;
    object_class->finalize = finalize_pad;
    add_address_properties(object_class);
    add_media_properties(object_class);
}

namespace vmr::rtp_io {

GType srtp_suite_type() {
    static const GEnumValue values[] = {
        {static_cast<gint>(srtp::Suite::none), "Plain RTP", "none"},
        {static_cast<gint>(srtp::Suite::aes_cm_128_hmac_sha1_80), "AES_CM_128_HMAC_SHA1_80", "aes-128-cm-80"},
        {static_cast<gint>(srtp::Suite::aes_cm_128_hmac_sha1_32), "AES_CM_128_HMAC_SHA1_32", "aes-128-cm-32"},
        {static_cast<gint>(srtp::Suite::aes_256_cm_hmac_sha1_80), "AES_256_CM_HMAC_SHA1_80", "aes-256-cm-80"},
        {static_cast<gint>(srtp::Suite::aes_256_cm_hmac_sha1_32), "AES_256_CM_HMAC_SHA1_32", "aes-256-cm-32"},
        {static_cast<gint>(srtp::Suite::aead_aes_128_gcm), "AEAD_AES_128_GCM", "aead-aes-128-gcm"},
        {static_cast<gint>(srtp::Suite::aead_aes_256_gcm), "AEAD_AES_256_GCM", "aead-aes-256-gcm"},
        {0, nullptr, nullptr}};
    static const GType type = g_enum_register_static("VmrSrtpSuite", values);
    return type;
}

PadState& state_of(GstPad* pad) {
    return *reinterpret_cast<VmrRtpIoPad*>(pad)->state;
}

// The state is complete before anybody can see the pad.
GstPad* new_pad(GstPadTemplate* templ, const char* name, std::shared_ptr<Leg> leg, DatagramKind kind) {
    auto* pad =
        static_cast<GstPad*>(g_object_new(vmr_rtp_io_pad_get_type(), "name", name, "direction",
                                          GST_PAD_TEMPLATE_DIRECTION(templ), "template", templ, nullptr));
    state_of(pad).leg = std::move(leg);
    state_of(pad).kind = kind;
    return pad;
}

void add_pad_templates(GstElementClass* klass) {
    const auto add = [klass](const char* name, GstPadDirection direction, const char* text) {
        const CapsPtr caps = CapsPtr::adopt(gst_caps_from_string(text));
        gst_element_class_add_pad_template(
            klass, gst_pad_template_new_with_gtype(name, direction, GST_PAD_REQUEST, caps.get(),
                                                   vmr_rtp_io_pad_get_type()));
    };
    add("sink_%u", GST_PAD_SINK, kRtpCaps);
    add("src_%u", GST_PAD_SRC, kRtpCaps);
    add("rtcp_sink_%u", GST_PAD_SINK, kRtcpCaps);
    add("rtcp_src_%u", GST_PAD_SRC, kRtcpCaps);
    gst_type_mark_as_plugin_api(vmr_rtp_io_pad_get_type(), static_cast<GstPluginAPIFlags>(0));
    gst_type_mark_as_plugin_api(srtp_suite_type(), static_cast<GstPluginAPIFlags>(0));
}

}  // namespace vmr::rtp_io
