// Draws views: tiles in a layout. A view whose tiles did not change is not drawn again, and of one
// that did only the changed tiles are.
#pragma once
#include <gst/gst.h>

#include <map>
#include <span>
#include <vector>

#include "layout.hpp"
#include "tile_cache.hpp"
#include "video_format.hpp"

namespace vmr::mixer {

struct ViewSize {
    ViewId view;
    int width, height;
    auto operator<=>(const ViewSize&) const = default;
};

// Of one thread.
class Compositor {
public:
    struct Drawn {
        BufferPtr picture;          // I420; its memory is shared with nobody who writes
        std::uint64_t version = 0;  // of this view: the same as long as the picture is
    };
    // The buffer's header is the caller's to stamp.
    Drawn compose(const ViewSize& view, std::span<const TileSource* const> tiles, LayoutKind layout);
    // Forgets tiles and views that were not asked for lately.
    void end_frame();
    void clear();
    std::uint64_t composites() const { return composites_; }  // pictures drawn, since the start
    std::uint64_t scales() const { return tiles_.scales(); }

private:
    struct Place {
        Rect at;
        std::uint64_t tile;  // version
        bool operator==(const Place&) const = default;
    };
    struct Canvas {
        BufferPtr buffer;
        std::vector<Place> places;
        bool usable() const;
    };
    // A few canvases take turns: what was handed out is not drawn on until everybody let it go.
    struct View {
        std::vector<Canvas> canvases;
        std::size_t current = 0;
        std::uint64_t version = 0;
        std::uint64_t used = 0;  // frame number
    };
    static Canvas& free_canvas(View& view, const ViewSize& size);
    static void draw(Canvas& canvas, const std::vector<Place>& places, std::span<Tile* const> tiles,
                     const ViewSize& size);

    TileCache tiles_;
    std::map<ViewSize, View> views_;
    std::uint64_t frame_ = 0;
    std::uint64_t composites_ = 0;
};

}  // namespace vmr::mixer
