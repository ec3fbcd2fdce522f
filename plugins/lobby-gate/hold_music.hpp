// Hold music without a file: a slow arpeggio of soft bells. Pure.
#pragma once
#include <cstdint>
#include <vector>

namespace vmr::lobby_gate {
// A seamless loop of 16 s at 48 kHz, peaks near -14 dBFS. Takes a fraction of a second to compute.
std::vector<std::int16_t> compose_hold_music();
}  // namespace vmr::lobby_gate
