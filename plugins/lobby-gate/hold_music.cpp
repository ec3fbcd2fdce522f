#include "plugins/lobby-gate/hold_music.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>

namespace vmr::lobby_gate {

namespace {

constexpr int kRate = 48000;
constexpr int kSeconds = 16;
constexpr std::size_t kLength = static_cast<std::size_t>(kRate) * kSeconds;

struct Partial {
    double ratio, level, decay_s;
};
constexpr std::array<Partial, 3> kBell{{{1.0, 1.0, 0.9}, {2.0, 0.25, 0.5}, {3.01, 0.08, 0.25}}};

double pitch(int midi) {
    return 440.0 * std::pow(2.0, (midi - 69) / 12.0);
}

// Adds one bell note; what rings past the end wraps round, so that the loop has no seam.
void strike(std::vector<double>& loop, double at_s, int midi, double level) {
    const auto start = static_cast<std::size_t>(at_s * kRate);
    for (const Partial& partial : kBell) {
        const double step = 2.0 * std::numbers::pi * pitch(midi) * partial.ratio / kRate;
        const std::complex<double> turn = std::polar(std::exp(-1.0 / (partial.decay_s * kRate)), step);
        std::complex<double> phase(level * partial.level, 0);
        const auto count = static_cast<std::size_t>(partial.decay_s * 7 * kRate);
        for (std::size_t i = 0; i < count; ++i, phase *= turn) {
            const double attack = std::min(1.0, static_cast<double>(i) / (0.008 * kRate));
            loop[(start + i) % kLength] += attack * phase.imag();
        }
    }
}

}  // namespace

std::vector<std::int16_t> compose_hold_music() {
    // Am7, Fmaj7, C, G6: root, then the notes above it
    constexpr int kChords[4][5] = {
        {45, 60, 64, 67, 72}, {41, 57, 60, 64, 69}, {48, 60, 64, 67, 76}, {43, 59, 62, 64, 71}};
    constexpr int kOrder[8] = {1, 2, 3, 4, 3, 2, 4, 3};
    std::vector<double> loop(kLength, 0.0);
    for (int chord = 0; chord < 4; ++chord) {
        const double start = chord * 4.0;
        strike(loop, start, kChords[chord][0], 0.8);
        for (int note = 0; note < 8; ++note) {
            strike(loop, start + note * 0.5, kChords[chord][kOrder[note]], note % 4 == 0 ? 0.7 : 0.5);
        }
    }
    double peak = 0;
    for (const double sample : loop) {
        peak = std::max(peak, std::abs(sample));
    }
    std::vector<std::int16_t> result(kLength);
    std::transform(loop.begin(), loop.end(), result.begin(), [&](double sample) {
        return static_cast<std::int16_t>(std::lround(sample / peak * 6500.0));
    });
    return result;
}

}  // namespace vmr::lobby_gate
