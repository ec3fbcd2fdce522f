// Door: the worker's side.
#include <algorithm>

#include "base/guard.hpp"
#include "plugins/duplex/door.hpp"

namespace vmr::duplex {

namespace {

constexpr GstClockTime kAudioBuffer = 20 * GST_MSECOND;
constexpr GstClockTime kAudioPatience = 60 * GST_MSECOND;
constexpr GstClockTime kVideoPatience = 200 * GST_MSECOND;
constexpr GstClockTime kIdle = 100 * GST_MSECOND;
constexpr GstClockTime kCatchUp = 200 * GST_MSECOND;  // further behind than this, the past is skipped
constexpr std::size_t kAudioBytes = kSampleRate / 50 * sizeof(std::int16_t);

GstClockTime to_stream_time(GstPad* src, GstClockTime running_time) {
    const EventPtr event = EventPtr::adopt(gst_pad_get_sticky_event(src, GST_EVENT_SEGMENT, 0));
    const GstSegment* segment = nullptr;
    if (!event) {
        return running_time;
    }
    gst_event_parse_segment(event.get(), &segment);
    return gst_segment_position_from_running_time(segment, GST_FORMAT_TIME, running_time);
}

bool has_sticky(GstPad* pad, GstEventType type) {
    return static_cast<bool>(EventPtr::adopt(gst_pad_get_sticky_event(pad, type, 0)));
}

// The peer's favourite of what we can draw, else 640×360 at 15 frames a second.
CapsPtr choose_caps(GstPad* src) {
    CapsPtr caps = CapsPtr::adopt(gst_pad_get_allowed_caps(src));
    if (!caps || gst_caps_is_empty(caps.get())) {
        return {};
    }
    caps = CapsPtr::adopt(gst_caps_truncate(gst_caps_make_writable(caps.release())));
    GstStructure* structure = gst_caps_get_structure(caps.get(), 0);
    if (gst_structure_has_name(structure, "video/x-raw")) {
        gst_structure_fixate_field_nearest_int(structure, "width", 640);
        gst_structure_fixate_field_nearest_int(structure, "height", 360);
        gst_structure_fixate_field_nearest_fraction(structure, "framerate", 15, 1);
    }
    return CapsPtr::adopt(gst_caps_fixate(caps.release()));
}

}  // namespace

// Only the worker stops itself for want of work, and only here: whoever gives it some does so before this
// lock.
void Door::update_task() {
    const std::lock_guard lock(task_mutex_);
    if (playing_ && (!open_ || content_.has_jobs())) {
        gst_task_start(task_);
    }
}

void Door::wake() {
    update_task();
    const std::lock_guard lock(wait_mutex_);
    woken_ = true;
    if (waiting_ != nullptr) {
        gst_clock_id_unschedule(waiting_);
    }
}

void Door::wait_until(GstClockTime running_time) {
    GPtr<GstClock> clock = GPtr<GstClock>::adopt(gst_element_get_clock(element_));
    if (!clock) {
        return;  // between states: the task is about to be paused
    }
    GstClockID id = nullptr;
    {
        const std::lock_guard lock(wait_mutex_);
        if (std::exchange(woken_, false)) {
            return;
        }
        id = gst_clock_new_single_shot_id(clock.get(), gst_element_get_base_time(element_) + running_time);
        waiting_ = id;
    }
    gst_clock_id_wait(id, nullptr);
    {
        const std::lock_guard lock(wait_mutex_);
        waiting_ = nullptr;
        woken_ = false;
    }
    gst_clock_id_unref(id);
}

void Door::work() {
    guard(element_, [&] {
        {
            const std::lock_guard lock(task_mutex_);
            if (!playing_ || (open_ && !content_.has_jobs())) {
                if (playing_) {
                    gst_task_stop(task_);
                }
                return;
            }
        }
        const GstClockTime time = now();
        if (restart_worker_.exchange(false)) {
            worker_since_ = time;
            for (Lane& lane : lanes_) {
                lane.next_made = std::max(lane.next_made, time);
            }
        }
        GstClockTime next = time + kIdle;
        if (const auto deadline = content_.tick(time)) {
            next = std::min(next, std::max(*deadline, time + GST_MSECOND));
        }
        for (Lane& lane : lanes_) {
            if (lane.way == Way::to_caller && !open_) {
                next = std::min(next,
                                lane.media == Media::audio ? make_audio(lane, time) : make_video(lane, time));
            }
        }
        if (!open_) {
            refresh_picture();
        }
        wait_until(next);
    });
}

bool Door::is_fed(const Lane& lane, GstClockTime now, GstClockTime patience) const {
    return gst_pad_is_linked(lane.sink) && now < std::max(lane.last_arrival.load(), worker_since_) + patience;
}

// Stream-start, caps and segment, where upstream has not sent its own. Under the sink's stream lock.
bool Door::negotiate(Lane& lane) {
    if (!has_sticky(lane.src, GST_EVENT_STREAM_START)) {
        // gst_pad_create_stream_id refuses elements with several sink pads.
        const GCharPtr id(
            g_strdup_printf("%s/%08x/%s", GST_OBJECT_NAME(element_), g_random_int(), GST_PAD_NAME(lane.src)));
        gst_pad_push_event(lane.src, gst_event_new_stream_start(id.get()));
    }
    if (!has_sticky(lane.src, GST_EVENT_CAPS)) {
        const CapsPtr caps = choose_caps(lane.src);
        if (!caps || !gst_pad_push_event(lane.src, gst_event_new_caps(caps.get()))) {
            return false;
        }
    }
    if (!has_sticky(lane.src, GST_EVENT_SEGMENT)) {
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        gst_pad_push_event(lane.src, gst_event_new_segment(&segment));
    }
    if (lane.media == Media::video) {
        const CapsPtr caps = CapsPtr::adopt(gst_pad_get_current_caps(lane.src));
        if (caps) {
            set_picture_caps(caps.get());
        }
    }
    return true;
}

// Both return the running time at which to come again.
GstClockTime Door::make_audio(Lane& lane, GstClockTime now) {
    if (lane.ended || !gst_pad_is_linked(lane.src) || is_fed(lane, now, kAudioPatience)) {
        lane.next_made = now;
        return now + (lane.ended ? kIdle : kAudioPatience);
    }
    GST_PAD_STREAM_LOCK(lane.sink);
    if (!lane.ended && negotiate(lane)) {
        lane.fade.snap(false);
        if (now > lane.next_made + kCatchUp) {
            lane.next_made = now;
        }
        for (; lane.next_made <= now && !open_; lane.next_made += kAudioBuffer) {
            BufferPtr buffer = BufferPtr::adopt(gst_buffer_new_allocate(nullptr, kAudioBytes, nullptr));
            GstMapInfo map;
            if (gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE)) {
                content_.fill_closed({reinterpret_cast<std::int16_t*>(map.data), map.size / 2});
                gst_buffer_unmap(buffer.get(), &map);
            }
            GST_BUFFER_PTS(buffer.get()) = to_stream_time(lane.src, lane.next_made);
            GST_BUFFER_DURATION(buffer.get()) = kAudioBuffer;
            push(lane, std::move(buffer));
        }
    } else {
        lane.next_made = now + kAudioBuffer;
    }
    GST_PAD_STREAM_UNLOCK(lane.sink);
    return lane.next_made;
}

GstClockTime Door::make_video(Lane& lane, GstClockTime now) {
    if (lane.ended || !gst_pad_is_linked(lane.src) || is_fed(lane, now, kVideoPatience)) {
        lane.next_made = now;
        return now + kIdle;
    }
    if (now < lane.next_made) {
        return lane.next_made;
    }
    GstClockTime duration = GST_SECOND / 15;
    GST_PAD_STREAM_LOCK(lane.sink);
    const bool negotiated = !lane.ended && negotiate(lane);
    GST_PAD_STREAM_UNLOCK(lane.sink);
    if (negotiated) {
        refresh_picture();
        GST_PAD_STREAM_LOCK(lane.sink);
        {
            const std::lock_guard lock(picture_mutex_);
            if (GST_VIDEO_INFO_FPS_N(&picture_info_) > 0) {
                duration = gst_util_uint64_scale_int(GST_SECOND, GST_VIDEO_INFO_FPS_D(&picture_info_),
                                                     GST_VIDEO_INFO_FPS_N(&picture_info_));
            }
        }
        const BufferPtr like = BufferPtr::adopt(gst_buffer_new());
        GST_BUFFER_PTS(like.get()) = to_stream_time(lane.src, now);
        GST_BUFFER_DURATION(like.get()) = duration;
        if (BufferPtr made = stand_in(like.get()); made && !open_) {
            push(lane, std::move(made));
        }
        GST_PAD_STREAM_UNLOCK(lane.sink);
    }
    lane.next_made = std::max(lane.next_made + duration, now > kCatchUp ? now - kCatchUp : 0);
    return lane.next_made;
}

void Door::refresh_picture() {
    const Card wanted = content_.card();
    GstVideoInfo info;
    {
        const std::lock_guard lock(picture_mutex_);
        if (!has_picture_info_ || (picture_ && drawn_ == wanted)) {
            return;
        }
        info = picture_info_;
    }
    BufferPtr drawn = draw_card(wanted, info);
    const std::lock_guard lock(picture_mutex_);
    if (drawn && has_picture_info_ && gst_video_info_is_equal(&info, &picture_info_)) {
        picture_ = std::move(drawn);
        drawn_ = wanted;
    }
}

// The caller has gone, and nothing feeds the other direction: it ends too, or a pipeline without a room never
// would.
void Door::end_unfed_returns() {
    const bool all_ended = std::all_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) {
        return lane.way == Way::to_caller || lane.ended || !gst_pad_is_linked(lane.sink);
    });
    if (!all_ended) {
        return;
    }
    for (Lane& lane : lanes_) {
        if (lane.way == Way::to_room || gst_pad_is_linked(lane.sink) || !gst_pad_is_linked(lane.src)) {
            continue;
        }
        GST_PAD_STREAM_LOCK(lane.sink);
        if (!lane.ended.exchange(true)) {
            negotiate(lane);
            gst_pad_push_event(lane.src, gst_event_new_eos());
        }
        GST_PAD_STREAM_UNLOCK(lane.sink);
    }
}

}  // namespace vmr::duplex
