// What the room wants from each sender of pictures, and how they learn of it.
#pragma once
#include <gst/gst.h>

#include <map>

#include "compositor.hpp"
#include "pad_lists.hpp"
#include "transition.hpp"

namespace vmr::mixer {

// Collected anew each frame. Of the vmr-video thread.
class Demand {
public:
    // Whoever has a tile in this view is wanted as large as the tile.
    void add(const Scene& scene, int width, int height);
    // Tells the pads for which something changed: by properties and by an upstream event
    // `vmr-video-wanted`, with a request for a keyframe to who comes on stage. A screen that has
    // not shown anything yet is wanted, so that one learns of it. Waits for nobody.
    void tell(GstElement* element, const PadLists& lists) const;
    void clear() { wanted_.clear(); }

private:
    Wanted of(GstPad* pad) const;

    std::map<TileId, Wanted> wanted_;
};

}  // namespace vmr::mixer
