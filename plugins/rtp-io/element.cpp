/**
 * SECTION:element-vmr-rtp-io
 * @title: vmr-rtp-io
 * @short_description: RTP and SRTP of many legs on a few threads
 *
 * The packet engine of a room. Leg N has the request pads sink_N (RTP to send), src_N (RTP that was received,
 * authenticated and decrypted) and, where RTCP is wanted, rtcp_sink_N and rtcp_src_N. Each leg has one UDP
 * socket; all legs of all such elements of the process share a few threads.
 *
 * ## Example
 * |[
 * gst-launch-1.0 vmr-rtp-io name=io local-address=127.0.0.1 \
 *   sink_0::local-port=16500 sink_0::remote-address=127.0.0.1 sink_0::remote-port=16502 \
 *   src_1::local-port=16502 src_1::remote-address=127.0.0.1 src_1::remote-port=16500 \
 *   audiotestsrc is-live=true num-buffers=60 samplesperbuffer=160 ! audio/x-raw,rate=8000 \
 *   ! mulawenc ! rtppcmupay ! io.sink_0 \
 *   io.src_1 ! application/x-rtp,media=audio,payload=0,clock-rate=8000,encoding-name=PCMU \
 *   ! rtppcmudepay ! fakesink num-buffers=20
 * ]|
 */
#include "element.hpp"

#include <array>
#include <utility>

#include "base/guard.hpp"
#include "pads.hpp"
#include "rtp_io.hpp"

using vmr::BufferPtr;
using vmr::DatagramKind;
using vmr::Status;
using vmr::rtp_io::OutPacket;
using vmr::rtp_io::RtpIo;

struct VmrRtpIo {
    GstElement parent;
    RtpIo* impl;
};
struct VmrRtpIoClass {
    GstElementClass parent_class;
};

static void vmr_rtp_io_child_proxy_init(gpointer iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE(VmrRtpIo, vmr_rtp_io, GST_TYPE_ELEMENT,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_CHILD_PROXY, vmr_rtp_io_child_proxy_init))

namespace {

enum ElementProperty : guint { kNoElementProperty, kLocalAddress, kWorkers, kStats };

RtpIo& io_of(gpointer object) {
    return *reinterpret_cast<VmrRtpIo*>(object)->impl;
}

void set_element_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    switch (id) {
        case kLocalAddress:
            vmr::guard(nullptr, [&] { io_of(object).set_local_address(g_value_get_string(value)); });
            break;
        case kWorkers:
            io_of(object).workers = g_value_get_uint(value);
            break;
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

void get_element_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    switch (id) {
        case kLocalAddress:
            return g_value_set_string(value, io_of(object).local_address().c_str());
        case kWorkers:
            return g_value_set_uint(value, io_of(object).workers);
        case kStats:
            return g_value_take_boxed(value, io_of(object).stats().release());
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

GstFlowReturn on_packet_arrived(GstPad* pad, GstObject* parent, GstBuffer* buffer) {
    return vmr::guard(GST_ELEMENT(parent), GST_FLOW_ERROR, [&] {
        const auto& state = vmr::rtp_io::state_of(pad);
        OutPacket packet{BufferPtr::adopt(buffer), state.kind};
        state.leg->send({&packet, 1});
        return GST_FLOW_OK;
    });
}

struct ListTaker {
    DatagramKind kind;
    std::array<OutPacket, vmr::rtp_io::SendBatch::kSize> packets;
    std::size_t count = 0;
    vmr::rtp_io::Leg* leg;

    void hand_over() {
        vmr::guard(nullptr, [&] { leg->send(std::span(packets).first(count)); });
        count = 0;
    }
};

// Takes the list's reference rather than one more.
gboolean on_packet_of_list_arrived(GstBuffer** buffer, guint, gpointer data) {
    auto& taker = *static_cast<ListTaker*>(data);
    taker.packets[taker.count++] = {BufferPtr::adopt(std::exchange(*buffer, nullptr)), taker.kind};
    if (taker.count == taker.packets.size()) {
        taker.hand_over();
    }
    return TRUE;
}

GstFlowReturn on_packet_list_arrived(GstPad* pad, GstObject*, GstBufferList* packets) {
    const auto list = vmr::GPtr<GstBufferList>::adopt(gst_buffer_list_make_writable(packets));
    ListTaker taker{
        .kind = vmr::rtp_io::state_of(pad).kind, .packets = {}, .leg = vmr::rtp_io::state_of(pad).leg.get()};
    gst_buffer_list_foreach(list.get(), on_packet_of_list_arrived, &taker);
    taker.hand_over();
    return GST_FLOW_OK;
}

gboolean on_sink_event_arrived(GstPad* pad, GstObject* parent, GstEvent* event) {
    const auto owned = vmr::EventPtr::adopt(event);
    return vmr::guard(GST_ELEMENT(parent), false,
                      [&] { return io_of(parent).on_sink_event_received(pad, owned.get()); });
}

gboolean on_src_event_arrived(GstPad* pad, GstObject* parent, GstEvent* event) {
    const auto owned = vmr::EventPtr::adopt(event);
    return vmr::guard(GST_ELEMENT(parent), false,
                      [&] { return io_of(parent).on_src_event_received(pad, owned.get()); });
}

gboolean on_sink_query_arrived(GstPad* pad, GstObject* parent, GstQuery* query) {
    return vmr::guard(GST_ELEMENT(parent), false,
                      [&] { return io_of(parent).on_sink_query_received(pad, query); });
}

gboolean on_src_query_arrived(GstPad* pad, GstObject* parent, GstQuery* query) {
    return vmr::guard(GST_ELEMENT(parent), false,
                      [&] { return io_of(parent).on_src_query_received(pad, query); });
}

GstPad* request_new_rtp_pad(GstElement* element, GstPadTemplate* templ, const gchar* name, const GstCaps*) {
    return vmr::guard(element, static_cast<GstPad*>(nullptr),
                      [&] { return io_of(element).request_pad(templ, name); });
}

void release_rtp_pad(GstElement* element, GstPad* pad) {
    vmr::guard(element, [&] { io_of(element).release_pad(pad); });
}

bool open_sockets(GstElement* element) {
    const Status opened =
        vmr::guard(element, Status(vmr::Error{"internal error"}), [&] { return io_of(element).open(); });
    if (!opened) {
        io_of(element).close();
        GST_ELEMENT_ERROR(element, RESOURCE, OPEN_READ_WRITE, ("no UDP socket"),
                          ("%s", opened.error().c_str()));
    }
    return opened.ok();
}

GstStateChangeReturn change_rtp_state(GstElement* element, GstStateChange transition) {
    switch (transition) {
        case GST_STATE_CHANGE_NULL_TO_READY:
            if (!open_sockets(element)) {
                return GST_STATE_CHANGE_FAILURE;
            }
            break;
        case GST_STATE_CHANGE_READY_TO_PAUSED:
            vmr::guard(element, [&] { io_of(element).prepare(); });
            break;
        case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
            io_of(element).play();
            break;
        case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
            io_of(element).pause();
            break;
        default:
            break;
    }
    const GstStateChangeReturn result =
        GST_ELEMENT_CLASS(vmr_rtp_io_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
        (transition == GST_STATE_CHANGE_NULL_TO_READY && result == GST_STATE_CHANGE_FAILURE)) {
        vmr::guard(element, [&] { io_of(element).close(); });
    }
    const bool live =
        transition == GST_STATE_CHANGE_READY_TO_PAUSED || transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED;
    return live && result != GST_STATE_CHANGE_FAILURE ? GST_STATE_CHANGE_NO_PREROLL : result;
}

void finalize_element(GObject* object) {
    delete reinterpret_cast<VmrRtpIo*>(object)->impl;
    G_OBJECT_CLASS(vmr_rtp_io_parent_class)->finalize(object);
}

GObject* pad_by_name(GstChildProxy* proxy, const gchar* name) {
    return reinterpret_cast<GObject*>(gst_element_get_static_pad(GST_ELEMENT(proxy), name));
}

GObject* pad_by_index(GstChildProxy* proxy, guint index) {
    GObject* child = nullptr;
    GST_OBJECT_LOCK(proxy);
    if (gpointer pad = g_list_nth_data(GST_ELEMENT(proxy)->pads, index); pad != nullptr) {
        child = G_OBJECT(gst_object_ref(pad));
    }
    GST_OBJECT_UNLOCK(proxy);
    return child;
}

guint pad_count(GstChildProxy* proxy) {
    GST_OBJECT_LOCK(proxy);
    const guint count = GST_ELEMENT(proxy)->numpads;
    GST_OBJECT_UNLOCK(proxy);
    return count;
}

void install_element_properties(GObjectClass* klass) {
    constexpr auto kReady =
        static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
    g_object_class_install_property(
        klass, kLocalAddress,
        g_param_spec_string(
            "local-address", "Local address",
            "IP address that sockets are bound to (\"0.0.0.0\": all of IPv4; \"::\": of IPv6)", "0.0.0.0",
            kReady));
    g_object_class_install_property(
        klass, kWorkers,
        g_param_spec_uint("workers", "Workers",
                          "Threads that all such elements of the process share; the largest number counts "
                          "(0 = one per core, at most 4)",
                          0, vmr::rtp_io::WorkerPool::kMost, 0, kReady));
    g_object_class_install_property(
        klass, kStats,
        g_param_spec_boxed("stats", "Statistics", "Legs; workers of the process and their wake-ups",
                           GST_TYPE_STRUCTURE,
                           static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

}  // namespace

static void vmr_rtp_io_child_proxy_init(gpointer iface, gpointer) {
    auto* proxy = static_cast<GstChildProxyInterface*>(iface);
    proxy->get_child_by_name = pad_by_name;
    proxy->get_child_by_index = pad_by_index;
    proxy->get_children_count = pad_count;
}

static void vmr_rtp_io_init(VmrRtpIo* self) {
    self->impl = new RtpIo(GST_ELEMENT(self));
    GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
    GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_REQUIRE_CLOCK);
}

static void vmr_rtp_io_class_init(VmrRtpIoClass* klass) {
    GObjectClass* object_class = G_OBJECT_CLASS(klass);
    object_class->set_property = set_element_property;
    object_class->get_property = get_element_property;
    object_class->finalize = finalize_element;
    install_element_properties(object_class);

    GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
    element_class->request_new_pad = request_new_rtp_pad;
    element_class->release_pad = release_rtp_pad;
    element_class->change_state = change_rtp_state;
    vmr::rtp_io::add_pad_templates(element_class);
    gst_element_class_set_static_metadata(
        element_class, "RTP and SRTP of many legs", "Source/Sink/Network/RTP",
        "Receives and sends RTP of many legs, plain or SRTP, on a few threads", "vmr project");
}

namespace vmr::rtp_io {

void attach_callbacks(GstPad* pad) {
    if (GST_PAD_IS_SINK(pad)) {
        gst_pad_set_chain_function(pad, on_packet_arrived);
        gst_pad_set_chain_list_function(pad, on_packet_list_arrived);
        gst_pad_set_event_function(pad, on_sink_event_arrived);
        gst_pad_set_query_function(pad, on_sink_query_arrived);
        return;
    }
    gst_pad_use_fixed_caps(pad);
    gst_pad_set_event_function(pad, on_src_event_arrived);
    gst_pad_set_query_function(pad, on_src_query_arrived);
}

void rebind_leg(GstElement* element, const std::shared_ptr<Leg>& leg) {
    if (const Status bound = io_of(element).rebind(leg); !bound) {
        GST_ELEMENT_WARNING(element, RESOURCE, OPEN_READ_WRITE, ("leg %u has no socket", leg->index()),
                            ("%s", bound.error().c_str()));
    }
}

bool register_element(GstPlugin* plugin) {
    return gst_element_register(plugin, "vmr-rtp-io", GST_RANK_NONE, vmr_rtp_io_get_type()) != FALSE;
}

}  // namespace vmr::rtp_io
