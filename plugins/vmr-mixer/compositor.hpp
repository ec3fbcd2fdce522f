// Draws a view: tiles in a layout. Each source is scaled and labelled once per size and frame.
#pragma once
#include <gst/gst.h>

#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "image.hpp"
#include "layout.hpp"
#include "pads.hpp"

namespace vmr::mixer {

// What one tile shows, this frame.
struct TileSource {
    unsigned participant = 0;
    std::string name;
    bool muted = false;
    bool talking = false;
    bool content = false;  // shown whole, without a label
    Picture picture;       // no buffer: a placeholder
};

// Of one thread.
class Compositor {
public:
    // A new I420 picture of the size, without timestamps.
    BufferPtr compose(std::span<const TileSource* const> tiles, LayoutKind layout, int width, int height);
    // Forgets tiles that were not used since the last call.
    void end_frame();

private:
    struct Key {
        unsigned participant;
        bool content;
        int width, height;
        auto operator<=>(const Key&) const = default;
    };
    struct Tile {
        Image image;
        std::uint64_t serial = 0;
        bool placeholder = false, muted = false, talking = false;
        std::string name;
        Overlay label;
        bool used = false;
    };
    Tile& tile_for(const TileSource& source, int width, int height);
    static void draw(Tile& tile, const TileSource& source);

    std::map<Key, Tile> tiles_;
};

}  // namespace vmr::mixer
