#include "video_streams.hpp"

#include <algorithm>

#include "pads.hpp"

namespace vmr::mixer {
namespace {

constexpr GstClockTime kKeyframeInterval = 500 * GST_MSECOND;
constexpr GstClockTime kSharpening = GST_SECOND;  // a still picture gets all frames for so long

}  // namespace

VideoStream::VideoStream(const StreamRoom& room, const VideoFormat& format)
    : room_(room), format_(format), worker_(room.workers, [this] { return encode_next(); }) {}

void VideoStream::retain(std::span<GstPad* const> viewers) {
    const std::lock_guard held(lock_);
    std::erase_if(audience_, [viewers](const auto& known) {
        return !std::binary_search(viewers.begin(), viewers.end(), known.first);
    });
}

void VideoStream::admit(std::span<GstPad* const> viewers) {
    const std::lock_guard held(lock_);
    for (GstPad* viewer : viewers) {
        const auto [entry, fresh] = audience_.try_emplace(viewer, Member{PadPtr::ref(viewer)});
        if (fresh && format_.codec != VideoCodec::raw) {
            replay_to(entry->second);
        }
    }
}

void VideoStream::replay_to(Member& member) {
    // The next frame is a frame's time after the last one: what is replayed fits before it.
    const GstClockTime gap = GST_SECOND / static_cast<unsigned>(format_.framerate);
    std::vector<PushPool::Job> jobs;
    GstClockTime& seen = output(member.pad.get()).last_pts;
    for (BufferPtr& frame : gop_.replay(seen, last_frame_ + gap / 2)) {
        seen = GST_BUFFER_PTS(frame.get());
        jobs.push_back({member.pad, std::move(frame), true});
    }
    if (jobs.empty()) {
        return;  // waits for a keyframe
    }
    member.waits = false;
    ++room_.work.replays;
    room_.pushes.submit(jobs);
}

void VideoStream::request_keyframe() {
    const std::lock_guard held(lock_);
    keyframe_wanted_ = true;
}

void VideoStream::lose(GstPad* viewer) {
    const std::lock_guard held(lock_);
    const auto found = audience_.find(viewer);
    if (found != audience_.end() && format_.codec != VideoCodec::raw) {
        found->second.waits = true;
    }
}

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

bool VideoStream::keyframe_needed() const {
    return keyframe_wanted_ || std::any_of(audience_.begin(), audience_.end(),
                                           [](const auto& entry) { return entry.second.waits; });
}

bool VideoStream::worth_encoding(GstClockTime now, std::uint64_t version, int still_framerate) {
    if (version != version_) {
        version_ = version;
        changed_at_ = now;
    }
    const GstClockTime pause = GST_SECOND / static_cast<unsigned>(still_framerate);
    return now < changed_at_ + kSharpening || now >= last_offer_ + pause;
}

void VideoStream::offer(const BufferPtr& picture, std::uint64_t version, int bitrate, int still_framerate) {
    if (format_.codec == VideoCodec::raw) {
        const std::lock_guard held(lock_);
        deliver(picture, true);  // a reference costs nothing
        return;
    }
    const GstClockTime now = GST_BUFFER_PTS(picture.get());
    const bool worth = worth_encoding(now, version, still_framerate);
    {
        const std::lock_guard held(lock_);
        const bool key_due = keyframe_needed() && (!GST_CLOCK_TIME_IS_VALID(last_keyframe_) ||
                                                   now >= last_keyframe_ + kKeyframeInterval);
        if (!worth && !key_due) {
            return;
        }
        const bool skips = static_cast<bool>(next_.picture);
        room_.work.skipped += skips ? 1 : 0;
        next_ = {picture, bitrate, key_due || (skips && next_.keyframe)};
        if (key_due) {
            keyframe_wanted_ = false;
            last_keyframe_ = now;
        }
    }
    last_offer_ = now;
    worker_.wake();
}

// A turn of the worker.
bool VideoStream::encode_next() {
    Task task;
    {
        const std::lock_guard held(lock_);
        task = std::exchange(next_, {});
    }
    if (!task.picture || failed_) {
        return false;
    }
    const BufferPtr frame = encode(task);
    const std::lock_guard held(lock_);
    if (frame) {
        ++room_.work.encodes;
        const bool key = is_keyframe(frame);
        if (key) {
            ++room_.work.keyframes;
            last_keyframe_ = GST_BUFFER_PTS(frame.get());
        }
        last_frame_ = GST_BUFFER_PTS(frame.get());
        gop_.add(frame);
        deliver(frame, key);
    } else {
        gop_.clear();
    }
    return static_cast<bool>(next_.picture);
}

BufferPtr VideoStream::encode(const Task& task) {
    if (!encoder_) {
        auto created = VideoEncoder::create(format_, task.bitrate);
        if (!created) {
            failed_ = true;
            GST_ELEMENT_WARNING(room_.element, STREAM, ENCODE, ("%s", created.error().c_str()), (nullptr));
            return nullptr;
        }
        encoder_ = std::move(*created);
    }
    encoder_->set_bitrate(task.bitrate);
    BufferPtr frame = encoder_->encode(task.picture, task.keyframe);
    if (!frame) {
        encoder_.reset();  // a new one starts with the next picture
    }
    return frame;
}

void VideoStream::deliver(const BufferPtr& frame, bool key) {
    std::vector<PushPool::Job> jobs;
    for (auto& [viewer, member] : audience_) {
        if (member.waits && !key) {
            continue;
        }
        member.waits = false;
        jobs.push_back({member.pad, later_than(viewer, frame), false});
    }
    if (!jobs.empty()) {
        room_.pushes.submit(jobs);
    }
}

// Who came from a stream that is ahead: time does not go back.
BufferPtr VideoStream::later_than(GstPad* viewer, const BufferPtr& frame) {
    GstClockTime& seen = output(viewer).last_pts;
    if (GST_BUFFER_PTS(frame.get()) > seen || seen == 0) {
        seen = GST_BUFFER_PTS(frame.get());
        return frame;
    }
    seen += GST_MSECOND;
    BufferPtr later = BufferPtr::adopt(gst_buffer_copy(frame.get()));
    GST_BUFFER_PTS(later.get()) = seen;
    GST_BUFFER_DTS(later.get()) = seen;
    return later;
}

}  // namespace vmr::mixer
