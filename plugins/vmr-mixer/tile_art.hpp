// What is drawn with Cairo: placeholders and name labels.
#pragma once
#include <string>

#include "image.hpp"

namespace vmr::mixer {

// Up to two letters: of the first and the last word.
std::string initials(const std::string& name);

// A whole tile for someone without a camera: a disc with initials.
Overlay draw_placeholder(const std::string& name, int width, int height);

// The strip at the bottom of a tile: the name, and a struck microphone when muted.
Overlay draw_label(const std::string& name, bool muted, int tile_width, int tile_height);

}  // namespace vmr::mixer
