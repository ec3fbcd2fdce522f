// Encoded frames of one sender: decoded while they are on stage, and only then.
#pragma once
#include <gst/gst.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "base/gst_ptr.hpp"
#include "video_decoder.hpp"
#include "video_work.hpp"
#include "work_pool.hpp"

namespace vmr::mixer {

class VideoIntake {
public:
    // Called on a thread of the work pool.
    using OnPictureDecoded = std::function<void(BufferPtr picture, const GstVideoInfo& format)>;

    VideoIntake(std::shared_ptr<WorkPool> workers, std::shared_ptr<VideoWork> work, GstCaps* caps,
                bool on_stage, OnPictureDecoded on_picture_decoded);
    VideoIntake(const VideoIntake&) = delete;
    VideoIntake& operator=(const VideoIntake&) = delete;

    // Queues the frame, or lets it go. True: nothing can be shown before the next keyframe, and it
    // is time to ask the sender for one.
    bool receive(BufferPtr frame);
    // Who asks for a picture to come on stage asks for a keyframe too.
    void set_on_stage(bool on_stage);
    void forget();  // what is queued, until the next keyframe

private:
    bool decode_next();
    bool decode(BufferPtr frame, BufferPtr& picture);
    bool time_to_ask();

    const std::shared_ptr<WorkPool> workers_;
    const std::shared_ptr<VideoWork> work_;
    const CapsPtr caps_;
    const OnPictureDecoded on_picture_decoded_;

    std::unique_ptr<VideoDecoder> decoder_;  // of the worker

    std::mutex lock_;  // leaf; guards all below
    std::deque<BufferPtr> frames_;
    bool on_stage_;
    bool waits_ = true;  // for a keyframe
    gint64 asked_ = 0;   // monotonic µs

    PoolWorker worker_;  // the last: it ends before what it uses
};

}  // namespace vmr::mixer
