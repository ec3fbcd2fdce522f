#include "daemon/media/wanted_video.hpp"

#include "base/guard.hpp"
#include "base/main_context.hpp"
#include "daemon/media/pipelines.hpp"

namespace vmr::media {
namespace {

// Off stage the frames pass as they come: nobody decodes them, and who comes on stage waits for a keyframe.
void follow(GstElement* depayloader, bool on_stage) {
    g_object_set(depayloader, "request-keyframe", static_cast<gboolean>(on_stage), "wait-for-keyframe",
                 static_cast<gboolean>(on_stage), nullptr);
}

}  // namespace

VideoWanted WantedVideo::wanted() const {
    const std::lock_guard lock(mutex_);
    return wanted_;
}

void WantedVideo::watch(GstElement* chain) {
    auto* watch = new Watch{shared_from_this(), named(chain, "depay")};
    follow(watch->depayloader.get(), wanted().on_stage);
    const auto pad = PadPtr::adopt(gst_element_get_static_pad(chain, "src"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_event_passed, watch,
                      [](gpointer data) { delete static_cast<Watch*>(data); });
    const auto sink = PadPtr::adopt(gst_element_get_static_pad(chain, "sink"));
    gst_pad_add_probe(sink.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_request_passed,
                      new std::shared_ptr(shared_from_this()),
                      [](gpointer data) { delete static_cast<std::shared_ptr<WantedVideo>*>(data); });
}

void WantedVideo::ask_for_keyframe() {
    call_on_main([weak = weak_from_this()] {
        if (const auto self = weak.lock(); self && self->on_keyframe_wanted_) {
            self->on_keyframe_wanted_();
        }
    });
}

GstPadProbeReturn WantedVideo::on_request_passed(GstPad*, GstPadProbeInfo* info, gpointer data) {
    if (gst_event_has_name(GST_PAD_PROBE_INFO_EVENT(info), "GstForceKeyUnit") != FALSE) {
        guard(nullptr, [&] { (*static_cast<std::shared_ptr<WantedVideo>*>(data))->ask_for_keyframe(); });
    }
    return GST_PAD_PROBE_OK;
}

void WantedVideo::take(const GstStructure* told, GstElement* depayloader) {
    VideoWanted wanted;
    gboolean on_stage = FALSE;
    if (gst_structure_get(told, "on-stage", G_TYPE_BOOLEAN, &on_stage, "width", G_TYPE_INT, &wanted.width,
                          "height", G_TYPE_INT, &wanted.height, nullptr) == FALSE) {
        return;
    }
    wanted.on_stage = on_stage != FALSE;
    follow(depayloader, wanted.on_stage);
    {
        const std::lock_guard lock(mutex_);
        if (wanted == wanted_) {
            return;
        }
        wanted_ = wanted;
    }
    call_on_main([weak = weak_from_this()] {
        if (const auto self = weak.lock(); self && self->on_changed_) {
            self->on_changed_();
        }
    });
}

GstPadProbeReturn WantedVideo::on_event_passed(GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto* watch = static_cast<Watch*>(data);
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (gst_event_has_name(event, "vmr-video-wanted") != FALSE) {
        guard(nullptr, [&] { watch->self->take(gst_event_get_structure(event), watch->depayloader.get()); });
    }
    return GST_PAD_PROBE_OK;
}

}  // namespace vmr::media
