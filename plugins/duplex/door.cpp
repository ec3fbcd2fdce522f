// Door: pads, state and the streaming threads' side. The worker's side is in door_worker.cpp.
#include "plugins/duplex/door.hpp"

#include <gst/audio/audio.h>

#include <algorithm>
#include <cstring>

#include "base/guard.hpp"
#include "plugins/duplex/pads.hpp"

namespace vmr::duplex {

namespace {

constexpr GstClockTime kJoin = 5 * GST_MSECOND;  // two buffers closer than this are one sound
constexpr GstClockTime kFadeOutWithin = 200 * GST_MSECOND;

// Write access to a buffer's samples while in scope.
class WritableSamples {
public:
    explicit WritableSamples(GstBuffer* buffer) : buffer_(buffer) {
        mapped_ = gst_buffer_map(buffer, &map_, GST_MAP_READWRITE) != FALSE;
    }
    ~WritableSamples() {
        if (mapped_) {
            gst_buffer_unmap(buffer_, &map_);
        }
    }
    WritableSamples(const WritableSamples&) = delete;
    WritableSamples& operator=(const WritableSamples&) = delete;
    Samples get() const {
        return mapped_ ? Samples(reinterpret_cast<std::int16_t*>(map_.data), map_.size / 2) : Samples();
    }

private:
    GstBuffer* buffer_;
    GstMapInfo map_;
    bool mapped_ = false;
};

BufferPtr writable(BufferPtr buffer) {
    return BufferPtr::adopt(gst_buffer_make_writable(buffer.release()));
}

}  // namespace

Door::Door(GstElement* element, Content& content, const char* worker_name)
    : element_(element), content_(content) {
    gst_video_info_init(&picture_info_);
    g_rec_mutex_init(&task_lock_);
    task_ = gst_task_new([](gpointer data) { static_cast<Door*>(data)->work(); }, this, nullptr);
    gst_object_set_name(GST_OBJECT(task_), worker_name);
    gst_task_set_lock(task_, &task_lock_);
    add_lane(lanes_[0], Media::audio, Way::to_room, "audio_sink", "audio_src");
    add_lane(lanes_[1], Media::audio, Way::to_caller, "audio_return_sink", "audio_return_src");
    add_lane(lanes_[2], Media::video, Way::to_room, "video_sink", "video_src");
    add_lane(lanes_[3], Media::video, Way::to_caller, "video_return_sink", "video_return_src");
}

Door::~Door() {
    gst_task_stop(task_);
    wake();
    gst_task_join(task_);
    gst_object_unref(task_);
    g_rec_mutex_clear(&task_lock_);
}

void Door::add_lane(Lane& lane, Media media, Way way, const char* sink, const char* src) {
    lane.media = media;
    lane.way = way;
    lane.sink = make_pad(element_, sink);
    lane.src = make_pad(element_, src);
    // The element that embeds us finds us by the pad alone.
    gst_pad_set_element_private(lane.sink, this);
    gst_pad_set_element_private(lane.src, this);
    gst_element_add_pad(element_, lane.sink);
    gst_element_add_pad(element_, lane.src);
}

Lane& Door::lane_of(GstPad* pad) {
    return *std::find_if(lanes_.begin(), lanes_.end(),
                         [&](const Lane& lane) { return lane.sink == pad || lane.src == pad; });
}

GstPad* Door::other_pad(GstPad* pad) {
    Lane& lane = lane_of(pad);
    return lane.sink == pad ? lane.src : lane.sink;
}

GstClockTime Door::now() const {
    const GPtr<GstClock> clock = GPtr<GstClock>::adopt(gst_element_get_clock(element_));
    if (!clock) {
        return 0;
    }
    const GstClockTime time = gst_clock_get_time(clock.get()), base = gst_element_get_base_time(element_);
    return time > base ? time - base : 0;
}

void Door::set_open(bool open) {
    if (!open) {
        closed_at_ = now();
        restart_worker_ = true;
    }
    open_ = open;
    wake();
}

GstFlowReturn Door::push(Lane& lane, BufferPtr buffer) {
    // Legs come with and without video, and pads are linked while PLAYING: an unlinked side swallows its
    // buffers.
    const GstFlowReturn flow = gst_pad_push(lane.src, buffer.release());
    return flow == GST_FLOW_NOT_LINKED && !gst_pad_is_linked(lane.src) ? GST_FLOW_OK : flow;
}

GstFlowReturn Door::drop(Lane& lane, GstBuffer* buffer) {
    lane.next_pts = GST_CLOCK_TIME_NONE;
    lane.was_closed = true;
    if (GST_BUFFER_PTS_IS_VALID(buffer)) {
        gst_pad_push_event(lane.src, gst_event_new_gap(GST_BUFFER_PTS(buffer), GST_BUFFER_DURATION(buffer)));
    }
    return GST_FLOW_OK;
}

// A fade-out lets 10 ms more pass: only of what directly follows what was heard, and only right after
// closing.
bool Door::may_fade_out(const Lane& lane, GstBuffer* buffer) const {
    const GstClockTime pts = GST_BUFFER_PTS(buffer);
    if (!GST_CLOCK_TIME_IS_VALID(pts) || !GST_CLOCK_TIME_IS_VALID(lane.next_pts)) {
        return false;
    }
    const GstClockTime apart = pts > lane.next_pts ? pts - lane.next_pts : lane.next_pts - pts;
    return apart <= kJoin && now() <= closed_at_ + kFadeOutWithin;
}

namespace {

GstClockTime end_of(GstBuffer* buffer) {
    return GST_BUFFER_PTS_IS_VALID(buffer)
               ? GST_BUFFER_PTS(buffer) +
                     gst_util_uint64_scale_int(gst_buffer_get_size(buffer) / 2, GST_SECOND, kSampleRate)
               : GST_CLOCK_TIME_NONE;
}

}  // namespace

GstFlowReturn Door::audio_to_room(Lane& lane, BufferPtr buffer) {
    const bool open = open_;
    bool mute = false;
    if (content_.wants_to_hear()) {
        GstMapInfo map;
        if (gst_buffer_map(buffer.get(), &map, GST_MAP_READ)) {
            mute =
                content_.hear_caller({reinterpret_cast<const std::int16_t*>(map.data), map.size / 2}, now());
            gst_buffer_unmap(buffer.get(), &map);
        }
    }
    if (!open && !lane.fade.is_closed() && !may_fade_out(lane, buffer.get())) {
        lane.fade.snap(false);
    }
    if (!open && lane.fade.is_closed()) {
        return drop(lane, buffer.get());
    }
    lane.next_pts = end_of(buffer.get());
    if (open && lane.fade.is_open() && !mute) {
        return push(lane, std::move(buffer));
    }
    buffer = writable(std::move(buffer));
    if (std::exchange(lane.was_closed, false)) {
        GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
    }
    {
        const WritableSamples samples(buffer.get());
        if (mute) {
            std::fill(samples.get().begin(), samples.get().end(), std::int16_t{0});
        }
        lane.fade.apply(samples.get(), {}, open);
    }
    return push(lane, std::move(buffer));
}

// A new buffer, of the length and time of `like`, with none of its samples or metadata.
BufferPtr Door::closed_audio(GstBuffer* like) {
    BufferPtr made = BufferPtr::adopt(gst_buffer_new_allocate(nullptr, gst_buffer_get_size(like), nullptr));
    GST_BUFFER_PTS(made.get()) = GST_BUFFER_PTS(like);
    GST_BUFFER_DURATION(made.get()) = GST_BUFFER_DURATION(like);
    const WritableSamples samples(made.get());
    content_.fill_closed(samples.get());
    return made;
}

GstFlowReturn Door::audio_to_caller(Lane& lane, BufferPtr buffer) {
    const bool open = open_;
    lane.last_arrival = now();
    if (!open && !lane.fade.is_closed() && !may_fade_out(lane, buffer.get())) {
        lane.fade.snap(false);
    }
    lane.next_pts = end_of(buffer.get());
    if (!open && lane.fade.is_closed()) {
        return push(lane, closed_audio(buffer.get()));
    }
    const bool overlay = content_.has_overlay();
    if (open && lane.fade.is_open() && !overlay) {
        return push(lane, std::move(buffer));
    }
    buffer = writable(std::move(buffer));
    {
        const WritableSamples samples(buffer.get());
        if (!open || !lane.fade.is_open()) {
            const BufferPtr instead = closed_audio(buffer.get());
            const WritableSamples other(instead.get());
            lane.fade.apply(samples.get(), other.get(), open);
        }
        if (overlay) {
            content_.mix_overlay(samples.get());
        }
    }
    return push(lane, std::move(buffer));
}

GstFlowReturn Door::video_to_room(Lane& lane, BufferPtr buffer) {
    if (!open_) {
        return drop(lane, buffer.get());
    }
    if (std::exchange(lane.was_closed, false)) {
        buffer = writable(std::move(buffer));
        GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
    }
    return push(lane, std::move(buffer));
}

// The picture as drawn so far, sharing its memory, at the time of `like`.
BufferPtr Door::stand_in(GstBuffer* like) {
    const std::lock_guard lock(picture_mutex_);
    if (!picture_ && has_picture_info_) {
        picture_ = black_frame(picture_info_);
        drawn_.reset();
    }
    if (!picture_) {
        return {};
    }
    BufferPtr made = BufferPtr::adopt(gst_buffer_copy(picture_.get()));
    GST_BUFFER_PTS(made.get()) = GST_BUFFER_PTS(like);
    GST_BUFFER_DURATION(made.get()) = GST_BUFFER_DURATION(like);
    return made;
}

GstFlowReturn Door::video_to_caller(Lane& lane, BufferPtr buffer) {
    lane.last_arrival = now();
    if (open_) {
        return push(lane, std::move(buffer));
    }
    BufferPtr made = stand_in(buffer.get());
    return made ? push(lane, std::move(made)) : GST_FLOW_NOT_NEGOTIATED;
}

GstFlowReturn Door::chain(GstPad* pad, GstBuffer* raw) {
    BufferPtr buffer = BufferPtr::adopt(raw);
    Lane& lane = lane_of(pad);
    if (lane.media == Media::audio) {
        return lane.way == Way::to_room ? audio_to_room(lane, std::move(buffer))
                                        : audio_to_caller(lane, std::move(buffer));
    }
    return lane.way == Way::to_room ? video_to_room(lane, std::move(buffer))
                                    : video_to_caller(lane, std::move(buffer));
}

void Door::set_picture_caps(GstCaps* caps) {
    {
        const std::lock_guard lock(picture_mutex_);
        GstVideoInfo info;
        if (!gst_video_info_from_caps(&info, caps)) {
            return;
        }
        if (has_picture_info_ && gst_video_info_is_equal(&info, &picture_info_)) {
            return;
        }
        picture_info_ = info;
        has_picture_info_ = true;
        picture_.reset();
        drawn_.reset();
    }
    wake();
}

bool Door::sink_event(GstPad* pad, GstEvent* raw) {
    EventPtr event = EventPtr::adopt(raw);
    if (content_.take_event(event.get())) {
        return true;
    }
    Lane& lane = lane_of(pad);
    const GstEventType type = GST_EVENT_TYPE(event.get());
    if (type == GST_EVENT_CAPS && lane.media == Media::video && lane.way == Way::to_caller) {
        GstCaps* caps = nullptr;
        gst_event_parse_caps(event.get(), &caps);
        set_picture_caps(caps);
    } else if (type == GST_EVENT_FLUSH_STOP || type == GST_EVENT_SEGMENT) {
        lane.next_pts = GST_CLOCK_TIME_NONE;
    }
    if (type == GST_EVENT_STREAM_START || type == GST_EVENT_FLUSH_STOP) {
        lane.ended = false;
    } else if (type == GST_EVENT_EOS) {
        lane.ended = true;
    }
    const bool handled = gst_pad_event_default(pad, GST_OBJECT(element_), event.release()) != FALSE;
    if (type == GST_EVENT_EOS && lane.way == Way::to_room) {
        end_unfed_returns();
    }
    return handled;
}

bool Door::src_event(GstPad* pad, GstEvent* raw) {
    EventPtr event = EventPtr::adopt(raw);
    return content_.take_event(event.get()) ||
           gst_pad_event_default(pad, GST_OBJECT(element_), event.release()) != FALSE;
}

bool Door::src_query(GstPad* pad, GstQuery* query) {
    const Lane& lane = lane_of(pad);
    if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY && lane.way == Way::to_caller &&
        !gst_pad_is_linked(lane.sink)) {
        gst_query_set_latency(query, TRUE, lane.media == Media::audio ? 20 * GST_MSECOND : 0,
                              GST_CLOCK_TIME_NONE);
        return true;
    }
    return gst_pad_query_default(pad, GST_OBJECT(element_), query) != FALSE;
}

GstStateChangeReturn Door::change_state(GstStateChange transition, GstElementClass* parent) {
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
        live_ = false;
        for (Lane& lane : lanes_) {
            lane.fade.snap(false);
            lane.was_closed = true;
            lane.next_pts = GST_CLOCK_TIME_NONE;
            lane.ended = false;
            // A return direction that nobody feeds starts with the clock: its sinks cannot preroll.
            live_ = live_ || (lane.way == Way::to_caller && gst_pad_is_linked(lane.src) &&
                              !gst_pad_is_linked(lane.sink));
        }
    }
    if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED || transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
        {
            const std::lock_guard lock(task_mutex_);
            playing_ = false;
            transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED ? gst_task_pause(task_) : gst_task_stop(task_);
        }
        wake();  // not joined here: it may be in a push that only flushing ends
    }
    const GstStateChangeReturn result = parent->change_state(element_, transition);
    if (result == GST_STATE_CHANGE_FAILURE) {
        return result;
    }
    if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) {
        {
            const std::lock_guard lock(task_mutex_);
            playing_ = true;
            restart_worker_ = true;
        }
        update_task();
    } else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
        gst_task_join(task_);
        const std::lock_guard lock(picture_mutex_);
        picture_.reset();
        drawn_.reset();
        has_picture_info_ = false;
    }
    const bool to_paused =
        transition == GST_STATE_CHANGE_READY_TO_PAUSED || transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED;
    return to_paused && live_ ? GST_STATE_CHANGE_NO_PREROLL : result;
}

}  // namespace vmr::duplex
