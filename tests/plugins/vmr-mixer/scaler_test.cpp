#include "scaler.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

namespace vmr::mixer {
namespace {

// A slope across both directions: every place has a colour of its own.
Image slope(int width, int height) {
    Image image(width, height);
    const Planes planes = image.planes();
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            planes.y[y * planes.y_stride + x] =
                static_cast<std::uint8_t>(20 + 100 * x / width + 100 * y / height);
        }
    }
    for (int y = 0; y < height / 2; ++y) {
        for (int x = 0; x < width / 2; ++x) {
            planes.u[y * planes.u_stride + x] = static_cast<std::uint8_t>(200 * x * 2 / width);
            planes.v[y * planes.v_stride + x] = static_cast<std::uint8_t>(200 * y * 2 / height);
        }
    }
    return image;
}

TEST(Scaler, KeepsColoursInTheirPlacesAtAnySize) {
    Scaler scaler;
    for (const auto& [width, height] :
         {std::pair{640, 360}, {1280, 720}, {320, 240}, {176, 144}, {1920, 1080}}) {
        Image from = slope(width, height);
        for (const auto& [w, h] : {std::pair{426, 240},
                                   {640, 360},
                                   {320, 180},
                                   {960, 540},
                                   {254, 142},
                                   {16, 16},
                                   {1278, 718},
                                   {62, 300}}) {
            Image to(w, h);
            scaler.scale(from.planes(), to.planes(), {0, 0, w, h});
            Image expected = slope(w, h);
            const Planes is = to.planes();
            const Planes should = expected.planes();
            for (int y = 0; y < h; ++y) {
                for (int x = 0; x < w; ++x) {
                    ASSERT_LE(std::abs(is.y[y * w + x] - should.y[y * w + x]), 4 + 200 / std::min(w, h))
                        << width << "x" << height << " to " << w << "x" << h << " at " << x << "," << y;
                }
            }
            for (int y = 0; y < h / 2; ++y) {
                for (int x = 0; x < w / 2; ++x) {
                    ASSERT_LE(std::abs(is.u[y * w / 2 + x] - should.u[y * w / 2 + x]),
                              4 + 800 / std::min(w, h));
                    ASSERT_LE(std::abs(is.v[y * w / 2 + x] - should.v[y * w / 2 + x]),
                              4 + 800 / std::min(w, h));
                }
            }
        }
    }
}

TEST(Scaler, NothingIsDrawnBesideTheArea) {
    Scaler scaler;
    Image from = slope(640, 360);
    Image canvas(640, 360);
    fill(canvas.planes(), {0, 0, 640, 360}, {1, 2, 3});
    const Rect area{10, 20, 426, 238};
    scaler.scale(from.planes(), canvas.planes(), area);
    const Planes planes = canvas.planes();
    for (int y = 0; y < 360; ++y) {
        for (int x = 0; x < 640; ++x) {
            const bool inside =
                x >= area.x && x < area.x + area.width && y >= area.y && y < area.y + area.height;
            ASSERT_EQ(planes.y[y * 640 + x] == 1, !inside) << x << "," << y;
        }
    }
}

TEST(Scaler, SimdGivesTheSameBits) {
    std::uint32_t random = 1;
    for (const auto& [from, to] :
         {std::pair{640, 426}, {320, 213}, {640, 333}, {100, 51}, {30, 60}, {9, 900}, {17, 9}}) {
        std::vector<std::uint8_t> row(static_cast<std::size_t>(from) + 16);
        for (std::uint8_t& pixel : row) {
            random = random * 1664525U + 1013904223U;
            pixel = static_cast<std::uint8_t>(random >> 24U);
        }
        const Taps taps = make_taps(from, to);
        std::vector<std::uint8_t> fast(static_cast<std::size_t>(to) + 1, 7);
        std::vector<std::uint8_t> plain = fast;
        scale_row(row.data(), taps, fast.data(), to);
        scale_row_plainly(row.data(), taps, plain.data(), to);
        EXPECT_EQ(fast, plain) << from << " to " << to;
        EXPECT_EQ(fast.back(), 7);
    }
}

}  // namespace
}  // namespace vmr::mixer
