// The tiles of a room: each source scaled and labelled once per size, for all views.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "image.hpp"
#include "pads.hpp"
#include "scaler.hpp"
#include "tile_art.hpp"

namespace vmr::mixer {

// What one tile shows, this frame.
struct TileSource {
    unsigned participant = 0;
    LabelText label;
    bool talking = false;
    bool content = false;  // shown whole, without a label
    Picture picture;       // no buffer: a placeholder
};

struct Tile {
    Image image;
    std::uint64_t version = 0;  // changes whenever the image does; never used twice
};

// Of one thread.
class TileCache {
public:
    // Drawn anew only when the source has changed. Stays valid until the next end_frame().
    Tile& tile(const TileSource& source, int width, int height);
    // Forgets tiles that were not asked for lately.
    void end_frame();
    void clear() { entries_.clear(); }
    // Any picture, into any place.
    Scaler& scaler() { return scaler_; }
    std::uint64_t scales() const { return scales_; }  // pictures scaled, since the start

private:
    struct Key {
        unsigned participant;
        bool content;
        int width, height;
        auto operator<=>(const Key&) const = default;
    };
    struct Entry {
        Tile tile;
        // What the image was drawn from:
        std::uint64_t serial = 0;
        bool placeholder = false, talking = false;
        LabelText label;
        // Drawn by Cairo and kept, as long as their texts hold:
        Overlay label_art;
        Image stand_in;
        std::uint64_t used = 0;  // frame number
    };
    bool draw_picture(const Picture& picture, bool whole, const Planes& canvas);
    static bool up_to_date(const Entry& entry, const TileSource& source);
    static void draw_art(Entry& entry, const TileSource& source);
    void draw(Entry& entry, const TileSource& source);

    Scaler scaler_;
    std::map<Key, Entry> entries_;
    std::uint64_t frame_ = 0;
    std::uint64_t versions_ = 0;
    std::uint64_t scales_ = 0;
};

}  // namespace vmr::mixer
