// Recorded speech (Debian's asterisk-core-sounds-en-g722) and what is measured of it.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace vmr::test {

// At 48 kHz, from `start_s` of the recording on; nothing where it is not installed.
std::vector<std::int16_t> speech(const char* name, double start_s, double seconds);

// Integrated loudness (ITU-R BS.1770-4: K weighting, blocks of 400 ms, both gates) of 48 kHz mono, LUFS.
double loudness(std::span<const std::int16_t> samples);

}  // namespace vmr::test
