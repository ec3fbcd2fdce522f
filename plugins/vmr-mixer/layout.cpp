#include "layout.hpp"

#include <algorithm>
#include <cmath>

namespace vmr::mixer {
namespace {

constexpr int even(int value) {
    return value & ~1;
}

// Columns that make tiles largest: with tiles of the canvas' shape that is the squarest grid.
std::vector<Rect> grid(std::size_t count, int width, int height) {
    const auto columns = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(count))));
    const int total = static_cast<int>(count);
    const int rows = (total + columns - 1) / columns;
    const int tile_width = even(width / columns);
    const int tile_height = even(std::min(height / rows, height / columns));
    const int top = even((height - rows * tile_height) / 2);
    std::vector<Rect> tiles;
    for (int row = 0; row < rows; ++row) {
        const int in_row = std::min(columns, total - row * columns);
        const int left = even((width - in_row * tile_width) / 2);
        for (int column = 0; column < in_row; ++column) {
            tiles.push_back({left + column * tile_width, top + row * tile_height, tile_width, tile_height});
        }
    }
    return tiles;
}

// One large tile on three quarters of each side; up to four small ones below it, centred.
std::vector<Rect> large_and_strip(std::size_t small, int width, int height) {
    const int large_width = even(width * 3 / 4);
    const int large_height = even(height * 3 / 4);
    const int tile_width = even(width / 4);
    const int tile_height = even(height / 4);
    std::vector<Rect> tiles{{even((width - large_width) / 2), 0, large_width, large_height}};
    const int left = even((width - static_cast<int>(small) * tile_width) / 2);
    for (int i = 0; i < static_cast<int>(small); ++i) {
        tiles.push_back({left + i * tile_width, large_height, tile_width, tile_height});
    }
    return tiles;
}

// One large tile top left, three small ones to its right, four below.
std::vector<Rect> one_and_seven(std::size_t small, int width, int height) {
    const int tile_width = even(width / 4);
    const int tile_height = even(height / 4);
    std::vector<Rect> tiles{{0, 0, tile_width * 3, tile_height * 3}};
    for (int i = 0; i < 4; ++i) {
        tiles.push_back({i * tile_width, tile_height * 3, tile_width, tile_height});
    }
    for (int i = 0; i < 3; ++i) {
        tiles.push_back({tile_width * 3, i * tile_height, tile_width, tile_height});
    }
    tiles.resize(small + 1);
    return tiles;
}

}  // namespace

std::size_t layout_capacity(LayoutKind kind) {
    switch (kind) {
        case LayoutKind::equal:
            return 25;
        case LayoutKind::single:
            return 1;
        case LayoutKind::speaker:
        case LayoutKind::content:
            break;
    }
    return 8;
}

std::vector<Rect> layout_tiles(LayoutKind kind, std::size_t count, int width, int height) {
    count = std::min(count, layout_capacity(kind));
    if (count == 0) {
        return {};
    }
    if (count == 1) {
        return {{0, 0, even(width), even(height)}};
    }
    if (kind == LayoutKind::equal) {
        return grid(count, width, height);
    }
    return count <= 5 ? large_and_strip(count - 1, width, height) : one_and_seven(count - 1, width, height);
}

Rect fit(const Rect& area, int width, int height) {
    if (width <= 0 || height <= 0) {
        return area;
    }
    const double scale =
        std::min(static_cast<double>(area.width) / width, static_cast<double>(area.height) / height);
    const int fitted_width = std::clamp(even(static_cast<int>(std::lround(width * scale))), 2, area.width);
    const int fitted_height = std::clamp(even(static_cast<int>(std::lround(height * scale))), 2, area.height);
    return {area.x + even((area.width - fitted_width) / 2), area.y + even((area.height - fitted_height) / 2),
            fitted_width, fitted_height};
}

}  // namespace vmr::mixer
