#include "bench/quality/picture.hpp"

#include <cmath>
#include <stdexcept>

namespace vmr::bench {
namespace {

constexpr int kSquare = 16, kBits = 10;  // and one of parity
constexpr guint8 kBlack = 16, kWhite = 235, kAlmostBlack = 80, kAlmostWhite = 170;
constexpr double kMostPsnr = 99;
constexpr int kWindow = 8, kStep = 4;

class Luma {
public:
    Luma(GstBuffer* buffer, Size size, GstMapFlags flags = GST_MAP_READ) : buffer_(buffer), size_(size) {
        if (!gst_buffer_map(buffer, &map_, flags) || map_.size < size.luma()) {
            throw std::runtime_error("a picture of another size");
        }
    }
    ~Luma() { gst_buffer_unmap(buffer_, &map_); }
    Luma(const Luma&) = delete;
    Luma& operator=(const Luma&) = delete;

    guint8& at(int x, int y) {
        return map_.data[static_cast<std::size_t>(y) * static_cast<std::size_t>(size_.width) +
                         static_cast<std::size_t>(x)];
    }

private:
    GstBuffer* buffer_;
    Size size_;
    GstMapInfo map_{};
};

int square_x(Size size, int bit) {
    return size.width / 2 + (bit - kBits / 2) * kSquare;
}

double window_ssim(Luma& one, Luma& other, int left, int top) {
    constexpr double kCount = kWindow * kWindow;
    constexpr double kC1 = 0.01 * 0.01 * 255 * 255, kC2 = 0.03 * 0.03 * 255 * 255;
    int sum_a = 0, sum_b = 0, squares_a = 0, squares_b = 0, products = 0;
    for (int y = top; y < top + kWindow; ++y) {
        for (int x = left; x < left + kWindow; ++x) {
            const int a = one.at(x, y), b = other.at(x, y);
            sum_a += a;
            sum_b += b;
            squares_a += a * a;
            squares_b += b * b;
            products += a * b;
        }
    }
    const double mean_a = sum_a / kCount, mean_b = sum_b / kCount;
    const double variance_a = squares_a / kCount - mean_a * mean_a;
    const double variance_b = squares_b / kCount - mean_b * mean_b;
    const double covariance = products / kCount - mean_a * mean_b;
    return (2 * mean_a * mean_b + kC1) * (2 * covariance + kC2) /
           ((mean_a * mean_a + mean_b * mean_b + kC1) * (variance_a + variance_b + kC2));
}

}  // namespace

double luma_mse(GstBuffer* one, GstBuffer* other, Size size) {
    Luma a(one, size), b(other, size);
    double sum = 0;
    for (int y = 0; y < size.height; ++y) {
        int row = 0;
        for (int x = 0; x < size.width; ++x) {
            const int difference = a.at(x, y) - b.at(x, y);
            row += difference * difference;
        }
        sum += row;
    }
    return sum / static_cast<double>(size.luma());
}

double luma_psnr(double mse) {
    return mse > 0 ? std::min(kMostPsnr, 10 * std::log10(255 * 255 / mse)) : kMostPsnr;
}

double luma_ssim(GstBuffer* one, GstBuffer* other, Size size) {
    Luma a(one, size), b(other, size);
    double sum = 0;
    int count = 0;
    for (int y = 0; y + kWindow <= size.height; y += kStep) {
        for (int x = 0; x + kWindow <= size.width; x += kStep, ++count) {
            sum += window_ssim(a, b, x, y);
        }
    }
    return sum / count;
}

void write_number(GstBuffer* frame, Size size, unsigned number) {
    Luma luma(frame, size, GST_MAP_READWRITE);
    const unsigned bits = number | static_cast<unsigned>(__builtin_parity(number)) << kBits;
    for (int bit = 0; bit <= kBits; ++bit) {
        for (int y = 0; y < kSquare; ++y) {
            for (int x = 0; x < kSquare; ++x) {
                luma.at(square_x(size, bit) + x, y) = (bits >> bit & 1U) != 0 ? kWhite : kBlack;
            }
        }
    }
}

std::optional<unsigned> read_number(GstBuffer* frame, Size size) {
    Luma luma(frame, size);
    unsigned bits = 0;
    for (int bit = 0; bit <= kBits; ++bit) {
        const guint8 middle = luma.at(square_x(size, bit) + kSquare / 2, kSquare / 2);
        if (middle > kAlmostBlack && middle < kAlmostWhite) {
            return std::nullopt;
        }
        bits |= (middle >= kAlmostWhite ? 1U : 0U) << bit;
    }
    return __builtin_parity(bits) == 0 ? std::optional(bits & ((1U << kBits) - 1)) : std::nullopt;
}

}  // namespace vmr::bench
