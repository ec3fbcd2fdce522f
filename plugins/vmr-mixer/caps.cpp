#include "caps.hpp"

#include <string>
#include <string_view>

#include "pads.hpp"
#include "rtp_caps.hpp"

namespace vmr::mixer {

#define VMR_SIZE "width=(int)[16,3840], height=(int)[16,2160], framerate=(fraction)[0/1,60/1]"

constexpr const char* kRawSinkCaps =
    "audio/x-raw, format=(string)S16LE, layout=(string)interleaved, rate=(int)48000, channels=(int)1";
const char* const kVideoSinkCaps =
    "video/x-raw, format=(string)I420, width=(int)[16,8192], height=(int)[16,8192], "
    "framerate=(fraction)[0/1,2147483647/1]; video/x-vp8; "
    "video/x-h264, stream-format=(string)byte-stream, alignment=(string)au";
constexpr const char* kCodedSrcCaps =
    "audio/x-raw, format=(string)S16LE, layout=(string)interleaved, rate=(int){48000,16000,8000}, "
    "channels=(int)1; "
    "audio/x-opus, channel-mapping-family=(int)0, channels=(int)[1,2], rate=(int)48000; "
    "audio/G722, rate=(int)16000, channels=(int)1; "
    "audio/x-mulaw, rate=(int)8000, channels=(int)1; "
    "audio/x-alaw, rate=(int)8000, channels=(int)1";
const char* const kVideoSrcCaps = "video/x-raw, format=(string)I420, " VMR_SIZE "; video/x-vp8, " VMR_SIZE
                                  "; video/x-h264, stream-format=(string)byte-stream, alignment=(string)au, "
                                  "profile=(string){constrained-baseline,high}, " VMR_SIZE;

namespace {

bool has_sticky(GstPad* pad, GstEventType type) {
    return static_cast<bool>(EventPtr::adopt(gst_pad_get_sticky_event(pad, type, 0)));
}

void send_start(GstPad* pad) {
    const GCharPtr unique(g_uuid_string_random());
    const GCharPtr id(g_strdup_printf("%s/%s", unique.get(), GST_PAD_NAME(pad)));
    gst_pad_push_event(pad, gst_event_new_stream_start(id.get()));
}

bool send_caps(GstPad* pad, GstCaps* caps) {
    const CapsPtr current = CapsPtr::adopt(gst_pad_get_current_caps(pad));
    if (current && gst_caps_is_equal(current.get(), caps)) {
        return true;
    }
    return gst_pad_push_event(pad, gst_event_new_caps(caps)) != FALSE;
}

void send_segment(GstPad* pad) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(pad, gst_event_new_segment(&segment));
}

// The same stream again goes on with its sequence numbers.
void note_rtp(Output& state, const GstCaps* caps) {
    if (!is_rtp(caps)) {
        state.rtp.reset();
        return;
    }
    RtpStream stream = rtp_stream(caps, state.identity);
    if (state.rtp && state.rtp->identity.ssrc == stream.identity.ssrc) {
        stream.identity.sequence = state.rtp->identity.sequence;
    }
    state.rtp = stream;
}

void fixate_video(GstStructure* structure, const Output& state) {
    gst_structure_fixate_field_nearest_int(structure, "width", state.default_width);
    gst_structure_fixate_field_nearest_int(structure, "height", state.default_height);
    gst_structure_fixate_field_nearest_fraction(structure, "framerate", state.default_framerate, 1);
    if (gst_structure_has_name(structure, "video/x-raw") &&
        !gst_structure_has_field(structure, "interlace-mode")) {
        gst_structure_set(structure, "interlace-mode", G_TYPE_STRING, "progressive", "pixel-aspect-ratio",
                          GST_TYPE_FRACTION, 1, 1, nullptr);
    }
}

}  // namespace

CapsPtr audio_sink_caps() {
    return CapsPtr::adopt(gst_caps_from_string((std::string(kRawSinkCaps) + "; " + kRtpSinkCaps).c_str()));
}

CapsPtr audio_src_caps() {
    return CapsPtr::adopt(gst_caps_from_string((std::string(kCodedSrcCaps) + "; " + kRtpSrcCaps).c_str()));
}

CapsPtr choose_caps(GstPad* src_pad) {
    const CapsPtr ours = CapsPtr::adopt(gst_pad_get_pad_template_caps(src_pad));
    const CapsPtr theirs = CapsPtr::adopt(gst_pad_peer_query_caps(src_pad, ours.get()));
    CapsPtr chosen =
        CapsPtr::adopt(gst_caps_intersect_full(theirs.get(), ours.get(), GST_CAPS_INTERSECT_FIRST));
    if (gst_caps_is_empty(chosen.get())) {
        return chosen;
    }
    chosen = CapsPtr::adopt(gst_caps_truncate(gst_caps_make_writable(chosen.release())));
    GstStructure* structure = gst_caps_get_structure(chosen.get(), 0);
    if (output(src_pad).kind != Kind::audio) {
        int fixed = 0;
        output(src_pad).any_size = gst_structure_get_int(structure, "width", &fixed) == FALSE;
        fixate_video(structure, output(src_pad));
    } else if (is_rtp(chosen.get())) {
        fixate_rtp(structure, output(src_pad).identity);
    }
    return CapsPtr::adopt(gst_caps_fixate(chosen.release()));
}

std::optional<AudioFormat> audio_format_from(const GstCaps* caps) {
    const GstStructure* structure = gst_caps_get_structure(caps, 0);
    const auto is = [structure](const char* name) {
        return gst_structure_has_name(structure, name) != FALSE;
    };
    if (is_rtp(caps)) {
        return rtp_audio_format(caps);
    }
    if (is("audio/x-opus")) {
        return AudioFormat{AudioCodec::opus, kRoomRate};
    }
    if (is("audio/G722")) {
        return AudioFormat{AudioCodec::g722, 16000};
    }
    if (is("audio/x-mulaw")) {
        return AudioFormat{AudioCodec::mulaw, 8000};
    }
    if (is("audio/x-alaw")) {
        return AudioFormat{AudioCodec::alaw, 8000};
    }
    int rate = 0;
    if (!gst_structure_get_int(structure, "rate", &rate)) {
        return std::nullopt;
    }
    return AudioFormat{AudioCodec::raw, rate};
}

std::optional<VideoFormat> video_format_from(const GstCaps* caps) {
    const GstStructure* structure = gst_caps_get_structure(caps, 0);
    VideoFormat format;
    int numerator = 0;
    int denominator = 1;
    if (!gst_structure_get_int(structure, "width", &format.width) ||
        !gst_structure_get_int(structure, "height", &format.height) ||
        !gst_structure_get_fraction(structure, "framerate", &numerator, &denominator)) {
        return std::nullopt;
    }
    // 0/1 is "variable": as fast as the element composes.
    format.framerate = numerator > 0 ? (numerator + denominator - 1) / denominator : 60;
    if (gst_structure_has_name(structure, "video/x-vp8")) {
        format.codec = VideoCodec::vp8;
    } else if (gst_structure_has_name(structure, "video/x-h264")) {
        format.codec = VideoCodec::h264;
        const char* profile = gst_structure_get_string(structure, "profile");
        format.high_profile = profile != nullptr && std::string_view(profile) == "high";
        gst_structure_get_int(structure, "max-nal-size", &format.max_nal_size);
    }
    return format;
}

void negotiate(GstPad* src_pad) {
    Output& state = output(src_pad);
    const int width = state.default_width;
    const int height = state.default_height;
    const CapsPtr caps = choose_caps(src_pad);
    if (gst_caps_is_empty(caps.get())) {
        return;
    }
    // A pad loses its sticky events in READY: what is there decides, not what was once sent.
    if (!has_sticky(src_pad, GST_EVENT_STREAM_START)) {
        send_start(src_pad);
    }
    if (!send_caps(src_pad, caps.get())) {
        return;
    }
    if (!has_sticky(src_pad, GST_EVENT_SEGMENT)) {
        send_segment(src_pad);
    }
    if (state.kind == Kind::content) {
        // Perhaps nobody shares for a long time: the gap lets a sink preroll without a picture.
        gst_pad_push_event(src_pad, gst_event_new_gap(0, GST_CLOCK_TIME_NONE));
    }
    state.finished = false;
    state.discont = true;
    const bool direct = state.kind == Kind::audio && peer_promises(src_pad, kNonBlocking);
    const std::lock_guard held(state.lock);
    if (state.kind == Kind::audio) {
        state.audio = audio_format_from(caps.get());
        state.direct = direct;
        note_rtp(state, caps.get());
    } else {
        state.video = video_format_from(caps.get());
        state.width_asked = width;
        state.height_asked = height;
    }
}

bool peer_promises(GstPad* pad, const char* what) {
    const GPtr<GstQuery> query =
        GPtr<GstQuery>::adopt(gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty(what)));
    return gst_pad_peer_query(pad, query.get()) != FALSE;
}

}  // namespace vmr::mixer
