// What an encoder made since its last keyframe, as long as that is short: who joins begins with it.
#pragma once
#include <gst/gst.h>

#include <vector>

#include "base/gst_ptr.hpp"

namespace vmr::mixer {

bool is_keyframe(const BufferPtr& frame);

class GopCache {
public:
    void add(const BufferPtr& frame);
    // The frames from the keyframe on, with times after `after` and before `before` for who has seen
    // others until then. Empty: none is kept, or the times leave no room.
    std::vector<BufferPtr> replay(GstClockTime after, GstClockTime before) const;
    void clear();

private:
    std::vector<BufferPtr> frames_;  // the first is a keyframe
    std::size_t bytes_ = 0;
};

}  // namespace vmr::mixer
