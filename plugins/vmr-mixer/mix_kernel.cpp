#include "mix_kernel.hpp"

#include <algorithm>
#include <cmath>

namespace vmr::mixer {

void apply_gain(std::span<const std::int16_t, kBlock> in, double from, double to, SumBlock& out) {
    if (from == 1.0 && to == 1.0) {
        std::copy(in.begin(), in.end(), out.begin());
        return;
    }
    const float step = static_cast<float>((to - from) / static_cast<double>(kRamp));
    const float start = static_cast<float>(from);
    const float end = static_cast<float>(to);
    for (std::size_t i = 0; i < kRamp; ++i) {
        out[i] = static_cast<std::int32_t>(
            std::lrintf(static_cast<float>(in[i]) * (start + step * static_cast<float>(i))));
    }
    if (to == 1.0) {
        std::copy(in.begin() + kRamp, in.end(), out.begin() + kRamp);
        return;
    }
    for (std::size_t i = kRamp; i < kBlock; ++i) {
        out[i] = static_cast<std::int32_t>(std::lrintf(static_cast<float>(in[i]) * end));
    }
}

void add(SumBlock& sum, const SumBlock& contribution) {
    for (std::size_t i = 0; i < kBlock; ++i) {
        sum[i] += contribution[i];
    }
}

void subtract(const SumBlock& sum, const SumBlock& own, SumBlock& out) {
    for (std::size_t i = 0; i < kBlock; ++i) {
        out[i] = sum[i] - own[i];
    }
}

double level_db(std::span<const std::int16_t> samples) {
    if (samples.empty()) {
        return kSilenceDb;
    }
    std::int64_t energy = 0;
    for (const std::int16_t sample : samples) {
        energy += static_cast<std::int32_t>(sample) * sample;
    }
    if (energy == 0) {
        return kSilenceDb;
    }
    const double mean = static_cast<double>(energy) / static_cast<double>(samples.size());
    return std::max(kSilenceDb, 10.0 * std::log10(mean / (32768.0 * 32768.0)));
}

}  // namespace vmr::mixer
