// I420 pictures in memory, and what is done to them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "layout.hpp"

namespace vmr::mixer {

// Borrowed planes of a picture.
struct Planes {
    std::uint8_t *y = nullptr, *u = nullptr, *v = nullptr;
    int y_stride = 0, u_stride = 0, v_stride = 0;  // bytes
    int width = 0, height = 0;                     // pixels
};

struct Colour {
    std::uint8_t y, u, v;  // BT.601, limited range
};
inline constexpr Colour kBackdrop{24, 130, 127};
inline constexpr Colour kTalkingEdge{150, 80, 60};

// A picture that owns its memory. Width and height are even.
class Image {
public:
    Image() = default;
    Image(int width, int height);
    Planes planes();
    int width() const { return width_; }
    int height() const { return height_; }

private:
    int width_ = 0;
    int height_ = 0;
    std::vector<std::uint8_t> data_;
};

// A picture with an alpha channel, premultiplied BGRA as Cairo draws it.
struct Overlay {
    int width = 0, height = 0, stride = 0;
    std::vector<std::uint8_t> bgra;
};

Planes window(const Planes& from, const Rect& area);  // a part of them
void fill(const Planes& canvas, const Rect& area, Colour colour);
void copy(const Planes& picture, const Planes& canvas, int x, int y);
void scale(const Planes& picture, const Planes& canvas, const Rect& area);
// x and y are even. `opacity`: 0 … 256.
void blend(const Overlay& overlay, const Planes& canvas, int x, int y, int opacity = 256);
void frame_edge(const Planes& canvas, int thickness, Colour colour);
void convert(const Overlay& opaque, const Planes& canvas);

}  // namespace vmr::mixer
