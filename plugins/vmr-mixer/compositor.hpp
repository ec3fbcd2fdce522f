// Draws views: tiles in a layout, a banner and a badge over them. A view in which nothing changed
// is not drawn again, and of one that did change only the changed tiles are.
#pragma once
#include <gst/gst.h>

#include <map>
#include <span>
#include <vector>

#include "banners.hpp"
#include "decals.hpp"
#include "layout.hpp"
#include "tile_cache.hpp"
#include "transition.hpp"
#include "video_format.hpp"

namespace vmr::mixer {

struct ViewSize {
    ViewId view;
    int width, height;
    auto operator<=>(const ViewSize&) const = default;
};

struct Scene {
    std::vector<const TileSource*> tiles;
    LayoutKind layout = LayoutKind::speaker;
    Banners::Shown banner;
    Padlock badge = Padlock::none;
    bool transitions = false;  // tiles glide to new places
    double now = 0.0;          // s
};

// Of one thread.
class Compositor {
public:
    struct Drawn {
        BufferPtr picture;          // I420, its header the caller's to stamp; nobody writes on it
        std::uint64_t version = 0;  // of this view: the same as long as the picture is
    };
    Drawn compose(const ViewSize& size, const Scene& scene);
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
    // What a canvas shows, and what it is to show.
    struct Content {
        std::vector<Place> places;
        std::vector<Decals::Mark> marks;
        bool gliding = false;
        bool operator==(const Content&) const = default;
    };
    struct Canvas {
        BufferPtr buffer;
        Content shown;
        bool usable() const;
    };
    // A few canvases take turns: what was handed out is not drawn on until everybody let it go.
    struct View {
        std::vector<Canvas> canvases;
        std::size_t current = 0;
        std::uint64_t version = 0;
        Transition transition;
        Decals decals;
        std::uint64_t used = 0;  // frame number
    };
    struct Damage {
        bool everything = false;
        std::vector<bool> tiles;
        std::vector<Rect> areas;  // of banner and badge, before and after
    };
    Content plan(View& view, const ViewSize& size, const Scene& scene, std::vector<Tile*>& tiles);
    static Canvas& free_canvas(View& view, const ViewSize& size);
    static Damage find_damage(const Content& shown, const Content& wanted);
    static void draw(Canvas& canvas, Content wanted, std::span<Tile* const> tiles, const Decals& decals,
                     const ViewSize& size, Scaler& scaler);

    TileCache tiles_;
    std::map<ViewSize, View> views_;
    std::uint64_t frame_ = 0;
    std::uint64_t composites_ = 0;
};

}  // namespace vmr::mixer
