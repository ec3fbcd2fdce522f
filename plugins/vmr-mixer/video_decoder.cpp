#include "video_decoder.hpp"

namespace vmr::mixer {
namespace {

// What strangers send is decoded up to this size.
constexpr const char* kDecoded =
    "video/x-raw, format=(string)I420, width=(int)[16,4096], height=(int)[16,4096]";

}  // namespace

Result<std::unique_ptr<VideoDecoder>> VideoDecoder::create(GstCaps* caps) {
    const bool h264 = gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-h264") != FALSE;
    const char* factory = h264 ? "avdec_h264" : "vp8dec";
    ElementPtr element = ElementPtr::adopt(gst_element_factory_make(factory, nullptr));
    if (!element) {
        return Error{std::string("GStreamer has no element ") + factory};
    }
    // One thread each: many decoders share the cores, and frame threads would add latency.
    gst_util_set_object_arg(G_OBJECT(element.get()), h264 ? "max-threads" : "threads", "1");
    std::unique_ptr<VideoDecoder> decoder(new VideoDecoder(std::move(element)));
    const CapsPtr decoded = CapsPtr::adopt(gst_caps_from_string(kDecoded));
    if (!decoder->element_.open(caps, decoded.get())) {
        return Error{std::string(factory) + " does not start"};
    }
    return decoder;
}

bool VideoDecoder::decode(BufferPtr frame, BufferPtr& picture) {
    if (!element_.push(std::move(frame))) {
        return false;
    }
    std::vector<BufferPtr> pictures = element_.take();
    if (!pictures.empty() && element_.out_format()) {
        picture = std::move(pictures.back());
    }
    return true;
}

}  // namespace vmr::mixer
