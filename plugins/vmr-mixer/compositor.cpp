#include "compositor.hpp"

#include <algorithm>

#include "mapped_frame.hpp"

namespace vmr::mixer {
namespace {

constexpr std::uint64_t kKeepView = 60;  // frames
constexpr std::size_t kMostCanvases = 4;

GstVideoInfo info_of(const ViewSize& size) {
    GstVideoInfo info;
    gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, static_cast<guint>(size.width),
                              static_cast<guint>(size.height));
    return info;
}

bool meets_any(const Rect& place, const std::vector<Rect>& areas) {
    return std::any_of(areas.begin(), areas.end(), [&](const Rect& area) { return area.meets(place); });
}

}  // namespace

bool Compositor::Canvas::usable() const {
    return gst_buffer_is_writable(buffer.get()) && gst_buffer_is_all_memory_writable(buffer.get()) != FALSE;
}

Compositor::Drawn Compositor::compose(const ViewSize& size, const Scene& scene) {
    View& view = views_[size];
    view.used = frame_;
    std::vector<Tile*> tiles;
    Content wanted = plan(view, size, scene, tiles);
    if (view.version == 0 || view.canvases[view.current].shown != wanted) {
        draw(free_canvas(view, size), std::move(wanted), tiles, view.decals, size, tiles_.scaler());
        ++view.version;
        ++composites_;
    }
    // A copy of the header; the picture itself is shared.
    return {BufferPtr::adopt(gst_buffer_copy(view.canvases[view.current].buffer.get())), view.version};
}

// Tiles are drawn at the size that they come to have, also while they glide.
Compositor::Content Compositor::plan(View& view, const ViewSize& size, const Scene& scene,
                                     std::vector<Tile*>& tiles) {
    const std::vector<Rect> targets = layout_tiles(scene.layout, scene.tiles.size(), size.width, size.height);
    std::vector<TileId> ids;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        ids.push_back({scene.tiles[i]->participant, scene.tiles[i]->content});
    }
    std::vector<Rect> at = view.transition.step(scene.now, ids, targets);
    if (!scene.transitions) {
        at = targets;
    }
    Content wanted{{}, view.decals.update(scene.banner, scene.badge, size.width, size.height), at != targets};
    for (std::size_t i = 0; i < targets.size(); ++i) {
        tiles.push_back(&tiles_.tile(*scene.tiles[i], targets[i].width, targets[i].height));
        wanted.places.push_back({at[i], tiles.back()->version});
    }
    return wanted;
}

Compositor::Canvas& Compositor::free_canvas(View& view, const ViewSize& size) {
    if (view.version != 0 && view.canvases[view.current].usable()) {
        return view.canvases[view.current];  // holds the last picture: the least to redraw
    }
    const auto found = std::find_if(view.canvases.begin(), view.canvases.end(),
                                    [](const Canvas& canvas) { return canvas.usable(); });
    if (found != view.canvases.end()) {
        view.current = static_cast<std::size_t>(found - view.canvases.begin());
        return *found;
    }
    if (view.canvases.size() < kMostCanvases) {
        view.current = view.canvases.size();
        view.canvases.emplace_back();
    } else {
        view.current = (view.current + 1) % kMostCanvases;  // a slow consumer keeps the old one
    }
    Canvas& canvas = view.canvases[view.current];
    const GstVideoInfo info = info_of(size);
    canvas.buffer = BufferPtr::adopt(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
    canvas.shown = {};
    return canvas;
}

void Compositor::draw(Canvas& canvas, Content wanted, std::span<Tile* const> tiles, const Decals& decals,
                      const ViewSize& size, Scaler& scaler) {
    MappedFrame mapped(canvas.buffer.get(), info_of(size), GST_MAP_WRITE);
    if (!mapped) {
        return;
    }
    const Planes planes = mapped.planes();
    const Damage damage = find_damage(canvas.shown, wanted);
    if (damage.everything) {
        fill(planes, {0, 0, size.width, size.height}, kBackdrop);
    } else {
        for (const Rect& area : damage.areas) {
            fill(planes, area, kBackdrop);
        }
    }
    for (std::size_t i = 0; i < tiles.size(); ++i) {
        if (!damage.everything && !damage.tiles[i]) {
            continue;
        }
        Image& image = tiles[i]->image;
        const Rect& at = wanted.places[i].at;
        if (at.width == image.width() && at.height == image.height()) {
            copy(image.planes(), planes, at.x, at.y);
        } else {
            scaler.scale(image.planes(), planes, at);
        }
    }
    if (damage.everything || !damage.areas.empty()) {
        decals.draw(planes);
    }
    canvas.shown = std::move(wanted);
}

// A banner or badge lies on its tiles: when either changes, all of that is drawn again.
Compositor::Damage Compositor::find_damage(const Content& shown, const Content& wanted) {
    Damage damage;
    const bool same_places =
        std::equal(shown.places.begin(), shown.places.end(), wanted.places.begin(), wanted.places.end(),
                   [](const Place& a, const Place& b) { return a.at == b.at; });
    damage.everything = shown.places.empty() || !same_places || shown.gliding || wanted.gliding;
    if (damage.everything) {
        return damage;
    }
    std::vector<Rect> areas;
    for (const auto* marks : {&shown.marks, &wanted.marks}) {
        for (const Decals::Mark& mark : *marks) {
            areas.push_back(mark.area);
        }
    }
    bool disturbed = shown.marks != wanted.marks;
    for (std::size_t i = 0; i < wanted.places.size(); ++i) {
        damage.tiles.push_back(shown.places[i].tile != wanted.places[i].tile);
        disturbed = disturbed || (damage.tiles[i] && meets_any(wanted.places[i].at, areas));
    }
    if (!disturbed) {
        return damage;
    }
    damage.areas = std::move(areas);
    for (std::size_t i = 0; i < wanted.places.size(); ++i) {
        damage.tiles[i] = damage.tiles[i] || meets_any(wanted.places[i].at, damage.areas);
    }
    return damage;
}

void Compositor::end_frame() {
    std::erase_if(views_, [this](const auto& item) { return item.second.used + kKeepView < frame_; });
    tiles_.end_frame();
    ++frame_;
}

void Compositor::clear() {
    views_.clear();
    tiles_.clear();
}

}  // namespace vmr::mixer
