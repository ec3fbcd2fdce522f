#include "video_encoder.hpp"

#include <gst/video/video.h>

namespace vmr::mixer {
namespace {

constexpr const char* kH264 =
    "video/x-h264, stream-format=byte-stream, alignment=au, profile=constrained-baseline";

void set(GstElement* element, const char* property, const char* value) {
    gst_util_set_object_arg(G_OBJECT(element), property, value);
}

}  // namespace

Result<std::unique_ptr<VideoEncoder>> VideoEncoder::create(const VideoFormat& format, int bitrate) {
    std::unique_ptr<VideoEncoder> encoder(new VideoEncoder);
    const char* factory = format.codec == VideoCodec::h264 ? "x264enc" : "vp8enc";
    encoder->encoder_ = ElementPtr::adopt(gst_element_factory_make(factory, nullptr));
    if (!encoder->encoder_) {
        return Error{std::string("GStreamer has no element ") + factory};
    }
    encoder->codec_ = format.codec;
    encoder->configure(format);
    encoder->set_bitrate(bitrate);
    if (!encoder->open(format)) {
        return Error{std::string(factory) + " does not start"};
    }
    return encoder;
}

// Live settings, measured: docs/elements/vmr-mixer.md. One thread each: many encoders share the cores.
void VideoEncoder::configure(const VideoFormat& format) {
    GstElement* element = encoder_.get();
    if (format.codec == VideoCodec::h264) {
        set(element, "tune", "zerolatency");
        set(element, "speed-preset", "superfast");
        set(element, "bframes", "0");
        set(element, "key-int-max", "2000");
        set(element, "threads", "1");
        set(element, "byte-stream", "true");
        return;
    }
    set(element, "deadline", "1");
    set(element, "cpu-used", "8");
    set(element, "lag-in-frames", "0");
    set(element, "end-usage", "cbr");
    set(element, "keyframe-max-dist", "2000");
    set(element, "threads", "1");
}

void VideoEncoder::set_bitrate(int bitrate) {
    if (bitrate == bitrate_) {
        return;
    }
    bitrate_ = bitrate;
    if (codec_ == VideoCodec::h264) {
        g_object_set(encoder_.get(), "bitrate", static_cast<guint>(bitrate / 1000), nullptr);
    } else {
        g_object_set(encoder_.get(), "target-bitrate", bitrate, nullptr);
    }
}

bool VideoEncoder::open(const VideoFormat& format) {
    const CapsPtr out_caps =
        CapsPtr::adopt(gst_caps_from_string(format.codec == VideoCodec::h264 ? kH264 : "video/x-vp8"));
    GstPadTemplate* templ = gst_pad_template_new("out", GST_PAD_SINK, GST_PAD_ALWAYS, out_caps.get());
    in_ = PadPtr::adopt(gst_pad_new("in", GST_PAD_SRC));
    out_ = PadPtr::adopt(gst_pad_new_from_template(templ, "out"));
    gst_object_unref(templ);
    gst_pad_set_element_private(out_.get(), this);
    gst_pad_set_chain_function(out_.get(), on_frame_encoded);
    const PadPtr sink = PadPtr::adopt(gst_element_get_static_pad(encoder_.get(), "sink"));
    const PadPtr src = PadPtr::adopt(gst_element_get_static_pad(encoder_.get(), "src"));
    if (gst_pad_link_full(in_.get(), sink.get(), GST_PAD_LINK_CHECK_NOTHING) != GST_PAD_LINK_OK ||
        gst_pad_link_full(src.get(), out_.get(), GST_PAD_LINK_CHECK_NOTHING) != GST_PAD_LINK_OK) {
        return false;
    }
    gst_pad_set_active(out_.get(), TRUE);
    gst_pad_set_active(in_.get(), TRUE);
    if (gst_element_set_state(encoder_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        return false;
    }
    const CapsPtr caps = CapsPtr::adopt(gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, format.width, "height",
        G_TYPE_INT, format.height, "framerate", GST_TYPE_FRACTION, format.framerate, 1, "interlace-mode",
        G_TYPE_STRING, "progressive", "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(in_.get(), gst_event_new_stream_start("vmr-mixer/view"));
    gst_pad_push_event(in_.get(), gst_event_new_caps(caps.get()));
    gst_pad_push_event(in_.get(), gst_event_new_segment(&segment));
    return true;
}

VideoEncoder::~VideoEncoder() {
    if (in_) {
        gst_pad_set_active(in_.get(), FALSE);
        gst_pad_set_active(out_.get(), FALSE);
    }
    if (encoder_) {
        gst_element_set_state(encoder_.get(), GST_STATE_NULL);
    }
}

GstFlowReturn VideoEncoder::on_frame_encoded(GstPad* pad, GstObject*, GstBuffer* buffer) {
    static_cast<VideoEncoder*>(gst_pad_get_element_private(pad))
        ->encoded_.push_back(BufferPtr::adopt(buffer));
    return GST_FLOW_OK;
}

BufferPtr VideoEncoder::encode(const BufferPtr& picture, bool keyframe) {
    encoded_.clear();
    if (keyframe) {
        gst_pad_push_event(in_.get(), gst_video_event_new_downstream_force_key_unit(
                                          GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, TRUE,
                                          keyframes_++));
    }
    const GstClockTime pts = GST_BUFFER_PTS(picture.get());
    const GstClockTime duration = GST_BUFFER_DURATION(picture.get());
    if (gst_pad_push(in_.get(), BufferPtr(picture).release()) != GST_FLOW_OK || encoded_.empty()) {
        return nullptr;
    }
    // x264enc shifts its times by a large constant; there is no reordering, so ours hold.
    GstBuffer* frame = gst_buffer_make_writable(encoded_.back().release());
    encoded_.clear();
    GST_BUFFER_PTS(frame) = pts;
    GST_BUFFER_DTS(frame) = pts;
    GST_BUFFER_DURATION(frame) = duration;
    return BufferPtr::adopt(frame);
}

}  // namespace vmr::mixer
