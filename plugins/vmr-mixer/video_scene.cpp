#include "video_scene.hpp"

#include <algorithm>

#include "structures.hpp"

namespace vmr::mixer {
namespace {

constexpr gint64 kStalled = 3 * G_USEC_PER_SEC;  // a camera that sent nothing for so long is off

Picture live_picture(VideoInput& input, gint64 patience) {
    const std::lock_guard held(input.lock);
    if (!input.picture.buffer ||
        (patience > 0 && g_get_monotonic_time() - input.picture.arrived > patience)) {
        return {};
    }
    return input.picture;
}

}  // namespace

void VideoScene::update(const PadLists& lists, GstClockTime running_time) {
    now_ = static_cast<double>(running_time) / static_cast<double>(GST_SECOND);
    gather_sources(lists);
    gather_content(lists);
    update_stage();
}

Scene VideoScene::scene_of(ViewId view) const {
    Scene scene;
    scene.layout = layout_;
    scene.tiles = tiles_for(view, scene.layout);
    scene.now = now_;
    if (view != kContentView) {
        scene.badge = settings_.padlock;
        scene.transitions = settings_.transitions;
    }
    return scene;
}

std::map<unsigned, ViewId> VideoScene::views_for(std::span<const unsigned> viewers) const {
    return plan_views(stage_, capacity_, settings_.max_views, viewers);
}

void VideoScene::clear() {
    sources_.clear();
    content_.reset();
}

// Whoever sends audio or video and is not hidden by either pad has a tile.
void VideoScene::gather_sources(const PadLists& lists) {
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
void VideoScene::gather_content(const PadLists& lists) {
    content_.reset();
    for (const PadPtr& pad : lists.content_sinks) {
        VideoInput& input = video_input(pad.get());
        if (!input.visible) {
            continue;
        }
        Picture picture = live_picture(input, 0);
        if (picture.buffer && (!content_ || picture.began > content_->picture.began)) {
            content_ = TileSource{.participant = input.index, .content = true, .picture = std::move(picture)};
        }
    }
}

void VideoScene::update_stage() {
    const Voices voices = audio_.voices();
    std::vector<unsigned> present;
    std::vector<ActiveSpeaker::Candidate> candidates;
    for (const auto& [participant, source] : sources_) {
        present.push_back(participant);
        const auto voice = voices.find(participant);
        candidates.push_back(
            {participant, source.talking, voice == voices.end() ? kSilenceDb : voice->second.loudness_db});
    }
    const auto speaker = active_.update(now_, candidates);
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

std::vector<const TileSource*> VideoScene::tiles_for(ViewId view, LayoutKind& layout) const {
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

void VideoScene::post_stage(const std::vector<unsigned>& on_stage, std::optional<unsigned> speaker) {
    GstStructure* structure = gst_structure_new("vmr-stage", "speaker", G_TYPE_INT,
                                                speaker ? static_cast<int>(*speaker) : -1, nullptr);
    set_participants(structure, "participants", on_stage);
    gst_element_post_message(element_, gst_message_new_element(GST_OBJECT(element_), structure));
}

}  // namespace vmr::mixer
