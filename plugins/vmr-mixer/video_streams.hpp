// The distinct video streams of a room: for each one encoder, one pace and one audience.
#pragma once
#include <gst/gst.h>

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "gop_cache.hpp"
#include "push_pool.hpp"
#include "video_encoder.hpp"
#include "video_format.hpp"
#include "video_work.hpp"
#include "work_pool.hpp"

namespace vmr::mixer {

// What a stream needs of its room.
struct StreamRoom {
    GstElement* element;  // for messages
    WorkPool& workers;
    PushPool& pushes;
    VideoWork& work;
};

// Fed by the room's video thread; encodes on the work pool. An encoder that is still busy when the
// next picture comes skips pictures of its own and delays nobody.
class VideoStream {
public:
    VideoStream(const StreamRoom& room, const VideoFormat& format);
    VideoStream(const VideoStream&) = delete;
    VideoStream& operator=(const VideoStream&) = delete;

    // Lets go of all viewers but these, which are sorted; none of this stream's frames comes to the
    // others any more.
    void retain(std::span<GstPad* const> viewers);
    // Who is new begins with a recent keyframe, else with one made for them.
    void admit(std::span<GstPad* const> viewers);
    // Requests within 500 ms of the last keyframe wait, so that many viewers cost one.
    void request_keyframe();
    // Nothing of what follows fits what this viewer has, until a keyframe comes.
    void lose(GstPad* viewer);

    // Whether a picture is due: a stream may be slower than the room.
    bool due(GstClockTime now, int room_framerate);
    // `version` is the view's: a still picture is encoded often enough to become sharp, then seldom.
    void offer(const BufferPtr& picture, std::uint64_t version, int bitrate, int still_framerate);

    GstClockTime last_used() const { return last_used_; }
    bool idle() const { return worker_.idle(); }

private:
    struct Member {
        PadPtr pad;
        bool waits = true;  // for a keyframe
    };
    struct Task {
        BufferPtr picture;
        int bitrate = 0;
        bool keyframe = false;
    };
    bool encode_next();
    BufferPtr encode(const Task& task);
    // These three under the lock:
    void deliver(const BufferPtr& frame, bool key);
    void replay_to(Member& member);
    bool keyframe_needed() const;
    bool worth_encoding(GstClockTime now, std::uint64_t version, int still_framerate);
    static BufferPtr later_than(GstPad* viewer, const BufferPtr& frame);

    const StreamRoom room_;
    const VideoFormat format_;

    // Of the video thread:
    GstClockTime next_due_ = 0;
    GstClockTime last_used_ = 0;
    GstClockTime last_offer_ = 0;
    GstClockTime changed_at_ = 0;
    std::uint64_t version_ = 0;

    // Of the worker:
    std::unique_ptr<VideoEncoder> encoder_;
    bool failed_ = false;

    std::mutex lock_;  // guards all below; outside the push pool's lock
    Task next_;        // no picture: nothing to do
    std::map<GstPad*, Member> audience_;
    bool keyframe_wanted_ = false;
    GstClockTime last_keyframe_ = GST_CLOCK_TIME_NONE;
    GstClockTime last_frame_ = 0;
    GopCache gop_;

    PoolWorker worker_;  // the last: it ends before what it uses
};

}  // namespace vmr::mixer
