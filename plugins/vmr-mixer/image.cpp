#include "image.hpp"

#include <libyuv.h>

#include <algorithm>

namespace vmr::mixer {
namespace {

std::uint8_t over(int below, int colour, int alpha) {
    return static_cast<std::uint8_t>(std::clamp(below * (255 - alpha) / 255 + colour, 0, 255));
}

}  // namespace

Image::Image(int width, int height)
    : width_(width),
      height_(height),
      data_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3 / 2) {}

Planes Image::planes() {
    std::uint8_t* y = data_.data();
    std::uint8_t* u = y + static_cast<std::ptrdiff_t>(width_) * height_;
    std::uint8_t* v = u + static_cast<std::ptrdiff_t>(width_ / 2) * (height_ / 2);
    return {y, u, v, width_, width_ / 2, width_ / 2, width_, height_};
}

Planes window(const Planes& from, const Rect& area) {
    return {from.y + static_cast<std::ptrdiff_t>(area.y) * from.y_stride + area.x,
            from.u + static_cast<std::ptrdiff_t>(area.y / 2) * from.u_stride + area.x / 2,
            from.v + static_cast<std::ptrdiff_t>(area.y / 2) * from.v_stride + area.x / 2,
            from.y_stride,
            from.u_stride,
            from.v_stride,
            area.width,
            area.height};
}

void fill(const Planes& canvas, const Rect& area, Colour colour) {
    libyuv::I420Rect(canvas.y, canvas.y_stride, canvas.u, canvas.u_stride, canvas.v, canvas.v_stride, area.x,
                     area.y, area.width, area.height, colour.y, colour.u, colour.v);
}

void copy(const Planes& picture, const Planes& canvas, int x, int y) {
    const Planes to = window(canvas, {x, y, picture.width, picture.height});
    libyuv::I420Copy(picture.y, picture.y_stride, picture.u, picture.u_stride, picture.v, picture.v_stride,
                     to.y, to.y_stride, to.u, to.u_stride, to.v, to.v_stride, picture.width, picture.height);
}

void scale(const Planes& picture, const Planes& canvas, const Rect& area) {
    const Planes to = window(canvas, area);
    libyuv::I420Scale(picture.y, picture.y_stride, picture.u, picture.u_stride, picture.v, picture.v_stride,
                      picture.width, picture.height, to.y, to.y_stride, to.u, to.u_stride, to.v, to.v_stride,
                      to.width, to.height, libyuv::kFilterBox);
}

void blend(const Overlay& overlay, const Planes& canvas, int x, int y, int opacity) {
    const int width = std::min(overlay.width, canvas.width - x);
    const int height = std::min(overlay.height, canvas.height - y);
    for (int row = 0; row < height; ++row) {
        const std::uint8_t* from = overlay.bgra.data() + static_cast<std::ptrdiff_t>(row) * overlay.stride;
        std::uint8_t* luma = canvas.y + static_cast<std::ptrdiff_t>(y + row) * canvas.y_stride + x;
        std::uint8_t* cb = canvas.u + static_cast<std::ptrdiff_t>((y + row) / 2) * canvas.u_stride + x / 2;
        std::uint8_t* cr = canvas.v + static_cast<std::ptrdiff_t>((y + row) / 2) * canvas.v_stride + x / 2;
        for (int column = 0; column < width; ++column, from += 4) {
            const int a = from[3] * opacity / 256;
            if (a == 0) {
                continue;
            }
            const int b = from[0] * opacity / 256, g = from[1] * opacity / 256, r = from[2] * opacity / 256;
            // BT.601 on premultiplied colour: the offsets shrink with alpha too.
            luma[column] = over(luma[column], (66 * r + 129 * g + 25 * b) / 256 + 16 * a / 255, a);
            if (((row | column) & 1) == 0) {
                cb[column / 2] = over(cb[column / 2], (-38 * r - 74 * g + 112 * b) / 256 + 128 * a / 255, a);
                cr[column / 2] = over(cr[column / 2], (112 * r - 94 * g - 18 * b) / 256 + 128 * a / 255, a);
            }
        }
    }
}

void frame_edge(const Planes& canvas, int thickness, Colour colour) {
    fill(canvas, {0, 0, canvas.width, thickness}, colour);
    fill(canvas, {0, canvas.height - thickness, canvas.width, thickness}, colour);
    fill(canvas, {0, 0, thickness, canvas.height}, colour);
    fill(canvas, {canvas.width - thickness, 0, thickness, canvas.height}, colour);
}

void convert(const Overlay& opaque, const Planes& canvas) {
    libyuv::ARGBToI420(opaque.bgra.data(), opaque.stride, canvas.y, canvas.y_stride, canvas.u,
                       canvas.u_stride, canvas.v, canvas.v_stride, canvas.width, canvas.height);
}

}  // namespace vmr::mixer
