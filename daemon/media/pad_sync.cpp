#include "daemon/media/pad_sync.hpp"

#include <condition_variable>
#include <mutex>

#include "base/gst_ptr.hpp"

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

}  // namespace vmr::media
