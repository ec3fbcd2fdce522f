// Prompt and music files, decoded to 48 kHz mono once per process.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace vmr::duplex {

using Sound = std::shared_ptr<const std::vector<std::int16_t>>;

// `.g722` (raw, 64 kbit/s, as in Debian's asterisk-core-sounds) or `.wav` (16-bit PCM, any rate, 1 or 2
// channels). Reads and decodes: call it from a thread that may block. A file over 64 MB is refused.
Result<Sound> load_sound(const std::filesystem::path& path);
// The same from the process's cache, or null if it is not there: never blocks on a file.
Sound cached_sound(const std::filesystem::path& path);
// A `.wav` that is in memory; not kept.
Result<Sound> decode_wav_sound(const std::vector<std::uint8_t>& bytes);

// `duration_ms` of a sine, its ends faded over 5 ms; `amplitude` 0 to 1.
Sound make_tone(double hertz, int duration_ms, double amplitude);

}  // namespace vmr::duplex
