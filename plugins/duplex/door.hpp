// What pin-ivr and lobby-gate share: a two-way passage for one leg that is either open (buffers pass
// untouched) or closed (nothing passes; the caller gets sound and picture made here).
//
// Pads, all always there, any subset linked: audio and video towards the room (`audio_sink` → `audio_src`, …)
// and towards the caller (`audio_return_sink` → `audio_return_src`, …).
//
// Pace: while closed, each buffer that arrives on a return pad is replaced by one of ours with the same time
// stamps. Where none arrives for 60 ms (audio) or 200 ms (video), or the pad is not linked, the worker makes
// them at the clock's pace. The worker, a GstTask of one thread, exists only while closed and PLAYING (or
// while a sound is loaded); it also draws, loads files and watches deadlines, so that no other thread ever
// waits for those.
#pragma once
#include <gst/gst.h>
#include <gst/video/video.h>

#include <array>
#include <atomic>
#include <mutex>
#include <optional>

#include "base/gst_ptr.hpp"
#include "plugins/duplex/card.hpp"
#include "plugins/duplex/fade.hpp"

namespace vmr::duplex {

// What an element adds to the passage. Each call may come from any streaming thread; implementations have a
// lock of their own, and do not call the Door while they hold it.
class Content {
public:
    virtual ~Content() = default;
    // What the caller hears while closed. Runs on a streaming thread: no files, no long work.
    virtual void fill_closed(Samples out) = 0;
    virtual bool has_overlay() { return false; }  // something to add to what passes, towards the caller
    virtual void mix_overlay(Samples) {}
    virtual bool wants_to_hear() { return false; }
    // The caller's own audio, before the gate; true: silence it towards the room.
    virtual bool hear_caller(ConstSamples, GstClockTime) { return false; }
    virtual bool take_event(GstEvent*) { return false; }  // true: consumed
    virtual Card card() = 0;
    // On the worker, at least each 100 ms while it runs. Returns when it must be called at the latest.
    virtual std::optional<GstClockTime> tick(GstClockTime now) = 0;
    virtual bool has_jobs() { return false; }  // keeps the worker although open
};

enum class Media { audio, video };
enum class Way { to_room, to_caller };

// One sink pad and its src pad. Fields without a lock or an atomic belong to the sink's stream lock.
struct Lane {
    Media media{};
    Way way{};
    GstPad* sink = nullptr;  // both owned by the element
    GstPad* src = nullptr;
    Fade fade;
    bool was_closed = true;
    GstClockTime next_pts = GST_CLOCK_TIME_NONE;  // end of what passed last
    std::atomic<bool> ended{false};
    std::atomic<GstClockTime> last_arrival{0};  // running time
    GstClockTime next_made = 0;                 // running time of the next one made by the worker
};

// Lock order: a sink pad's stream lock → `task_mutex_` → the Content's lock → `picture_mutex_`,
// `wait_mutex_`.
class Door {
public:
    // `worker_name`: at most 15 characters.
    Door(GstElement* element, Content& content, const char* worker_name);
    ~Door();
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;

    static void add_pad_templates(GstElementClass* klass);

    bool is_open() const { return open_; }
    void set_open(bool open);
    void wake();  // the card, a deadline or a job changed
    GstClockTime now() const;
    GstStateChangeReturn change_state(GstStateChange transition, GstElementClass* parent);

    // For the pads' C callbacks.
    GstFlowReturn chain(GstPad* pad, GstBuffer* buffer);
    bool sink_event(GstPad* pad, GstEvent* event);
    bool src_event(GstPad* pad, GstEvent* event);
    bool src_query(GstPad* pad, GstQuery* query);
    GstPad* other_pad(GstPad* pad);
    void work();

private:
    Lane& lane_of(GstPad* pad);
    void add_lane(Lane& lane, Media media, Way way, const char* sink, const char* src);

    GstFlowReturn audio_to_room(Lane& lane, BufferPtr buffer);
    GstFlowReturn audio_to_caller(Lane& lane, BufferPtr buffer);
    GstFlowReturn video_to_room(Lane& lane, BufferPtr buffer);
    GstFlowReturn video_to_caller(Lane& lane, BufferPtr buffer);
    GstFlowReturn drop(Lane& lane, GstBuffer* buffer);
    GstFlowReturn push(Lane& lane, BufferPtr buffer);
    bool may_fade_out(const Lane& lane, GstBuffer* buffer) const;
    BufferPtr closed_audio(GstBuffer* like);
    BufferPtr stand_in(GstBuffer* like);
    void set_picture_caps(GstCaps* caps);
    void end_unfed_returns();

    // on the worker
    GstClockTime make_audio(Lane& lane, GstClockTime now);
    GstClockTime make_video(Lane& lane, GstClockTime now);
    bool is_fed(const Lane& lane, GstClockTime now, GstClockTime patience) const;
    bool negotiate(Lane& lane);
    void refresh_picture();
    void wait_until(GstClockTime running_time);
    void update_task();

    GstElement* element_;
    Content& content_;
    std::array<Lane, 4> lanes_;
    std::atomic<bool> open_{false};
    std::atomic<GstClockTime> closed_at_{0};
    std::atomic<bool> restart_worker_{true};
    GstClockTime worker_since_ = 0;
    bool live_ = false;

    std::mutex task_mutex_;
    bool playing_ = false;
    GRecMutex task_lock_;
    GstTask* task_ = nullptr;

    std::mutex picture_mutex_;
    GstVideoInfo picture_info_;
    bool has_picture_info_ = false;
    BufferPtr picture_;  // of picture_info_'s size
    std::optional<Card> drawn_;

    mutable std::mutex wait_mutex_;
    GstClockID waiting_ = nullptr;
    bool woken_ = false;
};

}  // namespace vmr::duplex
