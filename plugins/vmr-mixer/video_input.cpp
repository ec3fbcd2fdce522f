#include "video_input.hpp"

namespace vmr::mixer {

GstFlowReturn receive_picture(GstPad* pad, BufferPtr buffer) {
    VideoInput& input = video_input(pad);
    Picture old;  // freed after the lock
    const std::lock_guard held(input.lock);
    if (!input.info) {
        return GST_FLOW_NOT_NEGOTIATED;
    }
    input.show(old, std::move(buffer), *input.info);
    return GST_FLOW_OK;
}

bool receive_video_caps(GstPad* pad, GstCaps* caps) {
    GstVideoInfo info;
    if (gst_video_info_from_caps(&info, caps) == FALSE) {
        return false;
    }
    VideoInput& input = video_input(pad);
    const std::lock_guard held(input.lock);
    input.info = info;
    return true;
}

void forget_picture(GstPad* pad) {
    VideoInput& input = video_input(pad);
    Picture old;  // freed after the lock
    const std::lock_guard held(input.lock);
    old = std::exchange(input.picture, {});
}

}  // namespace vmr::mixer
