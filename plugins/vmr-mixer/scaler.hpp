// Scales pictures into tiles. libyuv is quick at halves and quarters; tiles are rarely that.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "image.hpp"

namespace vmr::mixer {

// Eight output pixels of a row, of which each is made of two neighbours.
struct Taps {
    struct Block {
        int from;                            // first input pixel; the others are within 16
        std::array<std::uint8_t, 16> index;  // of the left and right neighbour, from there on
        std::array<std::int8_t, 16> weight;  // of either; both together 64
    };
    std::vector<Block> blocks;
};

// For steps below two input pixels each. The centres of the pictures' pixels are aligned.
Taps make_taps(int from, int to);
// `row` has 16 more bytes than its pixels, the first of them the last pixel again.
void scale_row(const std::uint8_t* row, const Taps& taps, std::uint8_t* out, int width);
// The same without SIMD.
void scale_row_plainly(const std::uint8_t* row, const Taps& taps, std::uint8_t* out, int width);

// Of one thread; keeps what it works out.
class Scaler {
public:
    void scale(const Planes& picture, const Planes& canvas, const Rect& area);
    // Fills the canvas with the picture: cropped when the shapes are nearly alike, else with bars.
    void scale_to_tile(const Planes& picture, const Planes& canvas);

private:
    struct Plane {
        std::uint8_t* data;
        int stride, width, height;
    };
    void scale_plane(const Plane& from, const Plane& to);
    const Taps& taps(int from, int to);

    std::map<std::pair<int, int>, Taps> taps_;
    std::vector<std::uint8_t> row_;
    std::array<Image, 2> halves_;  // on the way to much smaller pictures
};

}  // namespace vmr::mixer
