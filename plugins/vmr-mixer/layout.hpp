// Where the tiles of a composed picture are.
#pragma once
#include <cstddef>
#include <vector>

namespace vmr::mixer {

enum class LayoutKind { speaker, equal, single, content };

struct Rect {
    int x = 0, y = 0, width = 0, height = 0;  // pixels, all even: I420 halves them
    bool operator==(const Rect&) const = default;
    bool meets(const Rect& other) const {
        return x < other.x + other.width && other.x < x + width && y < other.y + other.height &&
               other.y < y + height;
    }
};

// The most tiles that a layout shows.
std::size_t layout_capacity(LayoutKind kind);

// Rectangles for `count` tiles (at most the capacity) on a canvas; the first is the speaker's, or
// the content's. They never overlap or leave the canvas. Tiles have the canvas' aspect ratio.
std::vector<Rect> layout_tiles(LayoutKind kind, std::size_t count, int width, int height);

// The largest rectangle of an aspect ratio inside `area`, centred, even.
Rect fit(const Rect& area, int width, int height);

}  // namespace vmr::mixer
