#include "tile_cache.hpp"

#include "mapped_frame.hpp"

namespace vmr::mixer {
namespace {

constexpr int kSmallestLabelled = 64;   // pixels of tile height
constexpr int kLabelInset = 6;          // pixels from the tile's corner
constexpr std::uint64_t kKeepTile = 8;  // frames: a view may be slower than the room

}  // namespace

bool TileCache::up_to_date(const Entry& entry, const TileSource& source) {
    const bool placeholder = !source.picture.buffer;
    return entry.tile.version != 0 && entry.placeholder == placeholder &&
           (placeholder || entry.serial == source.picture.serial) && entry.label == source.label &&
           entry.talking == source.talking;
}

Tile& TileCache::tile(const TileSource& source, int width, int height) {
    Entry& entry = entries_[Key{source.participant, source.content, width, height}];
    entry.used = frame_;
    if (up_to_date(entry, source)) {
        return entry.tile;
    }
    if (entry.tile.version == 0) {
        entry.tile.image = Image(width, height);
    }
    draw_art(entry, source);
    entry.placeholder = !source.picture.buffer;
    entry.serial = source.picture.serial;
    entry.talking = source.talking;
    draw(entry, source);
    entry.tile.version = ++versions_;
    return entry.tile;
}

// Labels and placeholders change seldom and cost Pango: they are drawn when a text or icon changes.
void TileCache::draw_art(Entry& entry, const TileSource& source) {
    const bool fresh = entry.tile.version == 0;
    const int width = entry.tile.image.width();
    const int height = entry.tile.image.height();
    const bool renamed = fresh || entry.label.name != source.label.name;
    if (fresh || entry.label != source.label) {
        const bool bare = source.content || source.label.empty() || height < kSmallestLabelled;
        entry.label_art = bare ? Overlay{} : draw_label(source.label, width - 2 * kLabelInset, height);
    }
    if (renamed) {
        entry.stand_in = Image();
    }
    if (!source.picture.buffer && entry.stand_in.width() == 0) {
        entry.stand_in = Image(width, height);
        convert(draw_placeholder(source.label.name, width, height), entry.stand_in.planes());
    }
    entry.label = source.label;
}

bool TileCache::draw_picture(const Picture& picture, bool whole, const Planes& canvas) {
    MappedFrame mapped(picture.buffer.get(), picture.info, GST_MAP_READ);
    if (!mapped) {
        return false;
    }
    const Planes planes = mapped.planes();
    if (!whole) {
        scaler_.scale_to_tile(planes, canvas);
        return true;
    }
    const Rect all{0, 0, canvas.width, canvas.height};
    const Rect inside = fit(all, planes.width, planes.height);
    if (inside != all) {
        fill(canvas, all, kBackdrop);
    }
    scaler_.scale(planes, canvas, inside);
    return true;
}

void TileCache::draw(Entry& entry, const TileSource& source) {
    const Planes canvas = entry.tile.image.planes();
    if (entry.placeholder) {
        copy(entry.stand_in.planes(), canvas, 0, 0);
    } else if (draw_picture(source.picture, source.content, canvas)) {
        ++scales_;
    } else {
        fill(canvas, {0, 0, canvas.width, canvas.height}, kBackdrop);
    }
    if (source.content) {
        return;
    }
    if (source.talking) {
        frame_edge(canvas, canvas.height >= 180 ? 4 : 2, kTalkingEdge);
    }
    if (entry.label_art.width > 0) {
        blend(entry.label_art, canvas, kLabelInset,
              (canvas.height - entry.label_art.height - kLabelInset) & ~1);
    }
}

void TileCache::end_frame() {
    std::erase_if(entries_, [this](const auto& item) { return item.second.used + kKeepTile < frame_; });
    ++frame_;
}

}  // namespace vmr::mixer
