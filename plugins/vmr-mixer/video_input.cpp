#include "video_input.hpp"

#include "video_intake.hpp"

namespace vmr::mixer {
namespace {

std::shared_ptr<VideoIntake> intake_of(VideoInput& input) {
    const std::lock_guard held(input.lock);
    return input.intake;
}

std::shared_ptr<VideoIntake> new_intake(VideoInput& input, GstCaps* caps, bool on_stage,
                                        const std::shared_ptr<VideoWork>& work) {
    // The input owns the intake, which waits for its decoder before it goes.
    return std::make_shared<VideoIntake>(WorkPool::shared(), work, caps, on_stage,
                                         [&input](BufferPtr picture, const GstVideoInfo& format) {
                                             Picture old;  // freed after the lock
                                             const std::lock_guard held(input.lock);
                                             input.show(old, std::move(picture), format);
                                         });
}

}  // namespace

GstFlowReturn receive_picture(GstPad* pad, BufferPtr buffer) {
    VideoInput& input = video_input(pad);
    if (const auto intake = intake_of(input)) {
        if (intake->receive(std::move(buffer))) {
            gst_pad_push_event(pad,
                               gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
        }
        return GST_FLOW_OK;
    }
    Picture old;  // freed after the lock
    const std::lock_guard held(input.lock);
    if (!input.info) {
        return GST_FLOW_NOT_NEGOTIATED;
    }
    input.show(old, std::move(buffer), *input.info);
    return GST_FLOW_OK;
}

bool receive_video_caps(GstPad* pad, GstCaps* caps, const std::shared_ptr<VideoWork>& work) {
    VideoInput& input = video_input(pad);
    std::shared_ptr<VideoIntake> intake;  // afterwards the old one, which is let go without the lock
    std::optional<GstVideoInfo> info;
    if (gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw") == FALSE) {
        intake = new_intake(input, caps, false, work);
    } else if (gst_video_info_from_caps(&info.emplace(), caps) == FALSE) {
        return false;
    }
    bool on_stage = false;
    {
        const std::lock_guard held(input.lock);
        input.info = info;
        std::swap(input.intake, intake);
        on_stage = input.wanted.on_stage;
    }
    enter_or_leave_stage(pad, on_stage);
    return true;
}

void enter_or_leave_stage(GstPad* pad, bool on_stage) {
    VideoInput& input = video_input(pad);
    const auto intake = intake_of(input);
    if (!intake) {
        return;
    }
    intake->set_on_stage(on_stage);
    if (!on_stage && input.kind == Kind::video) {
        forget_picture(pad);  // nobody is shown as they were long ago
    }
}

void forget_picture(GstPad* pad) {
    VideoInput& input = video_input(pad);
    if (const auto intake = intake_of(input)) {
        intake->forget();
    }
    Picture old;  // freed after the lock
    const std::lock_guard held(input.lock);
    old = std::exchange(input.picture, {});
}

}  // namespace vmr::mixer
