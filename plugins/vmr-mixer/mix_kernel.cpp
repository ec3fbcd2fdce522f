#include "mix_kernel.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace vmr::mixer {
namespace {

// Rounds to the nearest integer for |value| < 2^22, in a form that compilers vectorise.
inline std::int32_t round_to_int(float value) {
    constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23
    return static_cast<std::int32_t>((value + kMagic) - kMagic);
}

VMR_VECTOR_CLONES void scale(const std::int16_t* in, float gain, std::int32_t* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = round_to_int(static_cast<float>(in[i]) * gain);
    }
}

VMR_VECTOR_CLONES void ramp(const std::int16_t* in, float from, float step, std::int32_t* out,
                            std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = round_to_int(static_cast<float>(in[i]) *
                              (from + step * static_cast<float>(static_cast<std::int32_t>(i))));
    }
}

VMR_VECTOR_CLONES void widen(const std::int16_t* in, std::int32_t* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = in[i];
    }
}

VMR_VECTOR_CLONES void add_to(std::int32_t* __restrict sum, const std::int32_t* __restrict more,
                              std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        sum[i] += more[i];
    }
}

VMR_VECTOR_CLONES void difference(const std::int32_t* __restrict sum, const std::int32_t* __restrict own,
                                  std::int32_t* __restrict out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = sum[i] - own[i];
    }
}

VMR_VECTOR_CLONES std::int32_t largest(const std::int32_t* samples, std::size_t count) {
    std::int32_t peak = 0;
    for (std::size_t i = 0; i < count; ++i) {
        peak = std::max(peak, std::abs(samples[i]));
    }
    return peak;
}

VMR_VECTOR_CLONES void cut(const std::int32_t* __restrict in, std::int16_t* __restrict out,
                           std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = static_cast<std::int16_t>(in[i]);
    }
}

VMR_VECTOR_CLONES std::int64_t energy_of(const std::int16_t* samples, std::size_t count) {
    std::int64_t energy = 0;
    for (std::size_t i = 0; i < count; ++i) {
        energy += static_cast<std::int32_t>(samples[i]) * samples[i];
    }
    return energy;
}

}  // namespace

void apply_gain(std::span<const std::int16_t> in, double from, double to, std::span<std::int32_t> out) {
    if (from == 1.0 && to == 1.0) {
        widen(in.data(), out.data(), in.size());
        return;
    }
    const std::size_t ramped = from == to ? 0 : std::min(kRamp, in.size());
    const float step = static_cast<float>((to - from) / static_cast<double>(kRamp));
    ramp(in.data(), static_cast<float>(from), step, out.data(), ramped);
    if (to == 1.0) {
        widen(in.data() + ramped, out.data() + ramped, in.size() - ramped);
    } else {
        scale(in.data() + ramped, static_cast<float>(to), out.data() + ramped, in.size() - ramped);
    }
}

void add(std::span<std::int32_t> sum, std::span<const std::int32_t> contribution) {
    add_to(sum.data(), contribution.data(), sum.size());
}

void subtract(std::span<const std::int32_t> sum, std::span<const std::int32_t> own,
              std::span<std::int32_t> out) {
    difference(sum.data(), own.data(), out.data(), out.size());
}

std::int32_t peak_of(std::span<const std::int32_t> samples) {
    return largest(samples.data(), samples.size());
}

void narrow(std::span<const std::int32_t> in, std::span<std::int16_t> out) {
    cut(in.data(), out.data(), out.size());
}

double level_db(std::span<const std::int16_t> samples) {
    const std::int64_t energy = energy_of(samples.data(), samples.size());
    if (energy == 0) {
        return kSilenceDb;
    }
    const double mean = static_cast<double>(energy) / static_cast<double>(samples.size());
    return std::max(kSilenceDb, 10.0 * std::log10(mean / (32768.0 * 32768.0)));
}

}  // namespace vmr::mixer
