#include "speech.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>

#include "audio_decoder.hpp"

namespace vmr::test {
namespace {

constexpr std::size_t kBytesPerSecond = 8000;  // G.722 at 64 kbit/s

// A second-order section in direct form 1.
std::vector<double> filter(std::span<const double> in, const double (&b)[3], const double (&a)[2]) {
    std::vector<double> out(in.size());
    double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
        out[i] = b[0] * in[i] + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2;
        x2 = x1;
        x1 = in[i];
        y2 = y1;
        y1 = out[i];
    }
    return out;
}

double lufs(double power) {
    return -0.691 + 10.0 * std::log10(power + 1e-12);
}

double mean_above(std::span<const double> powers, double gate_lufs) {
    double sum = 0, count = 0;
    for (const double power : powers) {
        if (lufs(power) > gate_lufs) {
            sum += power;
            ++count;
        }
    }
    return count > 0 ? sum / count : 0.0;
}

}  // namespace

std::vector<std::int16_t> speech(const char* name, double start_s, double seconds) {
    std::ifstream file("/usr/share/asterisk/sounds/en_US_f_Allison/" + std::string(name) + ".g722",
                       std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    const auto start = static_cast<std::size_t>(start_s * kBytesPerSecond);
    const auto count = static_cast<std::size_t>(seconds * kBytesPerSecond);
    std::vector<std::int16_t> samples;
    if (bytes.size() < start + count) {
        return samples;
    }
    const auto decoder = mixer::make_audio_decoder(mixer::AudioCodec::g722);
    const std::vector<std::uint8_t> wanted(bytes.begin() + static_cast<std::ptrdiff_t>(start),
                                           bytes.begin() + static_cast<std::ptrdiff_t>(start + count));
    decoder->decode(wanted, count * 6, samples);
    return samples;
}

// The coefficients are those of the recommendation, for 48 kHz.
double loudness(std::span<const std::int16_t> samples) {
    std::vector<double> scaled(samples.size());
    std::transform(samples.begin(), samples.end(), scaled.begin(),
                   [](std::int16_t s) { return s / 32768.0; });
    const auto shelf = filter(scaled, {1.53512485958697, -2.69169618940638, 1.19839281085285},
                              {-1.69065929318241, 0.73248077421585});
    const auto weighted = filter(shelf, {1.0, -2.0, 1.0}, {-1.99004745483398, 0.99007225036621});
    constexpr std::size_t kWindow = 19200, kStep = 4800;
    std::vector<double> powers;
    for (std::size_t at = 0; at + kWindow <= weighted.size(); at += kStep) {
        double sum = 0;
        for (std::size_t i = at; i < at + kWindow; ++i) {
            sum += weighted[i] * weighted[i];
        }
        powers.push_back(sum / kWindow);
    }
    constexpr double kAbsoluteGate = -70.0, kRelativeGate = -10.0;  // LUFS, LU
    return lufs(mean_above(powers, lufs(mean_above(powers, kAbsoluteGate)) + kRelativeGate));
}

}  // namespace vmr::test
