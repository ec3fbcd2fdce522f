#include "daemon/media/pad_sync.hpp"

#include <condition_variable>
#include <mutex>
#include <stdexcept>

namespace vmr::media {
namespace {

struct Moment {
    std::mutex mutex;
    std::condition_variable condition;
    bool passed = false;
};

GstPadProbeReturn on_pad_idle(GstPad* pad, GstPadProbeInfo*, gpointer data) {
    if (auto peer = PadPtr::adopt(gst_pad_get_peer(pad))) {
        gst_pad_unlink(pad, peer.get());
    }
    auto* moment = static_cast<Moment*>(data);
    const std::lock_guard lock(moment->mutex);
    moment->passed = true;
    moment->condition.notify_all();
    return GST_PAD_PROBE_REMOVE;
}

}  // namespace

void unlink_when_idle(GstPad* source) {
    Moment moment;
    gst_pad_add_probe(source, GST_PAD_PROBE_TYPE_IDLE, on_pad_idle, &moment, nullptr);
    std::unique_lock lock(moment.mutex);
    moment.condition.wait(lock, [&] { return moment.passed; });
}

PadPtr pad_of(GstElement* element, const char* name) {
    auto pad = PadPtr::adopt(gst_element_get_static_pad(element, name));
    if (!pad) {
        // Elements with request pads give theirs on demand, and again the same one by its name.
        pad = PadPtr::adopt(gst_element_request_pad_simple(element, name));
    }
    if (!pad) {
        throw std::logic_error(std::string(GST_ELEMENT_NAME(element)) + " has no pad " + name);
    }
    return pad;
}

void link_pads(GstPad* source, GstPad* sink) {
    const GstPadLinkReturn outcome = gst_pad_link(source, sink);
    if (outcome != GST_PAD_LINK_OK) {
        throw std::logic_error(std::string("cannot link ") + GST_PAD_NAME(source) + ": " +
                               gst_pad_link_get_name(outcome));
    }
}

PadPtr ghost(GstElement* bin, const std::string& name) {
    return PadPtr::adopt(gst_element_get_static_pad(bin, name.c_str()));
}

void expose(GstElement* bin, const std::string& name, GstPad* target) {
    if (!ghost(bin, name)) {
        GstPad* pad = gst_ghost_pad_new(name.c_str(), target);
        gst_pad_set_active(pad, TRUE);
        gst_element_add_pad(bin, pad);
    }
}

void hide(GstElement* bin, const std::string& name) {
    if (const PadPtr pad = ghost(bin, name)) {
        gst_ghost_pad_set_target(GST_GHOST_PAD(pad.get()), nullptr);
        gst_pad_set_active(pad.get(), FALSE);
        gst_element_remove_pad(bin, pad.get());
    }
}

}  // namespace vmr::media
