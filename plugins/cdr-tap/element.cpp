/**
 * SECTION:element-cdr-tap
 * @title: cdr-tap
 * @short_description: counts what passes, for call records, and changes nothing
 *
 * Put it anywhere in a pipeline. Of RTP it counts packets, loss, reordering, duplicates and jitter (RFC 3550
 * A.3, A.8) per SSRC; of RTCP, the far end's reports and the round trip; of anything else, buffers, bytes and
 * gaps. Buffers pass as they are, without a copy.
 *
 * ## Example
 * |[
 * gst-launch-1.0 -m audiotestsrc num-buffers=50 samplesperbuffer=160 ! audio/x-raw,rate=8000 \
 *   ! alawenc ! rtppcmapay ! cdr-tap interval=500000000 ! fakesink sync=true
 * ]|
 */
#include "plugins/cdr-tap/element.hpp"

#include <exception>

#include "base/guard.hpp"
#include "plugins/cdr-tap/tap.hpp"

using vmr::guard;
using vmr::cdr_tap::Tap;

struct VmrCdrTap {
    GstElement parent;
    Tap* tap;
};
struct VmrCdrTapClass {
    GstElementClass parent_class;
    void (*report)(VmrCdrTap* self);
};

GST_DEBUG_CATEGORY_STATIC(vmr_cdr_tap_debug);
G_DEFINE_TYPE_WITH_CODE(VmrCdrTap, vmr_cdr_tap, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(vmr_cdr_tap_debug, "cdr-tap", 0, "call record tap"))

namespace {

enum { kPropStats = 1, kPropInterval, kPropLocation };

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

VmrCdrTap* self_of(gpointer object) {
    return static_cast<VmrCdrTap*>(object);
}

GstFlowReturn on_buffer_received(GstPad*, GstObject* parent, GstBuffer* buffer) {
    return self_of(parent)->tap->chain(buffer);
}
GstFlowReturn on_list_received(GstPad*, GstObject* parent, GstBufferList* list) {
    return self_of(parent)->tap->chain_list(list);
}
gboolean on_event_received(GstPad*, GstObject* parent, GstEvent* event) {
    return guard(GST_ELEMENT(parent), false, [&] { return self_of(parent)->tap->sink_event(event); });
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    switch (id) {
        case kPropInterval:
            self_of(object)->tap->set_interval(g_value_get_uint64(value));
            break;
        case kPropLocation:
            guard(GST_ELEMENT(object),
                  [&] { self_of(object)->tap->set_location(g_value_get_string(value)); });
            break;
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    Tap& tap = *self_of(object)->tap;
    guard(GST_ELEMENT(object), [&] {
        switch (id) {
            case kPropStats:
                g_value_take_boxed(value, tap.stats().release());
                break;
            case kPropInterval:
                g_value_set_uint64(value, tap.interval());
                break;
            case kPropLocation:
                g_value_set_string(value, tap.location().c_str());
                break;
            default:
                G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
        }
    });
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
    Tap& tap = *self_of(element)->tap;
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
        !guard(element, false, [&] { return tap.start(); })) {
        return GST_STATE_CHANGE_FAILURE;
    }
    if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) {
        tap.stop_timer();
    }
    const GstStateChangeReturn result =
        GST_ELEMENT_CLASS(vmr_cdr_tap_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING && result != GST_STATE_CHANGE_FAILURE) {
        guard(element, [&] { tap.start_timer(); });
    }
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
        guard(element, [&] { tap.finish(); });
    }
    return result;
}

void report(VmrCdrTap* self) {
    guard(GST_ELEMENT(self), [&] { self->tap->report_now(false); });
}

void finalize(GObject* object) {
    delete self_of(object)->tap;
    G_OBJECT_CLASS(vmr_cdr_tap_parent_class)->finalize(object);
}

void install_properties(GObjectClass* object) {
    constexpr auto kFlags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_property(
        object, kPropStats,
        g_param_spec_boxed("stats", "Statistics", "Everything counted since the element was started",
                           GST_TYPE_STRUCTURE,
                           static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
    g_object_class_install_property(
        object, kPropInterval,
        g_param_spec_uint64(
            "interval", "Interval",
            "Time between vmr-cdr messages, in nanoseconds; 0: only at the end. Read when PLAYING "
            "begins",
            0, G_MAXUINT64, 10 * GST_SECOND, kFlags));
    g_object_class_install_property(
        object, kPropLocation,
        g_param_spec_string(
            "location", "Location",
            "File to which each report is appended as a line of JSON. Read when the element starts", nullptr,
            kFlags));
}

}  // namespace

static void vmr_cdr_tap_class_init(VmrCdrTapClass* klass) {
    auto* object = G_OBJECT_CLASS(klass);
    auto* element = GST_ELEMENT_CLASS(klass);
    object->set_property = set_property;
    object->get_property = get_property;
    object->finalize = finalize;
    element->change_state = change_state;
    klass->report = report;
    install_properties(object);
    /**
     * VmrCdrTap::report:
     *
     * Action signal: makes a report (message `vmr-cdr`, and a line in `location`) now.
     */
    g_signal_new("report", G_TYPE_FROM_CLASS(klass),
                 static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                 G_STRUCT_OFFSET(VmrCdrTapClass, report), nullptr, nullptr, nullptr, G_TYPE_NONE, 0);
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    gst_element_class_set_static_metadata(element, "Call record tap", "Generic/Network/Analyzer",
                                          "Counts the packets or buffers that pass, for call records", "vmr");
}

static void vmr_cdr_tap_init(VmrCdrTap* self) {
    auto* element = GST_ELEMENT(self);
    GstPad* sink = gst_pad_new_from_static_template(&sink_template, "sink");
    GstPad* src = gst_pad_new_from_static_template(&src_template, "src");
    self->tap = new Tap(element, sink, src);
    gst_pad_set_chain_function(sink, on_buffer_received);
    gst_pad_set_chain_list_function(sink, on_list_received);
    gst_pad_set_event_function(sink, on_event_received);
    for (GstPad* pad : {sink, src}) {
        GST_PAD_SET_PROXY_CAPS(pad);
        GST_PAD_SET_PROXY_ALLOCATION(pad);
        gst_element_add_pad(element, pad);
    }
}

bool vmr::cdr_tap::register_element(GstPlugin* plugin) {
    return gst_element_register(plugin, "cdr-tap", GST_RANK_NONE, vmr_cdr_tap_get_type()) != FALSE;
}
