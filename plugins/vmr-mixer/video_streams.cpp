#include "video_streams.hpp"

namespace vmr::mixer {
namespace {

constexpr GstClockTime kKeyframeInterval = 500 * GST_MSECOND;

}  // namespace

bool VideoStream::due(GstClockTime now, int room_framerate) {
    last_used_ = now;
    if (format_.framerate >= room_framerate) {
        return true;
    }
    const GstClockTime period = GST_SECOND / static_cast<unsigned>(format_.framerate);
    if (now < next_due_) {
        return false;
    }
    // Keep the pace, unless the stream rested.
    next_due_ = now > next_due_ + period ? now + period : next_due_ + period;
    return true;
}

BufferPtr VideoStream::produce(const BufferPtr& picture, GstClockTime now, int bitrate,
                               std::string& problem) {
    if (format_.codec == VideoCodec::raw) {
        return picture;
    }
    if (failed_) {
        return nullptr;
    }
    if (!encoder_) {
        auto created = VideoEncoder::create(format_, bitrate);
        if (!created) {
            failed_ = true;
            problem = created.error();
            return nullptr;
        }
        encoder_ = std::move(*created);
        last_keyframe_ = now;  // an encoder's first frame is one
        keyframe_wanted_ = false;
    }
    encoder_->set_bitrate(bitrate);
    const bool keyframe = keyframe_wanted_ && now - last_keyframe_ >= kKeyframeInterval;
    if (keyframe) {
        keyframe_wanted_ = false;
        last_keyframe_ = now;
    }
    BufferPtr frame = encoder_->encode(picture, keyframe);
    if (!frame) {
        encoder_.reset();  // a new one starts with the next picture
    }
    return frame;
}

bool is_keyframe(const BufferPtr& frame) {
    return !GST_BUFFER_FLAG_IS_SET(frame.get(), GST_BUFFER_FLAG_DELTA_UNIT);
}

}  // namespace vmr::mixer
