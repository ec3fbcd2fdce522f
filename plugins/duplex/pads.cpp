#include "plugins/duplex/pads.hpp"

#include "base/guard.hpp"
#include "plugins/duplex/door.hpp"

namespace vmr::duplex {

namespace {

#define VMR_AUDIO_CAPS \
    "audio/x-raw, format=(string)S16LE, layout=(string)interleaved, rate=(int)48000, channels=(int)1"
#define VMR_VIDEO_CAPS                                                                      \
    "video/x-raw, format=(string)I420, width=(int)[ 16, 4096 ], height=(int)[ 16, 4096 ], " \
    "framerate=(fraction)[ 0/1, 120/1 ]"
// Towards the room a picture is only passed on or held back, so it may come encoded.
#define VMR_CAMERA_CAPS \
    VMR_VIDEO_CAPS "; video/x-vp8; video/x-h264, stream-format=(string)byte-stream, alignment=(string)au"
#define VMR_PAD(name, direction, caps) \
    GST_STATIC_PAD_TEMPLATE(name, direction, GST_PAD_ALWAYS, GST_STATIC_CAPS(caps))

GstStaticPadTemplate templates[] = {
    VMR_PAD("audio_sink", GST_PAD_SINK, VMR_AUDIO_CAPS),
    VMR_PAD("audio_src", GST_PAD_SRC, VMR_AUDIO_CAPS),
    VMR_PAD("audio_return_sink", GST_PAD_SINK, VMR_AUDIO_CAPS),
    VMR_PAD("audio_return_src", GST_PAD_SRC, VMR_AUDIO_CAPS),
    VMR_PAD("video_sink", GST_PAD_SINK, VMR_CAMERA_CAPS),
    VMR_PAD("video_src", GST_PAD_SRC, VMR_CAMERA_CAPS),
    VMR_PAD("video_return_sink", GST_PAD_SINK, VMR_VIDEO_CAPS),
    VMR_PAD("video_return_src", GST_PAD_SRC, VMR_VIDEO_CAPS),
};

Door& door_of(GstPad* pad) {
    return *static_cast<Door*>(gst_pad_get_element_private(pad));
}

GstFlowReturn on_buffer_received(GstPad* pad, GstObject* parent, GstBuffer* buffer) {
    return guard(GST_ELEMENT(parent), GST_FLOW_ERROR, [&] { return door_of(pad).chain(pad, buffer); });
}
gboolean on_sink_event_received(GstPad* pad, GstObject* parent, GstEvent* event) {
    return guard(GST_ELEMENT(parent), false, [&] { return door_of(pad).sink_event(pad, event); });
}
gboolean on_src_event_received(GstPad* pad, GstObject* parent, GstEvent* event) {
    return guard(GST_ELEMENT(parent), false, [&] { return door_of(pad).src_event(pad, event); });
}
gboolean on_src_query_received(GstPad* pad, GstObject* parent, GstQuery* query) {
    return guard(GST_ELEMENT(parent), false, [&] { return door_of(pad).src_query(pad, query); });
}

// Events and queries of a pad concern its partner alone.
GstIterator* iterate_partner(GstPad* pad, GstObject*) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, GST_TYPE_PAD);
    g_value_set_object(&value, door_of(pad).other_pad(pad));
    GstIterator* iterator = gst_iterator_new_single(GST_TYPE_PAD, &value);
    g_value_unset(&value);
    return iterator;
}

}  // namespace

void Door::add_pad_templates(GstElementClass* klass) {
    for (GstStaticPadTemplate& one : templates) {
        gst_element_class_add_static_pad_template(klass, &one);
    }
}

GstPad* make_pad(GstElement* element, const char* name) {
    GstPad* pad = gst_pad_new_from_template(gst_element_get_pad_template(element, name), name);
    if (GST_PAD_IS_SINK(pad)) {
        gst_pad_set_chain_function(pad, on_buffer_received);
        gst_pad_set_event_function(pad, on_sink_event_received);
    } else {
        gst_pad_set_event_function(pad, on_src_event_received);
        gst_pad_set_query_function(pad, on_src_query_received);
    }
    gst_pad_set_iterate_internal_links_function(pad, iterate_partner);
    GST_PAD_SET_PROXY_CAPS(pad);
    GST_PAD_SET_PROXY_ALLOCATION(pad);
    return pad;
}

}  // namespace vmr::duplex
