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

}  // namespace

bool Compositor::Canvas::usable() const {
    return gst_buffer_is_writable(buffer.get()) && gst_buffer_is_all_memory_writable(buffer.get()) != FALSE;
}

Compositor::Drawn Compositor::compose(const ViewSize& size, std::span<const TileSource* const> tiles,
                                      LayoutKind layout) {
    const std::vector<Rect> rects = layout_tiles(layout, tiles.size(), size.width, size.height);
    std::vector<Tile*> drawn;
    std::vector<Place> places;
    for (std::size_t i = 0; i < rects.size(); ++i) {
        drawn.push_back(&tiles_.tile(*tiles[i], rects[i].width, rects[i].height));
        places.push_back({rects[i], drawn.back()->version});
    }
    View& view = views_[size];
    view.used = frame_;
    if (view.version == 0 || view.canvases[view.current].places != places) {
        draw(free_canvas(view, size), places, drawn, size);
        ++view.version;
        ++composites_;
    }
    // A copy of the header; the picture itself is shared.
    return {BufferPtr::adopt(gst_buffer_copy(view.canvases[view.current].buffer.get())), view.version};
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
    canvas.places.clear();
    return canvas;
}

void Compositor::draw(Canvas& canvas, const std::vector<Place>& places, std::span<Tile* const> tiles,
                      const ViewSize& size) {
    MappedFrame mapped(canvas.buffer.get(), info_of(size), GST_MAP_WRITE);
    if (!mapped) {
        return;
    }
    const Planes planes = mapped.planes();
    const bool same_layout =
        !canvas.places.empty() &&
        std::equal(canvas.places.begin(), canvas.places.end(), places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.at == b.at; });
    if (!same_layout) {
        fill(planes, {0, 0, size.width, size.height}, kBackdrop);
    }
    for (std::size_t i = 0; i < places.size(); ++i) {
        if (!same_layout || canvas.places[i].tile != places[i].tile) {
            copy(tiles[i]->image.planes(), planes, places[i].at.x, places[i].at.y);
        }
    }
    canvas.places = places;
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
