#include "bitrate_ladder.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vmr::mixer {
namespace {

constexpr double kDownAfter = 0.5;  // s
constexpr double kUpAfter = 5.0;    // s
constexpr double kTight = 0.9;      // estimates waver: a little too little is no reason to go down
constexpr double kSpare = 1.15;     // times the better class's bitrate, to go up

struct Rung {
    double bitrate, length, framerate;
};
constexpr std::array<Rung, kBitrateClasses> kRungs{{{1.0, 1.0, 1.0}, {0.4, 2.0 / 3, 1.0}, {0.15, 0.5, 0.5}}};

bool lasted(double& since, double now, bool holds, double seconds) {
    if (!holds) {
        since = -1.0;
        return false;
    }
    if (since < 0.0) {
        since = now;
    }
    return now - since >= seconds;
}

}  // namespace

int class_bitrate(unsigned bitrate_class, int top_bitrate) {
    return static_cast<int>(top_bitrate * kRungs.at(bitrate_class).bitrate);
}

int class_length(unsigned bitrate_class, int pixels) {
    return std::max(16, static_cast<int>(pixels * kRungs.at(bitrate_class).length) & ~1);
}

int class_framerate(unsigned bitrate_class, int framerate) {
    return std::max(1, static_cast<int>(framerate * kRungs.at(bitrate_class).framerate));
}

unsigned BitrateLadder::update(double now, unsigned estimate, int top_bitrate, unsigned classes) {
    const unsigned worst = std::clamp(classes, 1U, kBitrateClasses) - 1;
    const auto fits = [&](unsigned bitrate_class, double margin) {
        return estimate >= class_bitrate(bitrate_class, top_bitrate) * margin;
    };
    current_ = std::min(current_, worst);
    if (estimate == 0) {
        current_ = 0;
        low_since_ = high_since_ = -1.0;
        return current_;
    }
    if (lasted(low_since_, now, current_ < worst && !fits(current_, kTight), kDownAfter)) {
        while (current_ < worst && !fits(current_, 1.0)) {
            ++current_;
        }
        low_since_ = high_since_ = -1.0;
    } else if (lasted(high_since_, now, current_ > 0 && fits(current_ - 1, kSpare), kUpAfter)) {
        --current_;
        low_since_ = high_since_ = -1.0;
    }
    return current_;
}

}  // namespace vmr::mixer
