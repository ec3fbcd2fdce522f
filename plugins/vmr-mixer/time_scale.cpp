#include "time_scale.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace vmr::mixer {
namespace {

constexpr std::size_t kSeam = 480;  // samples, 10 ms
constexpr std::size_t kCoarse = 6;  // the first search runs at 8 kHz
constexpr double kAlike = 0.75;     // correlation of what may be put for one another
constexpr std::size_t kSearched = kSeam + kLongestPeriod;

// 1: the same but for a gain. Both have `count` values.
template <typename T>
double correlation(const T* a, const T* b, std::size_t count) {
    double product = 0.0, energy_a = 0.0, energy_b = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
        const double x = a[i], y = b[i];
        product += x * y;
        energy_a += x * x;
        energy_b += y * y;
    }
    const double energy = std::sqrt(energy_a * energy_b);
    return energy > 0.0 ? product / energy : 0.0;
}

// The lag from `shortest` to `longest` at which the beginning is most like itself; kSeam + longest samples
// are looked at.
std::optional<std::size_t> find_period(std::span<const std::int16_t> samples, std::size_t longest) {
    std::array<float, kSearched / kCoarse> coarse{};
    for (std::size_t i = 0; i < (kSeam + longest) / kCoarse; ++i) {
        for (std::size_t k = 0; k < kCoarse; ++k) {
            coarse[i] += samples[i * kCoarse + k];
        }
    }
    std::size_t best = 0;
    double likeness = -1.0;
    for (std::size_t lag = kShortestPeriod / kCoarse; lag <= longest / kCoarse; ++lag) {
        const double found = correlation(coarse.data(), coarse.data() + lag, kSeam / kCoarse);
        if (found >= likeness) {
            likeness = found;
            best = lag * kCoarse;
        }
    }
    const std::size_t from = std::max(kShortestPeriod, best - kCoarse);
    const std::size_t to = std::min(longest, best + kCoarse);
    likeness = -1.0;
    for (std::size_t lag = from; lag <= to; ++lag) {
        const double found = correlation(samples.data(), samples.data() + lag, kSeam);
        if (found > likeness) {
            likeness = found;
            best = lag;
        }
    }
    return likeness >= kAlike ? std::optional(best) : std::nullopt;
}

// From `from` over to `to`, which may overlap what is written.
void cross_fade(const std::int16_t* from, const std::int16_t* to, std::span<std::int16_t> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int part = static_cast<int>(i), whole = static_cast<int>(out.size());
        out[i] = static_cast<std::int16_t>((from[i] * (whole - part) + to[i] * part) / whole);
    }
}

std::optional<std::size_t> choose(std::span<const std::int16_t> samples, std::size_t most, bool quiet) {
    most = std::min(most, samples.size() - std::min(samples.size(), kSeam));
    if (quiet && most > 0) {
        return most;
    }
    if (most < kShortestPeriod) {
        return std::nullopt;
    }
    return find_period(samples, std::min(most, kLongestPeriod));
}

}  // namespace

std::size_t shorten(std::vector<std::int16_t>& samples, std::size_t most, bool quiet) {
    const auto period = choose(samples, most, quiet);
    if (!period) {
        return 0;
    }
    cross_fade(samples.data(), samples.data() + *period, {samples.data(), kSeam});
    const auto gone = samples.begin() + kSeam;
    samples.erase(gone, gone + static_cast<std::ptrdiff_t>(*period));
    return *period;
}

std::size_t lengthen(std::vector<std::int16_t>& samples, std::size_t wanted, bool quiet) {
    const auto period = choose(samples, quiet ? wanted : std::max(wanted, 2 * kShortestPeriod), quiet);
    if (!period) {
        return 0;
    }
    // The first `period` samples, from them back to the beginning, and on.
    std::array<std::int16_t, kSeam> seam;
    cross_fade(samples.data() + *period, samples.data(), seam);
    const std::size_t size = samples.size();
    samples.resize(size + *period);
    std::copy_backward(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(size), samples.end());
    std::copy_n(samples.begin() + static_cast<std::ptrdiff_t>(*period), *period, samples.begin());
    std::copy(seam.begin(), seam.end(), samples.begin() + static_cast<std::ptrdiff_t>(*period));
    return *period;
}

}  // namespace vmr::mixer
