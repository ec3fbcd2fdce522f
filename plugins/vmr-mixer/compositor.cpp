#include "compositor.hpp"

#include "tile_art.hpp"

namespace vmr::mixer {
namespace {

constexpr int kSmallestLabelled = 64;  // pixels of tile height

// A buffer's planes while it is mapped.
class Mapped {
public:
    Mapped(GstBuffer* buffer, const GstVideoInfo& info, GstMapFlags flags)
        : mapped_(gst_video_frame_map(&frame_, &info, buffer, flags) != FALSE) {}
    ~Mapped() {
        if (mapped_) {
            gst_video_frame_unmap(&frame_);
        }
    }
    Mapped(const Mapped&) = delete;
    Mapped& operator=(const Mapped&) = delete;
    explicit operator bool() const { return mapped_; }
    Planes planes() {
        const auto plane = [this](guint i) {
            return static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, i));
        };
        return {plane(0),
                plane(1),
                plane(2),
                GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, 0),
                GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, 1),
                GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, 2),
                GST_VIDEO_FRAME_WIDTH(&frame_),
                GST_VIDEO_FRAME_HEIGHT(&frame_)};
    }

private:
    GstVideoFrame frame_{};
    bool mapped_;
};

void draw_picture(const Picture& picture, bool whole, const Planes& canvas) {
    Mapped mapped(picture.buffer.get(), picture.info, GST_MAP_READ);
    if (!mapped) {
        fill(canvas, {0, 0, canvas.width, canvas.height}, kBackdrop);
        return;
    }
    const Planes planes = mapped.planes();
    if (!whole) {
        scale_to_tile(planes, canvas);
        return;
    }
    const Rect all{0, 0, canvas.width, canvas.height};
    fill(canvas, all, kBackdrop);
    scale(planes, canvas, fit(all, planes.width, planes.height));
}

}  // namespace

BufferPtr Compositor::compose(std::span<const TileSource* const> tiles, LayoutKind layout, int width,
                              int height) {
    GstVideoInfo info;
    gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, static_cast<guint>(width),
                              static_cast<guint>(height));
    BufferPtr buffer =
        BufferPtr::adopt(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
    Mapped mapped(buffer.get(), info, GST_MAP_WRITE);
    const Planes canvas = mapped.planes();
    fill(canvas, {0, 0, width, height}, kBackdrop);
    const std::vector<Rect> places = layout_tiles(layout, tiles.size(), width, height);
    for (std::size_t i = 0; i < places.size(); ++i) {
        Tile& tile = tile_for(*tiles[i], places[i].width, places[i].height);
        copy(tile.image.planes(), canvas, places[i].x, places[i].y);
    }
    return buffer;
}

Compositor::Tile& Compositor::tile_for(const TileSource& source, int width, int height) {
    Tile& tile = tiles_[Key{source.participant, source.content, width, height}];
    tile.used = true;
    const bool placeholder = !source.picture.buffer;
    const bool same_label = tile.name == source.name && tile.muted == source.muted;
    const bool same_picture =
        placeholder ? tile.placeholder : !tile.placeholder && tile.serial == source.picture.serial;
    if (tile.image.width() != 0 && same_label && same_picture && tile.talking == source.talking) {
        return tile;
    }
    if (tile.image.width() == 0) {
        tile.image = Image(width, height);
    }
    if (!same_label || tile.label.width == 0) {
        tile.name = source.name;
        tile.muted = source.muted;
        tile.label = source.name.empty() && !source.muted
                         ? Overlay{}
                         : draw_label(source.name, source.muted, width, height);
    }
    tile.placeholder = placeholder;
    tile.serial = source.picture.serial;
    tile.talking = source.talking;
    draw(tile, source);
    return tile;
}

void Compositor::draw(Tile& tile, const TileSource& source) {
    const Planes canvas = tile.image.planes();
    if (tile.placeholder) {
        convert(draw_placeholder(source.name, canvas.width, canvas.height), canvas);
    } else {
        draw_picture(source.picture, source.content, canvas);
    }
    if (source.content) {
        return;
    }
    if (source.talking) {
        frame_edge(canvas, canvas.height >= 180 ? 4 : 2, kTalkingEdge);
    }
    if (canvas.height >= kSmallestLabelled && tile.label.width > 0) {
        blend(tile.label, canvas, 0, (canvas.height - tile.label.height) & ~1);
    }
}

void Compositor::end_frame() {
    std::erase_if(tiles_, [](const auto& entry) { return !entry.second.used; });
    for (auto& [key, tile] : tiles_) {
        tile.used = false;
    }
}

}  // namespace vmr::mixer
