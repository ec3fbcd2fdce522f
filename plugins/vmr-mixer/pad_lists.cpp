#include "pad_lists.hpp"

#include <algorithm>

namespace vmr::mixer {

std::vector<PadPtr>& PadLists::of(Kind kind, GstPadDirection direction) {
    const bool sink = direction == GST_PAD_SINK;
    switch (kind) {
        case Kind::audio:
            return sink ? audio_sinks : audio_srcs;
        case Kind::video:
            return sink ? video_sinks : video_srcs;
        case Kind::content:
            break;
    }
    return sink ? content_sinks : content_srcs;
}

std::shared_ptr<const PadLists> PadBook::read() const {
    const std::lock_guard held(lock_);
    return lists_;
}

void PadBook::add(Kind kind, GstPad* pad) {
    const std::lock_guard held(lock_);
    auto changed = std::make_shared<PadLists>(*lists_);
    changed->of(kind, GST_PAD_DIRECTION(pad)).push_back(PadPtr::ref(pad));
    lists_ = std::move(changed);
}

void PadBook::remove(Kind kind, GstPad* pad) {
    std::shared_ptr<const PadLists> old;  // freed after the lock: it may hold last references
    const std::lock_guard held(lock_);
    auto changed = std::make_shared<PadLists>(*lists_);
    std::erase_if(changed->of(kind, GST_PAD_DIRECTION(pad)),
                  [pad](const PadPtr& known) { return known.get() == pad; });
    old = std::exchange(lists_, std::move(changed));
}

}  // namespace vmr::mixer
