#include "video_intake.hpp"

#include "gop_cache.hpp"

namespace vmr::mixer {
namespace {

constexpr gint64 kAskEvery = 500000;      // µs, while no keyframe comes
constexpr std::size_t kMostWaiting = 30;  // that wait for the decoder

}  // namespace

VideoIntake::VideoIntake(std::shared_ptr<WorkPool> workers, std::shared_ptr<VideoWork> work, GstCaps* caps,
                         bool on_stage, OnPictureDecoded on_picture_decoded)
    : workers_(std::move(workers)),
      work_(std::move(work)),
      caps_(CapsPtr::ref(caps)),
      on_picture_decoded_(std::move(on_picture_decoded)),
      on_stage_(on_stage),
      worker_(*workers_, [this] { return decode_next(); }) {}

bool VideoIntake::time_to_ask() {
    const gint64 now = g_get_monotonic_time();
    if (now - asked_ < kAskEvery) {
        return false;
    }
    asked_ = now;
    return true;
}

bool VideoIntake::receive(BufferPtr frame) {
    {
        const std::lock_guard held(lock_);
        if (!on_stage_) {
            ++work_->undecoded;
            return false;
        }
        if (is_keyframe(frame)) {
            waits_ = false;
        } else if (!waits_ && frames_.size() >= kMostWaiting) {
            frames_.clear();  // the decoder is far behind: begin anew
            waits_ = true;
        }
        if (waits_) {
            ++work_->undecoded;
            return time_to_ask();
        }
        frames_.push_back(std::move(frame));
    }
    worker_.wake();
    return false;
}

void VideoIntake::set_on_stage(bool on_stage) {
    {
        const std::lock_guard held(lock_);
        if (on_stage == on_stage_) {
            return;
        }
        on_stage_ = on_stage;
        waits_ = true;
        frames_.clear();
        asked_ = g_get_monotonic_time();
    }
    worker_.wake();  // lets go of the decoder
}

void VideoIntake::forget() {
    const std::lock_guard held(lock_);
    frames_.clear();
    waits_ = true;
}

// A turn of the worker.
bool VideoIntake::decode_next() {
    BufferPtr frame;
    bool on_stage = false;
    {
        const std::lock_guard held(lock_);
        on_stage = on_stage_;
        if (!frames_.empty()) {
            frame = std::move(frames_.front());
            frames_.pop_front();
        }
    }
    if (!on_stage) {
        decoder_.reset();
    }
    if (!on_stage || !frame) {
        return false;
    }
    BufferPtr picture;
    const bool decoded = decode(std::move(frame), picture);
    const std::lock_guard held(lock_);
    if (!decoded) {
        waits_ = true;
        frames_.clear();
    } else if (picture && on_stage_) {
        on_picture_decoded_(std::move(picture), decoder_->format());
    }
    return !frames_.empty();
}

bool VideoIntake::decode(BufferPtr frame, BufferPtr& picture) {
    if (!decoder_) {
        auto created = VideoDecoder::create(caps_.get());
        if (!created) {
            GST_WARNING("%s", created.error().c_str());
            return false;
        }
        decoder_ = std::move(*created);
    }
    ++work_->decodes;
    if (!decoder_->decode(std::move(frame), picture)) {
        decoder_.reset();  // a new one begins with the next keyframe
        return false;
    }
    return true;
}

}  // namespace vmr::mixer
