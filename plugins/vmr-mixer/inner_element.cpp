#include "inner_element.hpp"

#include <utility>

namespace vmr::mixer {

bool InnerElement::open(GstCaps* in_caps, GstCaps* out_caps) {
    GstPadTemplate* templ = gst_pad_template_new("out", GST_PAD_SINK, GST_PAD_ALWAYS, out_caps);
    in_ = PadPtr::adopt(gst_pad_new("in", GST_PAD_SRC));
    out_ = PadPtr::adopt(gst_pad_new_from_template(templ, "out"));
    gst_object_unref(templ);
    gst_pad_set_element_private(out_.get(), this);
    gst_pad_set_chain_function(out_.get(), on_buffer_made);
    gst_pad_set_event_function(out_.get(), on_event_sent);
    gst_pad_set_query_function(out_.get(), on_query_sent);
    const PadPtr sink = PadPtr::adopt(gst_element_get_static_pad(element_.get(), "sink"));
    const PadPtr src = PadPtr::adopt(gst_element_get_static_pad(element_.get(), "src"));
    if (gst_pad_link_full(in_.get(), sink.get(), GST_PAD_LINK_CHECK_NOTHING) != GST_PAD_LINK_OK ||
        gst_pad_link_full(src.get(), out_.get(), GST_PAD_LINK_CHECK_NOTHING) != GST_PAD_LINK_OK) {
        return false;
    }
    gst_pad_set_active(out_.get(), TRUE);
    gst_pad_set_active(in_.get(), TRUE);
    if (gst_element_set_state(element_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        return false;
    }
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    push_event(gst_event_new_stream_start("vmr-mixer/inner"));
    push_event(gst_event_new_caps(in_caps));
    push_event(gst_event_new_segment(&segment));
    return true;
}

InnerElement::~InnerElement() {
    if (in_) {
        gst_pad_set_active(in_.get(), FALSE);
        gst_pad_set_active(out_.get(), FALSE);
    }
    gst_element_set_state(element_.get(), GST_STATE_NULL);
}

bool InnerElement::push(BufferPtr buffer) {
    return gst_pad_push(in_.get(), buffer.release()) == GST_FLOW_OK;
}

void InnerElement::push_event(GstEvent* event) {
    gst_pad_push_event(in_.get(), event);
}

std::vector<BufferPtr> InnerElement::take() {
    return std::exchange(made_, {});
}

GstFlowReturn InnerElement::on_buffer_made(GstPad* pad, GstObject*, GstBuffer* buffer) {
    static_cast<InnerElement*>(gst_pad_get_element_private(pad))->made_.push_back(BufferPtr::adopt(buffer));
    return GST_FLOW_OK;
}

gboolean InnerElement::on_event_sent(GstPad* pad, GstObject*, GstEvent* event) {
    const EventPtr owned = EventPtr::adopt(event);
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        GstCaps* caps = nullptr;
        gst_event_parse_caps(event, &caps);
        GstVideoInfo info;
        if (gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw") != FALSE &&
            gst_video_info_from_caps(&info, caps) != FALSE) {
            static_cast<InnerElement*>(gst_pad_get_element_private(pad))->out_format_ = info;
        }
    }
    return TRUE;
}

// Planes may lie as the element likes: nobody copies them into place.
gboolean InnerElement::on_query_sent(GstPad* pad, GstObject* parent, GstQuery* query) {
    if (GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION) {
        gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
        return TRUE;
    }
    return gst_pad_query_default(pad, parent, query);
}

}  // namespace vmr::mixer
