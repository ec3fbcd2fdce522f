#include "video_engine.hpp"

#include <algorithm>

#include "base/guard.hpp"
#include "caps.hpp"
#include "downstream.hpp"
#include "structures.hpp"

namespace vmr::mixer {
namespace {

constexpr gint64 kStalled = 3 * G_USEC_PER_SEC;       // a camera that sent nothing for so long is off
constexpr GstClockTime kKeepUnused = 2 * GST_SECOND;  // an encoder outlives its last viewer

GstClockTime frame_period(const Settings& settings) {
    return GST_SECOND / static_cast<unsigned>(settings.framerate);
}

Picture live_picture(VideoInput& input, gint64 patience) {
    const std::lock_guard held(input.lock);
    if (!input.picture.buffer ||
        (patience > 0 && g_get_monotonic_time() - input.picture.arrived > patience)) {
        return {};
    }
    return input.picture;
}

}  // namespace

void VideoEngine::start(GstClock* clock, GstClockTime base_time) {
    const auto lists = pads_.read();
    renegotiate_all(lists->video_srcs);
    renegotiate_all(lists->content_srcs);
    pool_.start("vmr-video-push", kDownstream);
    ticker_.start(
        clock, base_time, "vmr-video", [this] { return frame_period(settings_); }, 0,
        [this](GstClockTime running_time) { guard(element_, [&] { tick(running_time); }); });
}

void VideoEngine::stop() {
    ticker_.stop();
    pool_.stop();
    streams_.clear();
    pictures_.clear();
    sources_.clear();
    content_.reset();
    compositor_.clear();
    banners_.clear();
}

void VideoEngine::tick(GstClockTime running_time) {
    const auto lists = pads_.read();
    ++work_.ticks;
    gather_sources(*lists);
    gather_content(*lists);
    update_stage(running_time);
    const std::vector<Viewer> viewers = gather_viewers(*lists, running_time);
    assign_views(viewers);
    serve(viewers, running_time);
    pool_.submit(jobs_);
    pictures_.clear();
    compositor_.end_frame();
    std::erase_if(streams_, [running_time](const auto& entry) {
        return entry.second->last_used() + kKeepUnused < running_time;
    });
    work_.composites = compositor_.composites();
    work_.scales = compositor_.scales();
    const std::lock_guard held(lock_);
    counters_ = work_;
}

// Whoever sends audio or video and is not hidden by either pad has a tile.
void VideoEngine::gather_sources(const PadLists& lists) {
    sources_.clear();
    const Voices voices = audio_.voices();
    std::vector<unsigned> hidden;
    const auto meet = [&](Identity& identity) -> TileSource& {
        TileSource& source = sources_[identity.index];
        source.participant = identity.index;
        if (const std::string name = identity.name(); !name.empty()) {
            source.label.name = name;
        }
        source.label.muted = source.label.muted || identity.mute;
        source.label.padlock = std::max(source.label.padlock, identity.padlock.load());  // the worst
        if (!identity.visible) {
            hidden.push_back(identity.index);
        }
        return source;
    };
    for (const PadPtr& pad : lists.audio_sinks) {
        TileSource& source = meet(audio_input(pad.get()));
        const auto voice = voices.find(source.participant);
        source.talking = voice != voices.end() && voice->second.talking;
    }
    for (const PadPtr& pad : lists.video_sinks) {
        VideoInput& input = video_input(pad.get());
        meet(input).picture = live_picture(input, kStalled);
    }
    for (const unsigned participant : hidden) {
        sources_.erase(participant);
    }
}

// The newest share wins. A still screen sends few frames: content lasts until its pad goes, ends or
// is hidden.
void VideoEngine::gather_content(const PadLists& lists) {
    content_.reset();
    for (const PadPtr& pad : lists.content_sinks) {
        VideoInput& input = video_input(pad.get());
        if (!input.visible) {
            continue;
        }
        Picture picture = live_picture(input, 0);
        if (picture.buffer && (!content_ || picture.arrived > content_->picture.arrived)) {
            content_ = TileSource{.participant = input.index, .content = true, .picture = std::move(picture)};
        }
    }
}

void VideoEngine::update_stage(GstClockTime running_time) {
    const Voices voices = audio_.voices();
    std::vector<unsigned> present;
    std::vector<ActiveSpeaker::Candidate> candidates;
    for (const auto& [participant, source] : sources_) {
        present.push_back(participant);
        const auto voice = voices.find(participant);
        candidates.push_back(
            {participant, source.talking, voice == voices.end() ? kSilenceDb : voice->second.loudness_db});
    }
    const auto speaker =
        active_.update(static_cast<double>(running_time) / static_cast<double>(GST_SECOND), candidates);
    const int spotlight = settings_.spotlight;
    const bool pinned = spotlight >= 0 && sources_.contains(static_cast<unsigned>(spotlight));
    stage_.update(present, pinned ? std::optional(static_cast<unsigned>(spotlight)) : speaker);

    layout_ = settings_.layout;
    if (layout_ == LayoutKind::content && !content_) {
        layout_ = LayoutKind::speaker;
    }
    capacity_ = layout_capacity(layout_) - (layout_ == LayoutKind::content ? 1 : 0);
    const std::vector<unsigned> on_stage = stage_.tiles(layout_, kCommonView, capacity_);
    if (on_stage != last_on_stage_ || speaker != last_speaker_) {
        last_on_stage_ = on_stage;
        last_speaker_ = speaker;
        post_stage(on_stage, speaker);
    }
}

std::vector<VideoEngine::Viewer> VideoEngine::gather_viewers(const PadLists& lists,
                                                             GstClockTime running_time) {
    std::vector<Viewer> viewers;
    const auto gather = [&](const std::vector<PadPtr>& pads) {
        for (const PadPtr& pad : pads) {
            Output& state = output(pad.get());
            state.default_width = settings_.width.load();
            state.default_height = settings_.height.load();
            state.default_framerate = settings_.framerate.load();
            if (ready_to_send(pad.get(), running_time, jobs_)) {
                const std::lock_guard held(state.lock);
                viewers.push_back({pad.get(), *state.video});
            }
        }
    };
    gather(lists.video_srcs);
    gather(lists.content_srcs);
    return viewers;
}

void VideoEngine::assign_views(const std::vector<Viewer>& viewers) {
    std::vector<unsigned> watching;
    for (const Viewer& viewer : viewers) {
        if (output(viewer.pad).kind == Kind::video) {
            watching.push_back(output(viewer.pad).index);
        }
    }
    const auto views = plan_views(stage_, capacity_, settings_.max_views, watching);
    for (const Viewer& viewer : viewers) {
        const Output& state = output(viewer.pad);
        if (state.kind == Kind::video) {
            follow(viewer.pad, {views.at(state.index), viewer.format});
            continue;
        }
        const bool shows = content_ && content_->participant != state.index;  // not to who shares
        follow(viewer.pad, {shows ? kContentView : kNoView, viewer.format});
    }
}

// A listener that comes to an encoded stream can begin with a keyframe only.
void VideoEngine::follow(GstPad* pad, const VideoStreamId& id) {
    Output& state = output(pad);
    const bool moved = state.stream != id;
    const bool lost = state.lane.lost.exchange(false);
    const bool asked = state.keyframe_asked.exchange(false);
    if (moved || lost) {
        state.stream = id;
        state.wants_keyframe = true;
    }
    if (id.view == kNoView) {
        return;
    }
    auto& stream = streams_[id];
    if (!stream) {
        stream = std::make_unique<VideoStream>(id.format);
    }
    if (moved || lost || asked) {
        stream->request_keyframe();
    }
}

void VideoEngine::serve(const std::vector<Viewer>& viewers, GstClockTime running_time) {
    std::map<VideoStreamId, std::vector<Viewer>> audiences;
    for (const Viewer& viewer : viewers) {
        const VideoStreamId& id = output(viewer.pad).stream;
        if (id.view != kNoView) {
            audiences[id].push_back(viewer);
        }
    }
    for (const auto& [id, audience] : audiences) {
        VideoStream& stream = *streams_.at(id);
        if (!stream.due(running_time, settings_.framerate)) {
            continue;
        }
        std::string problem;
        const BufferPtr frame =
            stream.produce(picture_for(id, running_time), running_time, settings_.video_bitrate, problem);
        if (!problem.empty()) {
            GST_ELEMENT_WARNING(element_, STREAM, ENCODE, ("%s", problem.c_str()), (nullptr));
        }
        if (frame) {
            work_.encodes += id.format.codec == VideoCodec::raw ? 0 : 1;
            hand_out(audience, id, frame);
        }
    }
}

BufferPtr VideoEngine::picture_for(const VideoStreamId& id, GstClockTime running_time) {
    const ViewSize size{id.view, id.format.width, id.format.height};
    BufferPtr& picture = pictures_[size];
    if (!picture) {
        picture = compositor_.compose(size, scene_of(id.view, running_time)).picture;
        GST_BUFFER_PTS(picture.get()) = running_time;
        GST_BUFFER_DTS(picture.get()) = running_time;
        GST_BUFFER_DURATION(picture.get()) = frame_period(settings_);
    }
    return picture;
}

Scene VideoEngine::scene_of(ViewId view, GstClockTime running_time) {
    Scene scene;
    scene.layout = layout_;
    scene.tiles = tiles_for(view, scene.layout);
    scene.now = static_cast<double>(running_time) / static_cast<double>(GST_SECOND);
    if (view != kContentView) {
        scene.banner = banners_.at(scene.now);
        scene.badge = settings_.padlock;
        scene.transitions = settings_.transitions;
    }
    return scene;
}

std::vector<const TileSource*> VideoEngine::tiles_for(ViewId view, LayoutKind& layout) const {
    std::vector<const TileSource*> tiles;
    if (view == kContentView) {
        layout = LayoutKind::single;
        return {&*content_};
    }
    std::size_t capacity = capacity_;
    if (layout == LayoutKind::content) {
        if (ViewId{content_->participant} == view) {  // who shares sees the people
            layout = LayoutKind::speaker;
            capacity = layout_capacity(layout);
        } else {
            tiles.push_back(&*content_);
        }
    }
    for (const unsigned participant : stage_.tiles(layout, view, capacity)) {
        tiles.push_back(&sources_.at(participant));
    }
    return tiles;
}

void VideoEngine::hand_out(const std::vector<Viewer>& viewers, const VideoStreamId& id,
                           const BufferPtr& frame) {
    const bool key = id.format.codec == VideoCodec::raw || is_keyframe(frame);
    for (const Viewer& viewer : viewers) {
        Output& state = output(viewer.pad);
        if (state.wants_keyframe && !key) {
            continue;
        }
        state.wants_keyframe = false;
        jobs_.push_back({PadPtr::ref(viewer.pad), frame});
    }
}

void VideoEngine::post_stage(const std::vector<unsigned>& on_stage, std::optional<unsigned> speaker) {
    GstStructure* structure = gst_structure_new("vmr-stage", "speaker", G_TYPE_INT,
                                                speaker ? static_cast<int>(*speaker) : -1, nullptr);
    set_participants(structure, "participants", on_stage);
    gst_element_post_message(element_, gst_message_new_element(GST_OBJECT(element_), structure));
}

VideoCounters VideoEngine::counters() const {
    const std::lock_guard held(lock_);
    return counters_;
}

}  // namespace vmr::mixer
