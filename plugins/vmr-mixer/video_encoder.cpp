#include "video_encoder.hpp"

#include <gst/video/video.h>

#include <algorithm>
#include <string>

namespace vmr::mixer {
namespace {

constexpr const char* kH264 = "video/x-h264, stream-format=byte-stream, alignment=au, profile=";
constexpr int kMinNalSize = 200;  // bytes; x264 needs room for a macroblock

std::string encoded_caps(const VideoFormat& format) {
    if (format.codec != VideoCodec::h264) {
        return "video/x-vp8";
    }
    return std::string(kH264) + (format.high_profile ? "high" : "constrained-baseline");
}

void set(GstElement* element, const char* property, const char* value) {
    gst_util_set_object_arg(G_OBJECT(element), property, value);
}

}  // namespace

Result<std::unique_ptr<VideoEncoder>> VideoEncoder::create(const VideoFormat& format, int bitrate) {
    const char* factory = format.codec == VideoCodec::h264 ? "x264enc" : "vp8enc";
    ElementPtr element = ElementPtr::adopt(gst_element_factory_make(factory, nullptr));
    if (!element) {
        return Error{std::string("GStreamer has no element ") + factory};
    }
    std::unique_ptr<VideoEncoder> encoder(new VideoEncoder(std::move(element), format.codec));
    encoder->configure(format);
    encoder->set_bitrate(bitrate);
    if (!encoder->open(format)) {
        return Error{std::string(factory) + " does not start"};
    }
    return encoder;
}

// Live settings, measured: docs/elements/vmr-mixer.md. One thread each: many encoders share the cores.
void VideoEncoder::configure(const VideoFormat& format) {
    GstElement* element = element_.get();
    if (format.codec == VideoCodec::h264) {
        set(element, "tune", "zerolatency");
        set(element, "speed-preset", "superfast");
        set(element, "bframes", "0");
        set(element, "key-int-max", "2000");
        set(element, "threads", "1");
        set(element, "byte-stream", "true");
        if (format.max_nal_size > 0) {
            const int size = std::max(format.max_nal_size, kMinNalSize);
            set(element, "option-string", ("slice-max-size=" + std::to_string(size)).c_str());
        }
        return;
    }
    set(element, "deadline", "1");
    set(element, "cpu-used", "-8");  // fixed: half the time of 8, which adapts, for 0.1 dB
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
        g_object_set(element_.get(), "bitrate", static_cast<guint>(bitrate / 1000), nullptr);
    } else {
        g_object_set(element_.get(), "target-bitrate", bitrate, nullptr);
    }
}

bool VideoEncoder::open(const VideoFormat& format) {
    const CapsPtr encoded = CapsPtr::adopt(gst_caps_from_string(encoded_caps(format).c_str()));
    const CapsPtr raw = CapsPtr::adopt(gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, format.width, "height",
        G_TYPE_INT, format.height, "framerate", GST_TYPE_FRACTION, format.framerate, 1, "interlace-mode",
        G_TYPE_STRING, "progressive", "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr));
    return element_.open(raw.get(), encoded.get());
}

BufferPtr VideoEncoder::encode(const BufferPtr& picture, bool keyframe) {
    if (keyframe) {
        element_.push_event(gst_video_event_new_downstream_force_key_unit(
            GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, TRUE, keyframes_++));
    }
    const GstClockTime pts = GST_BUFFER_PTS(picture.get());
    const GstClockTime duration = GST_BUFFER_DURATION(picture.get());
    if (!element_.push(picture)) {
        return nullptr;
    }
    std::vector<BufferPtr> frames = element_.take();
    if (frames.empty()) {
        return nullptr;
    }
    // x264enc shifts its times by a large constant; there is no reordering, so ours hold.
    GstBuffer* frame = gst_buffer_make_writable(frames.back().release());
    GST_BUFFER_PTS(frame) = pts;
    GST_BUFFER_DTS(frame) = pts;
    GST_BUFFER_DURATION(frame) = duration;
    return BufferPtr::adopt(frame);
}

}  // namespace vmr::mixer
