#include "scaler.hpp"

#include <libyuv.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vmr::mixer {
namespace {

constexpr double kMostCrop = 1.35;  // 4:3 on a 16:9 tile is cropped, portrait gets bars
constexpr int kTapsAtOnce = 8;      // pixels
constexpr int kOne = 64;            // full weight
constexpr int kShift = 6;
constexpr std::size_t kMostTaps = 64;

// Where output pixel `i` lies in the input: its left neighbour, and the weight of the right one.
struct Position {
    int left, weight;
};
Position position(int i, int from, int to) {
    const double at = std::clamp((i + 0.5) * from / to - 0.5, 0.0, from - 1.0);
    const int left = static_cast<int>(at);
    return {left, static_cast<int>(std::lround((at - left) * kOne))};
}

// libyuv has kernels of their own for these, and for what is more than halved.
bool left_to_libyuv(int from, int to) {
    return to == from || to * 2 <= from || to * 4 == from * 3;
}

void mix_rows(const std::uint8_t* upper, const std::uint8_t* lower, int weight, std::uint8_t* out,
              int width) {
    for (int i = 0; i < width; ++i) {
        out[i] =
            static_cast<std::uint8_t>((upper[i] * (kOne - weight) + lower[i] * weight + kOne / 2) >> kShift);
    }
}

#if defined(__x86_64__)
__attribute__((target("ssse3"))) void scale_row_ssse3(const std::uint8_t* row, const Taps& taps,
                                                      std::uint8_t* out, int width) {
    const __m128i half = _mm_set1_epi16(kOne / 2);
    int done = 0;
    for (const Taps::Block& block : taps.blocks) {
        const auto load = [](const void* data) { return _mm_loadu_si128(static_cast<const __m128i*>(data)); };
        const __m128i neighbours = _mm_shuffle_epi8(load(row + block.from), load(block.index.data()));
        const __m128i sums = _mm_maddubs_epi16(neighbours, load(block.weight.data()));
        const __m128i pixels = _mm_srai_epi16(_mm_add_epi16(sums, half), kShift);
        const __m128i packed = _mm_packus_epi16(pixels, pixels);
        if (width - done >= kTapsAtOnce) {
            _mm_storel_epi64(reinterpret_cast<__m128i*>(out + done), packed);
        } else {
            std::array<std::uint8_t, 16> last;
            _mm_storeu_si128(reinterpret_cast<__m128i*>(last.data()), packed);
            std::memcpy(out + done, last.data(), static_cast<std::size_t>(width - done));
        }
        done += kTapsAtOnce;
    }
}
#endif

}  // namespace

Taps make_taps(int from, int to) {
    Taps taps;
    for (int first = 0; first < to; first += kTapsAtOnce) {
        Taps::Block block{};
        block.from = position(first, from, to).left;
        for (int i = 0; i < kTapsAtOnce; ++i) {
            const Position at = position(std::min(first + i, to - 1), from, to);
            const auto pair = 2 * static_cast<std::size_t>(i);
            block.index[pair] = static_cast<std::uint8_t>(at.left - block.from);
            block.index[pair + 1] = static_cast<std::uint8_t>(std::min(at.left - block.from + 1, 15));
            block.weight[pair] = static_cast<std::int8_t>(kOne - at.weight);
            block.weight[pair + 1] = static_cast<std::int8_t>(at.weight);
        }
        taps.blocks.push_back(block);
    }
    return taps;
}

void scale_row_plainly(const std::uint8_t* row, const Taps& taps, std::uint8_t* out, int width) {
    for (int i = 0; i < width; ++i) {
        const Taps::Block& block = taps.blocks[static_cast<std::size_t>(i / kTapsAtOnce)];
        const std::uint8_t* pixels = row + block.from;
        const auto pair = static_cast<std::size_t>(2 * (i % kTapsAtOnce));
        out[i] =
            static_cast<std::uint8_t>((pixels[block.index[pair]] * block.weight[pair] +
                                       pixels[block.index[pair + 1]] * block.weight[pair + 1] + kOne / 2) >>
                                      kShift);
    }
}

void scale_row(const std::uint8_t* row, const Taps& taps, std::uint8_t* out, int width) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("ssse3")) {
        return scale_row_ssse3(row, taps, out, width);
    }
#endif
    scale_row_plainly(row, taps, out, width);
}

const Taps& Scaler::taps(int from, int to) {
    if (taps_.size() >= kMostTaps) {
        taps_.clear();
    }
    const auto [entry, fresh] = taps_.try_emplace({from, to});
    if (fresh) {
        entry->second = make_taps(from, to);
    }
    return entry->second;
}

void Scaler::scale_plane(const Plane& from, const Plane& to) {
    const Taps& across = taps(from.width, to.width);
    const auto width = static_cast<std::size_t>(from.width);
    row_.resize(width + 16);
    for (int y = 0; y < to.height; ++y) {
        const Position at = position(y, from.height, to.height);
        const std::uint8_t* upper = from.data + static_cast<std::ptrdiff_t>(at.left) * from.stride;
        const std::uint8_t* lower = at.left + 1 < from.height ? upper + from.stride : upper;
        mix_rows(upper, lower, at.weight, row_.data(), from.width);
        row_[width] = row_[width - 1];
        scale_row(row_.data(), across, to.data + static_cast<std::ptrdiff_t>(y) * to.stride, to.width);
    }
}

void Scaler::scale(const Planes& picture, const Planes& canvas, const Rect& area) {
    const Planes to = window(canvas, area);
    Planes from = picture;
    // Halves first, as long as more than that is to go: what is left is smooth enough to sample.
    for (std::size_t i = 0; from.width >= 2 * to.width && from.height >= 2 * to.height &&
                            !(from.width == 2 * to.width && from.height == 2 * to.height);
         i = 1 - i) {
        const int width = (from.width / 2) & ~1;
        const int height = (from.height / 2) & ~1;
        if (width < to.width || height < to.height) {
            break;
        }
        if (halves_[i].width() != width || halves_[i].height() != height) {
            halves_[i] = Image(width, height);
        }
        // Exactly twice that, which is quick: two columns and rows at most are left out.
        const Planes whole = window(from, {0, 0, 2 * width, 2 * height});
        vmr::mixer::scale(whole, halves_[i].planes(), {0, 0, width, height});
        from = halves_[i].planes();
    }
    if (left_to_libyuv(from.width, to.width) || left_to_libyuv(from.height, to.height) ||
        ((from.width | from.height) & 1) != 0) {
        vmr::mixer::scale(from, canvas, area);
        return;
    }
    scale_plane({from.y, from.y_stride, from.width, from.height}, {to.y, to.y_stride, to.width, to.height});
    const auto chroma = [](std::uint8_t* data, int stride, const Planes& planes) {
        return Plane{data, stride, planes.width / 2, planes.height / 2};
    };
    scale_plane(chroma(from.u, from.u_stride, from), chroma(to.u, to.u_stride, to));
    scale_plane(chroma(from.v, from.v_stride, from), chroma(to.v, to.v_stride, to));
}

void Scaler::scale_to_tile(const Planes& picture, const Planes& canvas) {
    const Rect all{0, 0, canvas.width, canvas.height};
    const double ratio = (static_cast<double>(picture.width) / picture.height) /
                         (static_cast<double>(canvas.width) / canvas.height);
    if (ratio <= kMostCrop && ratio >= 1.0 / kMostCrop) {
        const Rect kept = fit({0, 0, picture.width & ~1, picture.height & ~1}, canvas.width, canvas.height);
        scale(window(picture, kept), canvas, all);
        return;
    }
    fill(canvas, all, kBackdrop);
    scale(picture, canvas, fit(all, picture.width, picture.height));
}

}  // namespace vmr::mixer
