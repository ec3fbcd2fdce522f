#include "plugins/lobby-gate/hold_music.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

using vmr::lobby_gate::compose_hold_music;

TEST(HoldMusic, IsQuietUnbrokenAndLoopsWithoutASeam) {
    const auto music = compose_hold_music();
    ASSERT_EQ(music.size(), 48000U * 16);
    const int peak = std::abs(*std::max_element(music.begin(), music.end(),
                                                [](int a, int b) { return std::abs(a) < std::abs(b); }));
    EXPECT_LT(peak, 6600);
    for (std::size_t second = 0; second < 16; ++second) {
        double energy = 0;
        for (std::size_t i = 0; i < 48000; ++i) {
            energy += std::pow(music[second * 48000 + i], 2);
        }
        EXPECT_GT(std::sqrt(energy / 48000), 300) << second;
    }
    int largest_step = 0;
    for (std::size_t i = 1; i < music.size(); ++i) {
        largest_step = std::max(largest_step, std::abs(music[i] - music[i - 1]));
    }
    EXPECT_LE(std::abs(music.front() - music.back()), largest_step);
}
