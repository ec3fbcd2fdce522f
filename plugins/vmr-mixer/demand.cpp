#include "demand.hpp"

#include <gst/video/video.h>

#include <algorithm>
#include <memory>

#include "base/guard.hpp"
#include "video_input.hpp"

namespace vmr::mixer {
namespace {

void send_wanted(GstPad* pad, const Wanted& wanted, bool entered) {
    g_object_notify(G_OBJECT(pad), "on-stage");
    g_object_notify(G_OBJECT(pad), "wanted-width");
    g_object_notify(G_OBJECT(pad), "wanted-height");
    gst_pad_push_event(
        pad,
        gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                             gst_structure_new("vmr-video-wanted", "on-stage", G_TYPE_BOOLEAN,
                                               wanted.on_stage ? TRUE : FALSE, "width", G_TYPE_INT,
                                               wanted.width, "height", G_TYPE_INT, wanted.height, nullptr)));
    if (entered) {
        gst_pad_push_event(pad, gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
    }
}

// On a thread of GStreamer's: whoever is upstream may take their time.
void tell_pad(GstPad* pad) {
    VideoInput& input = video_input(pad);
    while (true) {
        Wanted wanted;
        bool entered = false;
        {
            const std::lock_guard held(input.lock);
            if (input.told == input.wanted) {
                input.telling = false;
                return;
            }
            wanted = input.wanted;
            entered = wanted.on_stage && !(input.told && input.told->on_stage);
            input.told = wanted;
        }
        send_wanted(pad, wanted, entered);
    }
}

void want(GstElement* element, GstPad* pad, const Wanted& wanted) {
    VideoInput& input = video_input(pad);
    bool moves = false;
    bool told = false;
    {
        const std::lock_guard held(input.lock);
        moves = input.wanted.on_stage != wanted.on_stage;
        input.wanted = wanted;
        told = input.telling || input.told == wanted;
        input.telling = input.telling || !told;
    }
    if (moves) {
        enter_or_leave_stage(pad, wanted.on_stage);
    }
    if (told) {
        return;
    }
    auto* keep = new PadPtr(PadPtr::ref(pad));
    gst_element_call_async(
        element,
        [](GstElement* mixer, gpointer data) {
            guard(mixer, [data] { tell_pad(static_cast<PadPtr*>(data)->get()); });
        },
        keep, [](gpointer data) { delete static_cast<PadPtr*>(data); });
}

}  // namespace

void Demand::add(const Scene& scene, int width, int height) {
    const std::vector<Rect> places = layout_tiles(scene.layout, scene.tiles.size(), width, height);
    for (std::size_t i = 0; i < places.size(); ++i) {
        Wanted& wanted = wanted_[{scene.tiles[i]->participant, scene.tiles[i]->content}];
        wanted.on_stage = true;
        wanted.width = std::max(wanted.width, places[i].width);
        wanted.height = std::max(wanted.height, places[i].height);
    }
}

Wanted Demand::of(GstPad* pad) const {
    VideoInput& input = video_input(pad);
    const bool content = input.kind == Kind::content;
    if (const auto found = wanted_.find({input.index, content}); found != wanted_.end()) {
        return found->second;
    }
    const std::lock_guard held(input.lock);
    return {.on_stage = content && input.visible && !input.picture.buffer};
}

void Demand::tell(GstElement* element, const PadLists& lists) const {
    for (const auto* pads : {&lists.video_sinks, &lists.content_sinks}) {
        for (const PadPtr& pad : *pads) {
            want(element, pad.get(), of(pad.get()));
        }
    }
}

}  // namespace vmr::mixer
