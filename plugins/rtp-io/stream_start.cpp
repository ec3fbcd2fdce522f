#include "stream_start.hpp"

namespace vmr::rtp_io {

const char* const kRtpCaps = "application/x-rtp";
const char* const kRtcpCaps = "application/x-rtcp";

namespace {

bool has_sticky(GstPad* pad, GstEventType type) {
    return static_cast<bool>(EventPtr::adopt(gst_pad_get_sticky_event(pad, type, 0)));
}

CapsPtr caps_for(GstPad* pad, GstCaps* wanted) {
    CapsPtr caps;
    if (wanted != nullptr) {
        caps = CapsPtr::ref(wanted);
    } else {
        const CapsPtr ours = CapsPtr::adopt(gst_pad_get_pad_template_caps(pad));
        caps = CapsPtr::adopt(gst_pad_peer_query_caps(pad, ours.get()));
        if (gst_caps_is_empty(caps.get()) || gst_caps_is_any(caps.get())) {
            caps = ours;
        }
    }
    caps = CapsPtr::adopt(gst_caps_truncate(gst_caps_make_writable(caps.release())));
    return CapsPtr::adopt(gst_caps_fixate(caps.release()));
}

}  // namespace

void start_stream(GstPad* src_pad, GstCaps* wanted) {
    if (!has_sticky(src_pad, GST_EVENT_STREAM_START)) {
        const GCharPtr unique(g_uuid_string_random());
        const GCharPtr id(g_strdup_printf("%s/%s", unique.get(), GST_PAD_NAME(src_pad)));
        gst_pad_push_event(src_pad, gst_event_new_stream_start(id.get()));
    }
    const CapsPtr caps = caps_for(src_pad, wanted);
    const CapsPtr current = CapsPtr::adopt(gst_pad_get_current_caps(src_pad));
    if (!current || !gst_caps_is_equal(current.get(), caps.get())) {
        gst_pad_push_event(src_pad, gst_event_new_caps(caps.get()));
    }
    if (!has_sticky(src_pad, GST_EVENT_SEGMENT)) {
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        gst_pad_push_event(src_pad, gst_event_new_segment(&segment));
    }
}

}  // namespace vmr::rtp_io
