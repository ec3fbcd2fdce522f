#include "daemon/media/picture_caps.hpp"

#include <algorithm>

#include "daemon/media/pipelines.hpp"

namespace vmr::media {

CapsPtr picture_caps(const SendParams& params, bool shared) {
    CapsPtr caps = CapsPtr::adopt(gst_caps_new_empty_simple(("video/x-" + params.codec).c_str()));
    if (params.size) {
        gst_caps_set_simple(caps.get(), "width", GST_TYPE_INT_RANGE, 16, params.size->width, "height",
                            GST_TYPE_INT_RANGE, 16, params.size->height, "framerate", GST_TYPE_FRACTION_RANGE,
                            0, 1, params.size->framerate, 1, nullptr);
    }
    if (params.high_profile) {
        gst_caps_set_simple(caps.get(), "profile", G_TYPE_STRING, "high", nullptr);
    }
    if (params.single_nal && shared) {
        gst_caps_set_simple(caps.get(), "max-nal-size", G_TYPE_INT, kMaxNalUnit, nullptr);
    }
    return caps;
}

// x264enc counts kbit/s, vp8enc bit/s.
void set_encoder_bitrate(GstElement* encode, const std::string& codec, uint32_t bitrate) {
    const ElementPtr encoder = named(encode, "encoder");
    if (codec == "h264") {
        g_object_set(encoder.get(), "bitrate", bitrate / 1000, nullptr);
    } else if (codec == "vp8") {
        g_object_set(encoder.get(), "target-bitrate", static_cast<int>(bitrate), nullptr);
    }
}

void limit_encoder(GstElement* encode, const SendParams& params) {
    if (params.codec != "opus" || params.bitrate == 0) {
        return;
    }
    const ElementPtr encoder = named(encode, "encoder");
    int usual = 0;
    g_object_get(encoder.get(), "bitrate", &usual, nullptr);
    g_object_set(encoder.get(), "bitrate", std::min(usual, static_cast<int>(params.bitrate)), nullptr);
}

void configure_encoder(GstElement* encode, const SendParams& params) {
    if (params.bitrate != 0) {
        set_encoder_bitrate(encode, params.codec, params.bitrate);
    }
    if (params.high_profile) {
        g_object_set(named(encode, "profile").get(), "caps", picture_caps(params, false).get(), nullptr);
    }
    if (params.single_nal) {
        const std::string option = "slice-max-size=" + std::to_string(kMaxNalUnit);
        g_object_set(named(encode, "encoder").get(), "option-string", option.c_str(), nullptr);
    }
}

}  // namespace vmr::media
