#include "video_engine.hpp"

#include <algorithm>

#include "base/guard.hpp"
#include "caps.hpp"
#include "downstream.hpp"

namespace vmr::mixer {
namespace {

constexpr GstClockTime kKeepUnused = 2 * GST_SECOND;  // an encoder outlives its last viewer
constexpr int kLeastBitrate = 64000;                  // bit/s, of the lowest class

constexpr GstClockTime kUnseen = 200 * GST_MSECOND;  // between looks at the stage that nobody sees

GstClockTime frame_period(const Settings& settings) {
    return GST_SECOND / static_cast<unsigned>(settings.framerate);
}

bool has_video(const PadLists& lists) {
    return !lists.video_srcs.empty() || !lists.video_sinks.empty() || !lists.content_srcs.empty() ||
           !lists.content_sinks.empty();
}

}  // namespace

void VideoEngine::start(GstClock* clock, GstClockTime base_time) {
    const auto lists = pads_.read();
    renegotiate_all(lists->video_srcs);
    renegotiate_all(lists->content_srcs);
    workers_ = WorkPool::shared();
    pool_.start("vmr-video-push", kDownstream);
    ticker_.start(
        clock, base_time, "vmr-video",
        [this] { return has_video(*pads_.read()) ? frame_period(settings_) : kUnseen; }, 0,
        [this](GstClockTime running_time) { guard(element_, [&] { tick(running_time); }); });
}

void VideoEngine::stop() {
    ticker_.stop();
    streams_.clear();  // waits for encoders at work
    pool_.stop();
    workers_.reset();
    pictures_.clear();
    scenes_.clear();
    scene_.clear();
    compositor_.clear();
    banners_.clear();
}

void VideoEngine::tick(GstClockTime running_time) {
    const auto lists = pads_.read();
    ++work_.ticks;
    scene_.update(*lists, running_time);
    const Audiences audiences = assign_views(gather_viewers(*lists, running_time));
    attend(audiences);
    pool_.submit(jobs_);
    plan_scenes(audiences, *lists);
    serve(audiences, running_time);
    pictures_.clear();
    compositor_.end_frame();
    std::erase_if(streams_, [running_time](const auto& entry) {
        return entry.second->last_used() + kKeepUnused < running_time && entry.second->idle();
    });
    publish();
}

void VideoEngine::publish() {
    work_.composites = compositor_.composites();
    work_.scales = compositor_.scales();
    const std::lock_guard held(lock_);
    counters_ = work_;
}

std::vector<VideoEngine::Viewer> VideoEngine::gather_viewers(const PadLists& lists,
                                                             GstClockTime running_time) {
    std::vector<Viewer> viewers;
    const auto gather = [&](const std::vector<PadPtr>& pads) {
        for (const PadPtr& pad : pads) {
            Output& state = output(pad.get());
            choose_class(state, running_time);
            if (ready_to_send(pad.get(), running_time, jobs_)) {
                const std::lock_guard held(state.lock);
                viewers.push_back({pad.get(), *state.video});
                VideoFormat& format = viewers.back().format;
                if (format.codec != VideoCodec::raw) {
                    format.bitrate_class = state.bitrate_class;
                    format.framerate = class_framerate(state.bitrate_class, format.framerate);
                }
            }
        }
    };
    gather(lists.video_srcs);
    gather(lists.content_srcs);
    return viewers;
}

// The viewer's network, and what that means for the size where downstream leaves it open.
void VideoEngine::choose_class(Output& state, GstClockTime running_time) const {
    const unsigned chosen =
        state.ladder.update(static_cast<double>(running_time) / static_cast<double>(GST_SECOND),
                            state.max_bitrate, settings_.video_bitrate, settings_.video_classes);
    state.bitrate_class = chosen;
    state.default_width = class_length(chosen, settings_.width);
    state.default_height = class_length(chosen, settings_.height);
    state.default_framerate = settings_.framerate.load();
    const std::lock_guard held(state.lock);
    if (state.video && state.any_size &&
        (state.width_asked != state.default_width || state.height_asked != state.default_height)) {
        state.video.reset();  // asks anew
        state.retry_at = 0;
    }
}

VideoEngine::Audiences VideoEngine::assign_views(const std::vector<Viewer>& viewers) const {
    std::vector<unsigned> watching;
    for (const Viewer& viewer : viewers) {
        if (output(viewer.pad).kind == Kind::video) {
            watching.push_back(output(viewer.pad).index);
        }
    }
    const auto views = scene_.views_for(watching);
    Audiences audiences;
    for (const Viewer& viewer : viewers) {
        const Output& state = output(viewer.pad);
        if (state.kind == Kind::video) {
            audiences[{views.at(state.index), viewer.format}].push_back(viewer.pad);
        } else if (scene_.shares_content_with(state.index)) {
            audiences[{kContentView, viewer.format}].push_back(viewer.pad);
        }
    }
    for (auto& [id, pads] : audiences) {
        std::sort(pads.begin(), pads.end());
    }
    return audiences;
}

// Everybody leaves their old stream before anybody comes to a new one: no two feed one viewer.
void VideoEngine::attend(const Audiences& audiences) {
    for (const auto& [id, stream] : streams_) {
        const auto audience = audiences.find(id);
        stream->retain(audience == audiences.end() ? std::vector<GstPad*>{} : audience->second);
    }
    for (const auto& [id, viewers] : audiences) {
        std::unique_ptr<VideoStream>& stream = streams_[id];
        if (!stream) {
            stream = std::make_unique<VideoStream>(StreamRoom{element_, *workers_, pool_, *done_}, id.format);
        }
        stream->admit(viewers);
        for (GstPad* viewer : viewers) {
            if (output(viewer).lane.lost.exchange(false)) {
                stream->lose(viewer);
            }
            if (output(viewer).keyframe_asked.exchange(false)) {
                stream->request_keyframe();
            }
        }
    }
}

void VideoEngine::serve(const Audiences& audiences, GstClockTime running_time) {
    for (const auto& [id, viewers] : audiences) {
        VideoStream& stream = *streams_.at(id);
        if (stream.due(running_time, settings_.framerate)) {
            const Compositor::Drawn& drawn = picture_for(id, running_time);
            stream.offer(drawn.picture, drawn.version, bitrate_for(id.format, viewers),
                         settings_.still_framerate);
        }
    }
}

// The lowest class goes as low as its slowest viewer.
int VideoEngine::bitrate_for(const VideoFormat& format, const std::vector<GstPad*>& viewers) const {
    int bitrate = class_bitrate(format.bitrate_class, settings_.video_bitrate);
    if (format.bitrate_class + 1 < settings_.video_classes) {
        return bitrate;
    }
    for (GstPad* viewer : viewers) {
        const unsigned carried = output(viewer).max_bitrate;
        if (carried != 0 && carried < static_cast<unsigned>(bitrate)) {
            bitrate = std::max(kLeastBitrate, static_cast<int>(carried));
        }
    }
    return bitrate;
}

// What every view shows, drawn this frame or not, and so: who is seen at all.
void VideoEngine::plan_scenes(const Audiences& audiences, const PadLists& lists) {
    scenes_.clear();
    demand_.clear();
    for (const auto& [id, viewers] : audiences) {
        const auto [entry, fresh] =
            scenes_.try_emplace(ViewSize{id.view, id.format.width, id.format.height}, Scene{});
        if (!fresh) {
            continue;
        }
        Scene& scene = entry->second;
        scene = scene_.scene_of(id.view);
        if (id.view != kContentView) {
            scene.banner = banners_.at(scene.now);
        }
        demand_.add(scene, id.format.width, id.format.height);
    }
    demand_.tell(element_, lists);
}

const Compositor::Drawn& VideoEngine::picture_for(const VideoStreamId& id, GstClockTime running_time) {
    const ViewSize size{id.view, id.format.width, id.format.height};
    Compositor::Drawn& drawn = pictures_[size];
    if (!drawn.picture) {
        drawn = compositor_.compose(size, scenes_.at(size));
        GST_BUFFER_PTS(drawn.picture.get()) = running_time;
        GST_BUFFER_DTS(drawn.picture.get()) = running_time;
        GST_BUFFER_DURATION(drawn.picture.get()) = frame_period(settings_);
    }
    return drawn;
}

void VideoEngine::add_stats(GstStructure* stats) const {
    VideoCounters room;
    {
        const std::lock_guard held(lock_);
        room = counters_;
    }
    const auto set = [stats](const char* name, std::uint64_t value) {
        gst_structure_set(stats, name, G_TYPE_UINT64, value, nullptr);
    };
    set("video-ticks", room.ticks);
    set("composites", room.composites);
    set("scales", room.scales);
    set("video-decodes", done_->decodes);
    set("video-undecoded", done_->undecoded);
    set("video-encodes", done_->encodes);
    set("video-keyframes", done_->keyframes);
    set("video-replays", done_->replays);
    set("video-skipped", done_->skipped);
    set("video-dropped", pool_.dropped());
}

}  // namespace vmr::mixer
