// Quiet noise for a mix in which nobody speaks, so that a line never sounds dead.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace vmr::mixer {

class ComfortNoise {
public:
    // `level_db`: dBFS RMS, -100 for none.
    void set_level(double level_db);
    bool on() const { return !samples_.empty(); }
    // Adds noise; each call goes on elsewhere in it.
    void add_to(std::span<std::int16_t> samples);

private:
    double level_db_ = -100.0;
    std::vector<std::int16_t> samples_;  // about a third of a second
    std::uint32_t seed_ = 1;
};

}  // namespace vmr::mixer
